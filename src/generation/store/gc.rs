//! Forgetting: old generations, and the objects that nothing names any more.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{PRIVATE_FILE, Store, StoreError, StoreErrorKind, disk};
use crate::generation::{Generation, GenerationNumber, Manifest, PathKind};
use crate::host::{Digest, PathState, durable};

/// What `gc` keeps besides current, previous-good and pinned generations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct GcPolicy {
    /// How many of the newest.
    pub keep_newest: usize,
    /// Everything younger than this many days, also objects that no generation names: originals in the making,
    /// drifted versions.
    pub keep_days: u32,
}

impl Default for GcPolicy {
    fn default() -> Self {
        Self {
            keep_newest: 10,
            keep_days: 30,
        }
    }
}

/// Whether `gc` deletes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GcMode {
    /// Delete.
    Sweep,
    /// Only say what would be deleted.
    DryRun,
}

/// What `gc` deleted, or would.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct GcReport {
    /// Generations that go.
    pub generations: Vec<GenerationNumber>,
    /// Generations that stay.
    pub kept: Vec<GenerationNumber>,
    /// Objects that go.
    pub objects: usize,
    /// Their size.
    pub freed_bytes: u64,
}

/// An object that nothing names.
struct Garbage {
    path: PathBuf,
    bytes: u64,
}

impl Store {
    /// Forgets old generations and the objects nothing names any more. Refused while a transaction is open.
    ///
    /// A generation that cannot be read stops it before anything is deleted: what it names is not known.
    pub fn gc(
        &self,
        policy: GcPolicy,
        mode: GcMode,
        now_secs: i64,
    ) -> Result<GcReport, StoreError> {
        self.no_open_transaction()?;
        let oldest_secs = now_secs.saturating_sub(i64::from(policy.keep_days) * 86_400);
        let (kept, gone) = self.divide(policy, oldest_secs)?;
        let named = self.named_objects(&kept)?;
        let garbage = self.garbage(&named, oldest_secs)?;
        let report = GcReport {
            generations: gone.clone(),
            kept: kept.iter().map(|generation| generation.number).collect(),
            objects: garbage.len(),
            freed_bytes: garbage.iter().map(|object| object.bytes).sum(),
        };
        if mode == GcMode::Sweep {
            self.sweep(&gone, &garbage)?;
        }
        Ok(report)
    }

    fn no_open_transaction(&self) -> Result<(), StoreError> {
        let open = self.root().join("transactions/open");
        if disk::exists(&open)? {
            let kind = StoreErrorKind::TransactionOpen;
            return Err(StoreError::new("forget old generations", &open, kind));
        }
        Ok(())
    }

    /// The generations that stay, and the numbers of those that go.
    fn divide(
        &self,
        policy: GcPolicy,
        oldest_secs: i64,
    ) -> Result<(Vec<Generation>, Vec<GenerationNumber>), StoreError> {
        let numbers = self.list()?;
        let first_newest = numbers.len().saturating_sub(policy.keep_newest);
        let mut held = self.pins()?;
        held.extend(self.current_number()?);
        held.extend(self.previous_good_number()?);
        held.extend(&numbers[first_newest..]);
        let (mut kept, mut gone) = (Vec::new(), Vec::new());
        for number in numbers {
            let generation = self.get(number)?;
            if held.contains(&number) || generation.provenance.created_secs >= oldest_secs {
                kept.push(generation);
            } else {
                gone.push(number);
            }
        }
        Ok((kept, gone))
    }

    fn named_objects(&self, kept: &[Generation]) -> Result<BTreeSet<Digest>, StoreError> {
        let mut named = BTreeSet::new();
        for generation in kept {
            named.extend(objects_of(&generation.manifest).cloned());
        }
        for state in self.originals()?.into_values() {
            if let PathState::File { content, .. } = state {
                named.insert(content);
            }
        }
        Ok(named)
    }

    fn garbage(
        &self,
        named: &BTreeSet<Digest>,
        oldest_secs: i64,
    ) -> Result<Vec<Garbage>, StoreError> {
        let mut garbage = Vec::new();
        for shard in disk::names(&self.objects())? {
            let shard = self.objects().join(shard);
            for name in disk::names(&shard)? {
                if Digest::new(&*name).is_ok_and(|digest| named.contains(&digest)) {
                    continue;
                }
                let path = shard.join(name);
                let metadata = std::fs::symlink_metadata(&path)
                    .map_err(|error| StoreError::io("look at an object", &path, error))?;
                if metadata.mtime() < oldest_secs {
                    let bytes = metadata.len();
                    garbage.push(Garbage { path, bytes });
                }
            }
        }
        Ok(garbage)
    }

    fn sweep(&self, gone: &[GenerationNumber], garbage: &[Garbage]) -> Result<(), StoreError> {
        if let Some(highest) = self.list()?.last() {
            self.remember_number(*highest)?;
        }
        for number in gone {
            // Out of sight in one step: a kill while its files go leaves no half generation.
            let path = self.generation_path(*number);
            let leaving = self.generations().join(format!(".gone-{number}"));
            disk::remove_tree(&leaving)?;
            disk::rename(&path, &leaving)?;
        }
        for name in disk::names(&self.generations())? {
            if name.starts_with(".gone-") || name.starts_with(".new-") {
                disk::remove_tree(&self.generations().join(name))?;
            }
        }
        for object in garbage {
            disk::remove_file(&object.path)?;
        }
        Ok(())
    }

    fn remember_number(&self, number: GenerationNumber) -> Result<(), StoreError> {
        if self.last_number()? >= Some(number) {
            return Ok(());
        }
        let path = self.root().join("last-number");
        durable::replace(&path, format!("{number}\n").as_bytes(), PRIVATE_FILE)
            .map_err(|source| StoreError::file("remember the last number", &path, source))
    }
}

/// Every object a manifest names.
fn objects_of(manifest: &Manifest) -> impl Iterator<Item = &Digest> {
    let contents = manifest
        .paths
        .values()
        .filter_map(|entry| match &entry.kind {
            PathKind::File { content, .. } => Some(content),
            PathKind::Directory { .. } | PathKind::Symlink { .. } => None,
        });
    contents.chain(manifest.secret_files.values())
}
