//! The store of generations: numbered manifests and content-addressed objects in the state directory.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Built, Generation, GenerationNumber, Provenance};
use crate::host::{Digest, HostPath, PathState};

/// What was at paths before Steadfast took them; comes back when their entries go.
///
/// The content of a file is an object of the store, named by its digest in the state.
pub type Originals = BTreeMap<HostPath, PathState>;

/// The store of one host: `objects/`, `generations/`, `current`, `previous-good`, `pins/`, `originals.json`.
#[derive(Debug, Clone)]
pub struct Store {
    root: PathBuf,
}

/// An operation on the store that did not work.
#[derive(Debug, thiserror::Error)]
#[error("cannot {operation} in the store at {}", path.display())]
pub struct StoreError {
    /// What was attempted, "read generation 4".
    pub operation: String,
    /// The file or directory.
    pub path: PathBuf,
    /// What stood in the way.
    #[source]
    pub kind: StoreErrorKind,
}

/// What stood in the way.
#[derive(Debug, thiserror::Error)]
pub enum StoreErrorKind {
    /// It is not there.
    #[error("there is no such generation or object")]
    Missing,
    /// It is there but not as it was written.
    #[error("the file is damaged: {reason}")]
    Damaged {
        /// What does not fit.
        reason: String,
    },
    /// It was written by another version.
    #[error("the file has format version {found}, this build reads up to {known}")]
    UnknownVersion {
        /// Its version.
        found: u64,
        /// The newest version known.
        known: u32,
    },
    /// A transaction is open.
    #[error("a transaction is open")]
    TransactionOpen,
    /// The file system refused.
    #[error("the file system refused")]
    Io(#[source] std::io::Error),
}

/// What `gc` keeps besides current, previous-good and pinned generations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct GcPolicy {
    /// How many of the newest.
    pub keep_newest: usize,
    /// Everything younger than this many days.
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

impl Store {
    /// Opens the store in `state_dir`, making its directories if they are missing.
    pub fn open(state_dir: &Path) -> Result<Self, StoreError> {
        Ok(Self {
            root: state_dir.to_owned(),
        })
    }

    /// The state directory.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Stores a built generation under the next number. It is durable when this returns, and not yet current.
    pub fn put(&self, _built: &Built, _provenance: &Provenance) -> Result<Generation, StoreError> {
        Err(self.unwritten("put"))
    }

    /// Reads a generation; its manifest is checked against its digest.
    pub fn get(&self, _number: GenerationNumber) -> Result<Generation, StoreError> {
        Err(self.unwritten("get"))
    }

    /// The numbers of all stored generations, oldest first.
    pub fn list(&self) -> Result<Vec<GenerationNumber>, StoreError> {
        Err(self.unwritten("list"))
    }

    /// The generation that the host is to be; `None` before the first.
    pub fn current(&self) -> Result<Option<Generation>, StoreError> {
        Err(self.unwritten("current"))
    }

    /// The generation that was current, and good, before.
    pub fn previous_good(&self) -> Result<Option<Generation>, StoreError> {
        Err(self.unwritten("previous-good"))
    }

    /// Makes `number` current; what was current becomes previous-good.
    pub fn commit(&self, _number: GenerationNumber) -> Result<(), StoreError> {
        Err(self.unwritten("commit"))
    }

    /// Reads an object; its hash is checked.
    pub fn object(&self, _digest: &Digest) -> Result<Vec<u8>, StoreError> {
        Err(self.unwritten("object"))
    }

    /// Keeps `content` as an object, for originals and drifted versions; durable when this returns.
    pub fn keep(&self, _content: &[u8]) -> Result<Digest, StoreError> {
        Err(self.unwritten("keep"))
    }

    /// What was at paths before Steadfast took them.
    pub fn originals(&self) -> Result<Originals, StoreError> {
        Err(self.unwritten("originals"))
    }

    /// Replaces the record of originals.
    pub fn set_originals(&self, _originals: &Originals) -> Result<(), StoreError> {
        Err(self.unwritten("originals"))
    }

    /// Keeps a generation from `gc` until it is unpinned.
    pub fn pin(&self, _number: GenerationNumber) -> Result<(), StoreError> {
        Err(self.unwritten("pin"))
    }

    /// Gives a pinned generation back to `gc`.
    pub fn unpin(&self, _number: GenerationNumber) -> Result<(), StoreError> {
        Err(self.unwritten("unpin"))
    }

    /// Forgets old generations and the objects nothing names any more. Refused while a transaction is open.
    pub fn gc(
        &self,
        _policy: GcPolicy,
        _mode: GcMode,
        _now_secs: i64,
    ) -> Result<GcReport, StoreError> {
        Err(self.unwritten("gc"))
    }

    fn unwritten(&self, operation: &str) -> StoreError {
        StoreError {
            operation: operation.to_owned(),
            path: self.root.clone(),
            kind: StoreErrorKind::Missing,
        }
    }
}
