//! What is in a repository.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::restic::{Call, Restic};
use super::{BackupError, Definition, Missing, repository};
use crate::host::Host;

/// Characters of an id that are shown.
const SHORT: usize = 8;

/// Which snapshots are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Those of this backup.
    Own,
    /// All in the repository, of other hosts and backups too.
    All,
}

/// A snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Snapshot {
    /// Its whole id.
    pub id: String,
    /// When it was made, seconds since 1970-01-01T00:00:00Z.
    pub at_secs: i64,
    /// The host it is of.
    pub host: String,
    /// Its tags; the name of the backup is one.
    pub tags: Vec<String>,
    /// What was backed up.
    pub paths: Vec<String>,
    /// How much that was, in bytes; `null` if a restic before 0.17 made it.
    pub bytes: Option<u64>,
}

impl Snapshot {
    /// The beginning of its id, as restic shows it.
    #[must_use]
    pub fn short(&self) -> &str {
        short(&self.id)
    }
}

/// The beginning of a snapshot's id, as restic shows it.
#[must_use]
pub fn short(id: &str) -> &str {
    id.get(..SHORT).unwrap_or(id)
}

/// As restic says it.
#[derive(Deserialize)]
struct Written {
    time: Timestamp,
    #[serde(default)]
    hostname: String,
    #[serde(default)]
    tags: Option<Vec<String>>,
    #[serde(default)]
    paths: Option<Vec<String>>,
    id: String,
    #[serde(default)]
    summary: Option<WrittenSummary>,
}

#[derive(Deserialize)]
struct WrittenSummary {
    #[serde(default)]
    total_bytes_processed: Option<u64>,
}

impl From<Written> for Snapshot {
    fn from(written: Written) -> Self {
        Self {
            id: written.id,
            at_secs: written.time.as_second(),
            host: written.hostname,
            tags: written.tags.unwrap_or_default(),
            paths: written.paths.unwrap_or_default(),
            bytes: written
                .summary
                .and_then(|summary| summary.total_bytes_processed),
        }
    }
}

/// The snapshots of `backup`, or all of its repository, the oldest first.
///
/// # Errors
/// [`BackupError`].
pub fn snapshots(
    host: &Host,
    backup: &Definition,
    which: Which,
) -> Result<Vec<Snapshot>, BackupError> {
    repository::open(host, backup, Missing::Fail, &|_| {})?;
    let mut call = Call::without_lock("snapshots");
    if which == Which::Own {
        call = call
            .arg(format!("--host={}", backup.host))
            .arg(format!("--tag={}", backup.name));
    }
    let answer = Restic::new(host, backup).answer(&call)?;
    parse(&answer)
}

fn parse(answer: &str) -> Result<Vec<Snapshot>, BackupError> {
    let written: Option<Vec<Written>> =
        serde_json::from_str(answer.trim()).map_err(|source| BackupError::Answer {
            verb: "snapshots".to_owned(),
            source,
        })?;
    let mut snapshots: Vec<Snapshot> = written
        .unwrap_or_default()
        .into_iter()
        .map(Snapshot::from)
        .collect();
    snapshots.sort_by_key(|snapshot| snapshot.at_secs);
    Ok(snapshots)
}

/// The snapshot that is called `wanted`: `latest`, or the beginning of an id, of other hosts and backups too.
pub(super) fn find(
    host: &Host,
    backup: &Definition,
    wanted: &str,
) -> Result<Snapshot, BackupError> {
    let which = if wanted == "latest" {
        Which::Own
    } else {
        Which::All
    };
    let mut known = snapshots(host, backup, which)?;
    if wanted != "latest" {
        known.retain(|snapshot| wanted.len() >= 4 && snapshot.id.starts_with(wanted));
    }
    known.pop().ok_or_else(|| BackupError::NoSnapshot {
        wanted: wanted.to_owned(),
        repository: backup.shown_repository(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snapshots_of_old_and_new_versions_are_read_and_sorted() {
        let answer = r#"[{"time":"2026-11-23T12:11:34.626320298+01:00","parent":"87969bb2","tree":"6f83fb72","paths":["/home","/etc"],"hostname":"chicago","username":"root","tags":["home"],"program_version":"restic 0.18.0","summary":{"backup_start":"2026-11-23T12:11:34Z","files_new":0,"total_bytes_processed":3000003},"id":"05bef22c0fe1b98df6573a994d6d97568f78aae2c005f365c0443eaab751b615","short_id":"05bef22c"},{"time":"2026-11-22T01:00:00Z","tree":"b8ce73f7","paths":["/home"],"hostname":"vm","username":"root","id":"626831aad6587c8c470001e3102c487427312045bbd5d10fb5abfce943a182d1","short_id":"626831aa"}]"#;
        let snapshots = parse(answer).unwrap();
        assert_eq!(snapshots[0].short(), "626831aa");
        assert_eq!((snapshots[0].bytes, snapshots[0].tags.len()), (None, 0));
        let newer = &snapshots[1];
        assert_eq!(newer.at_secs, 1_795_432_294);
        assert_eq!(newer.paths, ["/home", "/etc"]);
        assert_eq!(newer.bytes, Some(3_000_003));
        for none in ["null", "[]"] {
            assert_eq!(parse(none).unwrap(), []);
        }
        assert!(matches!(parse("loading"), Err(BackupError::Answer { .. })));
    }
}
