//! `state.json`: what the agent must not forget between two passes.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Report;
use crate::activation::TransactionId;
use crate::generation::GenerationNumber;
use crate::host::{Digest, FileError, FileMode, durable};
use crate::source::{CommitId, Revision};

/// The version of `state.json` that this build writes.
pub const STATE_VERSION: u32 = 1;

/// How many failed revisions are remembered; the oldest goes first.
const FAILED_KEPT: usize = 32;

/// What the agent remembers, as stored in `state.json` in the state directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Format version, [`STATE_VERSION`].
    pub version: u32,
    /// The newest revision that trust accepted. A ref of the mirror says the same, so that losing one reopens nothing.
    #[serde(default)]
    pub accepted: Option<CommitId>,
    /// Revisions that were rolled back, oldest first.
    #[serde(default)]
    pub failed: Vec<FailedRevision>,
    /// The generation whose activation was cut off, if the last one was.
    #[serde(default)]
    pub interrupted: Option<Digest>,
    /// The last transaction that is known here to be over, with all that follows from it.
    #[serde(default)]
    pub concluded: Option<TransactionId>,
    /// How the last pass ended.
    #[serde(default)]
    pub last: Option<Report>,
    /// What the last drift scan found.
    #[serde(default)]
    pub last_drift: Option<DriftSummary>,
}

/// A revision whose generation was rolled back; its digest is not tried again unless somebody says `reconcile retry`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FailedRevision {
    /// Digest of the generation: another commit with the same result for this host is the same failure.
    pub digest: Digest,
    /// The revision.
    pub revision: Revision,
    /// Why it was rolled back.
    pub reason: String,
    /// When, in seconds since 1970-01-01T00:00:00Z.
    pub at_secs: i64,
}

/// What a drift scan found, without the contents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DriftSummary {
    /// When the scan ended, seconds since 1970-01-01T00:00:00Z.
    pub at_secs: i64,
    /// The active generation it was compared with.
    pub generation: Option<GenerationNumber>,
    /// One line for each entry that differs: `content /etc/motd`. Empty: none differs.
    pub items: Vec<String>,
    /// When each of `items` was changed last and whose it is, as far as the file system knows; empty where it does not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub traces: Vec<String>,
    /// What is as it should be although it does not look so, one line each: units that wait for a condition of theirs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<String>,
}

impl DriftSummary {
    /// What was found, in one line, for the journal: `content /etc/motd (changed 2026-03-01T12:00:00Z, of user id 0)`.
    #[must_use]
    pub fn told(&self) -> String {
        let traces = self.traces.iter().map(String::as_str);
        let traces = traces.chain(std::iter::repeat(""));
        let lines = self.items.iter().zip(traces).take(MOST_TOLD);
        let lines = lines.map(|(item, trace)| match trace {
            "" => item.clone(),
            trace => format!("{item} ({trace})"),
        });
        let more = self.items.len().saturating_sub(MOST_TOLD);
        let more = (more > 0).then(|| format!("and {more} more"));
        lines.chain(more).collect::<Vec<_>>().join("; ")
    }
}

/// Most entries that one line names.
const MOST_TOLD: usize = 1000;

/// The state file cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot {doing} the state file {}", path.display())]
pub struct StateError {
    doing: &'static str,
    path: PathBuf,
    #[source]
    kind: StateErrorKind,
}

/// Why the state file cannot be used.
#[derive(Debug, thiserror::Error)]
enum StateErrorKind {
    #[error(transparent)]
    Io(std::io::Error),
    #[error(transparent)]
    Replace(Box<FileError>),
    #[error("{0}")]
    Damaged(serde_json::Error),
    #[error("its version is {found}, and this build knows only versions up to {STATE_VERSION}")]
    Newer { found: u32 },
}

impl StateError {
    /// How to fix it.
    #[must_use]
    pub fn fix(&self) -> String {
        let path = self.path.display();
        match &self.kind {
            StateErrorKind::Io(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                "run it as root".to_owned()
            }
            StateErrorKind::Io(_) | StateErrorKind::Replace(_) => {
                format!("check the file system that holds {path}")
            }
            StateErrorKind::Damaged(_) => format!(
                "move {path} away and run `steadfast reconcile now`; what was accepted is kept in the mirror as well, \
                 only the memory of failed revisions is lost"
            ),
            StateErrorKind::Newer { .. } => {
                "install the newer version of steadfast again".to_owned()
            }
        }
    }
}

impl Default for State {
    fn default() -> Self {
        Self {
            version: STATE_VERSION,
            accepted: None,
            failed: Vec::new(),
            interrupted: None,
            concluded: None,
            last: None,
            last_drift: None,
        }
    }
}

impl State {
    /// Reads the state from `path`; the state of a new host if there is no file.
    ///
    /// # Errors
    /// [`StateError`] if it cannot be read, is damaged or was written by a newer version: never taken as empty.
    pub fn load(path: &Path) -> Result<Self, StateError> {
        let error = |kind| StateError {
            doing: "read",
            path: path.to_owned(),
            kind,
        };
        let text = match std::fs::read(path) {
            Ok(text) => text,
            Err(missing) if missing.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(other) => return Err(error(StateErrorKind::Io(other))),
        };
        Self::parse(&text).map_err(error)
    }

    fn parse(text: &[u8]) -> Result<Self, StateErrorKind> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let Versioned { version } =
            serde_json::from_slice(text).map_err(StateErrorKind::Damaged)?;
        if version > STATE_VERSION {
            return Err(StateErrorKind::Newer { found: version });
        }
        let state: Self = serde_json::from_slice(text).map_err(StateErrorKind::Damaged)?;
        Ok(Self {
            version: STATE_VERSION,
            ..state
        })
    }

    /// Replaces the file at `path`: the whole new state or the whole old one survives a power cut.
    ///
    /// # Errors
    /// [`StateError`] if it cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), StateError> {
        let error = |kind| StateError {
            doing: "write",
            path: path.to_owned(),
            kind,
        };
        let mut text =
            serde_json::to_vec_pretty(self).map_err(|e| error(StateErrorKind::Damaged(e)))?;
        text.push(b'\n');
        durable::replace(path, &text, FileMode::from_bits(0o644))
            .map_err(|e| error(StateErrorKind::Replace(Box::new(e))))
    }

    /// Why `digest` was rolled back, if it was.
    #[must_use]
    pub fn failure(&self, digest: &Digest) -> Option<&FailedRevision> {
        self.failed.iter().rfind(|failed| failed.digest == *digest)
    }

    /// Remembers `failed`, instead of what was known about the same digest.
    pub fn remember_failure(&mut self, failed: FailedRevision) {
        self.forget_failure(&failed.digest);
        self.failed.push(failed);
        let surplus = self.failed.len().saturating_sub(FAILED_KEPT);
        self.failed.drain(..surplus);
    }

    /// Forgets that `digest` was rolled back.
    pub fn forget_failure(&mut self, digest: &Digest) {
        self.failed.retain(|failed| failed.digest != *digest);
    }
}

#[cfg(test)]
mod tests;
