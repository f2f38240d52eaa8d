//! What systemd has against the units of a host, each complaint at the line of the repository that it is about.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use crate::config::{
    ConfigError, FileSource, HostConfig, Located, Mark, Origin, Severity, UnitConfig,
};
use crate::generation::build::chain;
use crate::generation::{Built, PathKind};
use crate::host::{Digest, StagedUnits, UnitComplaint, UnitId, VerifyUnitsError};
use crate::source::{RepoPath, Snapshot};

/// Somebody who looks at unit files; [`verify_units`](crate::host::verify_units) asks systemd.
pub type UnitVerifier<'a> =
    dyn Fn(&StagedUnits) -> Result<Vec<UnitComplaint>, VerifyUnitsError> + Sync + 'a;

/// Where unit files of ours go.
const UNIT_DIRECTORY: &str = "/etc/systemd/system/";

/// Units that were looked at. The same unit of many hosts is looked at once.
pub(super) struct Verified<'v> {
    verifier: Option<&'v UnitVerifier<'v>>,
    known: Mutex<BTreeMap<Digest, Vec<UnitComplaint>>>,
    notes: Mutex<BTreeSet<String>>,
}

/// A unit with its files.
struct Staged<'c> {
    name: String,
    unit: &'c Located<UnitConfig>,
    /// Contents by name below the directory of units.
    files: BTreeMap<String, &'c [u8]>,
}

impl<'v> Verified<'v> {
    pub(super) fn by(verifier: Option<&'v UnitVerifier<'v>>) -> Self {
        Self {
            verifier,
            known: Mutex::default(),
            notes: Mutex::default(),
        }
    }

    /// Why units were not looked at, where they were not.
    pub(super) fn into_notes(self) -> Vec<String> {
        let notes = self
            .notes
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        notes.into_iter().collect()
    }

    /// What systemd has against the units of one host.
    pub(super) fn of(
        &self,
        config: &HostConfig,
        built: &Built,
        snapshot: &Snapshot,
    ) -> Vec<(Severity, ConfigError)> {
        let Some(verifier) = self.verifier else {
            return Vec::new();
        };
        let units = staged(config, built);
        let digests: Vec<Digest> = units.iter().map(Staged::digest).collect();
        let new: Vec<usize> = {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            let is_new = |index: &usize| !known.contains_key(&digests[*index]);
            (0..units.len()).filter(is_new).collect()
        };
        if !new.is_empty() {
            // All files of the host, since units depend on one another; but only the new ones are looked at.
            let files = units.iter().flat_map(|unit| &unit.files);
            let together = StagedUnits {
                files: files
                    .map(|(name, content)| (name.clone(), content.to_vec()))
                    .collect(),
                units: new.iter().map(|index| units[*index].name.clone()).collect(),
            };
            match verifier(&together) {
                Ok(complaints) => self.learn(&new, &units, &digests, &complaints),
                Err(error) => {
                    let note = format!("unit files were not looked at: {}", chain(&error));
                    let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
                    notes.insert(note);
                    return Vec::new();
                }
            }
        }
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let found = units.iter().zip(&digests).flat_map(|(unit, digest)| {
            let complaints = known.get(digest).map(Vec::as_slice).unwrap_or_default();
            complaints
                .iter()
                .map(move |complaint| unit.finding(complaint, snapshot))
        });
        found.collect()
    }

    fn learn(
        &self,
        new: &[usize],
        units: &[Staged<'_>],
        digests: &[Digest],
        complaints: &[UnitComplaint],
    ) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        for index in new {
            let unit = &units[*index];
            let about = complaints
                .iter()
                .filter(|one| one.about == unit.name || unit.files.contains_key(&one.about));
            known.insert(digests[*index].clone(), about.cloned().collect());
        }
    }
}

