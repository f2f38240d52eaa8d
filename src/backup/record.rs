//! What is remembered of a backup between two runs: `/var/lib/steadfast/backups/NAME.json`.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::lock::state_dir;
use super::{BackupError, BackupName};
use crate::host::{FileMode, Host, durable};

/// The version of the file that this build writes.
const VERSION: u32 = 1;
const LIMIT_BYTES: u64 = 1024 * 1024;

/// What is remembered of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Format version, 1.
    pub(super) version: u32,
    /// The repository that the rest is about, as its address is shown.
    #[serde(default)]
    pub repository: Option<String>,
    /// The last run that made a snapshot.
    #[serde(default)]
    pub success: Option<Success>,
    /// The last run, if it failed.
    #[serde(default)]
    pub failure: Option<Attempt>,
    /// The last check.
    #[serde(default)]
    pub check: Option<Checked>,
}

/// A run that made a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Success {
    /// When it ended, seconds since 1970-01-01T00:00:00Z.
    pub at_secs: i64,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// The snapshot, its whole id or the beginning of it.
    pub snapshot: String,
    /// How much was backed up, in bytes.
    pub processed_bytes: u64,
    /// How much was added to the repository, in bytes.
    pub added_bytes: u64,
    /// How many files could not be read.
    pub unread: u64,
    /// How big the repository is, in bytes; `null` if that could not be found out.
    pub repository_bytes: Option<u64>,
    /// How many snapshots of this backup are kept; `null` if all are.
    pub snapshots: Option<u64>,
}

/// A run that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Attempt {
    /// When it ended, seconds since 1970-01-01T00:00:00Z.
    pub at_secs: i64,
    /// Why it failed.
    pub reason: String,
}

/// A check of the repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Checked {
    /// When it ended, seconds since 1970-01-01T00:00:00Z.
    pub at_secs: i64,
    /// Whether nothing was wrong.
    pub sound: bool,
    /// The part of the data that was read, as `--read-data-subset` says it; `null` if only its structure was looked at.
    pub read: Option<String>,
}

impl Record {
    /// What is remembered of `name`; nothing if it never ran.
    pub(super) fn load(host: &Host, name: &BackupName) -> Result<Self, BackupError> {
        let path = path_of(host, name);
        let damaged = |source| BackupError::Record {
            path: path.clone(),
            source,
        };
        match durable::read(&path, LIMIT_BYTES)? {
            None => Ok(Self::empty()),
            Some(content) => serde_json::from_slice(&content).map_err(damaged),
        }
    }

    /// Remembers it.
    pub(super) fn save(&self, host: &Host, name: &BackupName) -> Result<(), BackupError> {
        let path = path_of(host, name);
        let mut content =
            serde_json::to_vec_pretty(self).map_err(|source| BackupError::Record {
                path: path.clone(),
                source,
            })?;
        content.push(b'\n');
        durable::make_directories(&state_dir(host), FileMode::from_bits(0o700))?;
        Ok(durable::replace(
            &path,
            &content,
            FileMode::from_bits(0o600),
        )?)
    }

    /// What is remembered before anything happened.
    pub(super) fn empty() -> Self {
        Self {
            version: VERSION,
            repository: None,
            success: None,
            failure: None,
            check: None,
        }
    }
}

fn path_of(host: &Host, name: &BackupName) -> PathBuf {
    state_dir(host).join(format!("{name}.json"))
}
