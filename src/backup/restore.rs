//! Bringing files back.

use std::path::{Path, PathBuf};
use std::time::Instant;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::message::Message;
use super::restic::{Call, Restic};
use super::run::millis;
use super::snapshots::find;
use super::{BackupError, Definition, Event, Snapshot, Tell};
use crate::host::{Host, HostPath};

/// Where files go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// Below this directory, each with its whole path; nothing that is there is replaced.
    Below(PathBuf),
    /// Where they were; what is there is replaced.
    InPlace,
}

/// What is to come back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// `latest`, or the beginning of a snapshot's id.
    pub snapshot: String,
    /// Files and directories as they were on the host; all if there are none.
    pub paths: Vec<HostPath>,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RestoreReport {
    /// Format version, 1.
    pub version: u32,
    /// The snapshot it is from.
    pub snapshot: Snapshot,
    /// What was asked for; empty: all of it.
    pub paths: Vec<String>,
    /// The directory it is below; `/` if everything is where it was.
    pub to: PathBuf,
    /// How many files and directories; `null` before restic 0.17.
    pub files: Option<u64>,
    /// How many bytes; `null` before restic 0.17.
    pub bytes: Option<u64>,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

/// Brings `wanted` back from a snapshot.
///
/// # Errors
/// [`BackupError`]; [`BackupError::InTheWay`] and [`BackupError::NotInSnapshot`] before anything is written.
pub fn restore(
    host: &Host,
    backup: &Definition,
    wanted: &Wanted,
    destination: &Destination,
    tell: Tell<'_>,
) -> Result<RestoreReport, BackupError> {
    let began = Instant::now();
    let snapshot = find(host, backup, &wanted.snapshot)?;
    let restic = Restic::new(host, backup);
    let paths: Vec<String> = wanted.paths.iter().map(|path| restic.real(path)).collect();
    let sought = if paths.is_empty() {
        snapshot.paths.clone()
    } else {
        paths.clone()
    };
    let to = match destination {
        Destination::InPlace => PathBuf::from("/"),
        Destination::Below(directory) => {
            for path in &sought {
                keep_out_of_the_way(directory, path)?;
            }
            directory.clone()
        }
    };
    tell(&Event::Doing("looking into the snapshot"));
    for path in &paths {
        contains(restic, &snapshot, path)?;
    }
    tell(&Event::Doing("restoring"));
    let call = Call::new("restore")
        .arg(&snapshot.id)
        .arg(format!("--target={}", to.display()))
        .args(
            paths
                .iter()
                .map(|path| format!("--include={}", literal(path))),
        );
    let ended = restic.run(&call, &mut |message| match message {
        Message::Progress(progress) => tell(&Event::Progress(progress)),
        Message::Unread(one) => tell(&Event::Unread(one)),
        _ => {}
    })?;
    let summary = ended.summary.unwrap_or_default();
    Ok(RestoreReport {
        version: 1,
        snapshot,
        paths: wanted.paths.iter().map(ToString::to_string).collect(),
        to,
        files: summary.files_restored,
        bytes: summary.bytes_restored,
        took_ms: millis(began.elapsed()),
    })
}

/// Fails if something is where `path` would go.
fn keep_out_of_the_way(directory: &Path, path: &str) -> Result<(), BackupError> {
    let place = directory.join(path.trim_start_matches('/'));
    if place.symlink_metadata().is_ok() {
        return Err(BackupError::InTheWay { path: place });
    }
    Ok(())
}

/// Makes sure that `path` is in `snapshot`: restic brings back nothing, and says nothing, if it is not.
fn contains(restic: Restic<'_>, snapshot: &Snapshot, path: &str) -> Result<(), BackupError> {
    #[derive(Deserialize)]
    struct Node {
        path: Option<String>,
    }
    let mut found = false;
    let call = Call::without_lock("ls").arg(&snapshot.id).arg(path);
    restic.run(&call, &mut |message| {
        if let Message::Text(line) = message
            && let Ok(node) = serde_json::from_str::<Node>(&line)
        {
            found |= node.path.as_deref() == Some(path);
        }
    })?;
    if found {
        return Ok(());
    }
    Err(BackupError::NotInSnapshot {
        path: path.to_owned(),
        snapshot: snapshot.short().to_owned(),
    })
}

/// A pattern of restic that only `path` fits.
fn literal(path: &str) -> String {
    let mut pattern = String::new();
    for character in path.chars() {
        if "*?[]\\".contains(character) {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_no_pattern() {
        assert_eq!(literal("/home/a/[x] *.txt"), "/home/a/\\[x\\] \\*.txt");
    }

    #[test]
    fn what_is_there_is_in_the_way() {
        let directory = tempfile::tempdir().unwrap();
        keep_out_of_the_way(directory.path(), "/home/a").unwrap();
        std::fs::create_dir_all(directory.path().join("home/a")).unwrap();
        assert!(keep_out_of_the_way(directory.path(), "/home/a").is_err());
        assert!(keep_out_of_the_way(directory.path(), "/home").is_err());
    }
}