/// The units of ours with their files: fragment and drop-ins, those of the template too.
fn staged<'c>(config: &'c HostConfig, built: &'c Built) -> Vec<Staged<'c>> {
    let mut units = Vec::new();
    for (name, unit) in &config.units {
        let Some(entry) = built.manifest.units.get(&UnitId::from(name.clone())) else {
            continue;
        };
        let mut files = BTreeMap::new();
        for path in &entry.definition {
            let Some(below) = path.as_str().strip_prefix(UNIT_DIRECTORY) else {
                continue;
            };
            let kind = built.manifest.paths.get(path).map(|entry| &entry.kind);
            if let Some(PathKind::File { content, .. }) = kind
                && let Some(bytes) = built.objects.get(content)
            {
                files.insert(below.to_owned(), bytes.as_slice());
            }
        }
        // Of a unit of the distribution there are only drop-ins here, and the rest may not be on this machine.
        let has_fragment = files.keys().any(|file| !file.contains('/'));
        if has_fragment {
            let name = name.to_string();
            units.push(Staged { name, unit, files });
        }
    }
    units
}

impl Staged<'_> {
    fn digest(&self) -> Digest {
        let mut all = self.name.clone().into_bytes();
        for (name, content) in &self.files {
            for part in [name.as_bytes(), content] {
                all.push(0);
                all.extend(part.len().to_le_bytes());
                all.extend(part);
            }
        }
        Digest::of(&all)
    }

    fn finding(&self, complaint: &UnitComplaint, snapshot: &Snapshot) -> (Severity, ConfigError) {
        let (severity, cause) = if complaint.fatal {
            (Severity::Error, "systemd will not load the unit")
        } else {
            (Severity::Warning, "systemd goes on without this line")
        };
        let said = complaint.text.trim_end_matches('.');
        let said = said
            .trim_end_matches(", ignoring")
            .trim_end_matches(". Refusing");
        let line = complaint.line.and_then(|line| {
            let content = String::from_utf8_lossy(self.files.get(&complaint.about)?);
            let index = usize::try_from(line).ok()?.checked_sub(1)?;
            Some((line, content.lines().nth(index)?.to_owned()))
        });
        let mark = line
            .as_ref()
            .and_then(|(number, text)| self.place_of(&complaint.about, (*number, text), snapshot));
        let mut message = format!("`{}`: {said}", self.name);
        if let (None, Some((_, text))) = (&mark, &line) {
            message = format!("`{}`, in the line `{}`: {said}", self.name, text.trim());
        }
        let mark = mark.unwrap_or_else(|| Mark::from(&self.unit.origin));
        let error = ConfigError::new(message)
            .at(mark)
            .cause(format!("{cause}; said by systemd-analyze verify"));
        (severity, error)
    }

    /// Where a line of a unit file was written, as far as that can be told: in the file it comes from, or below the
    /// entry in which it is written out. A line with expressions in it is not found again.
    fn place_of(&self, about: &str, line: (u32, &str), snapshot: &Snapshot) -> Option<Mark> {
        let (number, text) = line;
        let source = match about.split_once(".d/") {
            Some((_, drop_in)) => self.unit.value.drop_ins.get(drop_in),
            None => self.unit.value.source.as_ref(),
        };
        let (file, from) = match source {
            Some(FileSource::File(file)) => {
                return Some(mark(file, number, text));
            }
            Some(FileSource::Filled { file, .. }) => (file, 0),
            Some(FileSource::Text(_)) | None => (&self.unit.origin.file, self.unit.origin.line),
        };
        let content = snapshot.read(file).ok()??;
        let content = String::from_utf8_lossy(&content).into_owned();
        let wanted = text.trim();
        let skipped = usize::try_from(from.saturating_sub(1)).ok()?;
        let (index, found) = content
            .lines()
            .enumerate()
            .skip(skipped)
            .find(|(_, line)| line.trim() == wanted)?;
        Some(mark(file, u32::try_from(index + 1).ok()?, found))
    }
}

fn mark(file: &RepoPath, line: u32, text: &str) -> Mark {
    let indent = text.chars().take_while(|c| c.is_whitespace()).count();
    Mark {
        origin: Origin {
            file: file.clone(),
            line,
            column: u32::try_from(indent + 1).unwrap_or(u32::MAX),
        },
        length: text.trim().chars().count(),
    }
}
