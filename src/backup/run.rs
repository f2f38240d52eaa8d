//! One run: the repository opened or made, a snapshot, old snapshots removed, all of it remembered.

use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::lock::lock;
use super::message::{Message, Summary};
use super::restic::{Call, Ended, Restic};
use super::{
    Attempt, BackupError, BackupName, Definition, Event, Missing, Patience, Record, Success, Tell,
    repository, target,
};
use crate::host::{Host, clock};

/// Files that could not be read and that are named; there may be more.
const NAMED: usize = 100;

/// What a run made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RunReport {
    /// The backup.
    pub name: BackupName,
    /// The repository's address; `the repository of FILE` where it is a secret.
    pub repository: String,
    /// The snapshot.
    pub snapshot: String,
    /// When the run ended, seconds since 1970-01-01T00:00:00Z.
    pub at_secs: i64,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// Files that the snapshot before did not have.
    pub files_new: u64,
    /// Files that differ from the snapshot before.
    pub files_changed: u64,
    /// Files that are as in the snapshot before.
    pub files_unmodified: u64,
    /// How much was looked at, in bytes.
    pub processed_bytes: u64,
    /// How much was written to the repository, in bytes.
    pub added_bytes: u64,
    /// What could not be read, at most 100 entries; how many there are is `unread_count`.
    pub unread: Vec<Unread>,
    /// How much could not be read.
    pub unread_count: u64,
    /// Paths of the definition that are not there.
    pub absent: Vec<String>,
    /// How many old snapshots were removed.
    pub removed: u64,
    /// How many snapshots of this backup there are now; `null` if old ones are not removed.
    pub snapshots: Option<u64>,
    /// How big the repository is, in bytes; `null` if that could not be found out.
    pub repository_bytes: Option<u64>,
}

/// Something that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unread {
    /// Its path.
    pub path: String,
    /// Why.
    pub reason: String,
}

impl RunReport {
    /// Whether all that is there is in the snapshot.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.unread_count == 0 && self.absent.is_empty()
    }
}

/// Makes a snapshot and removes old ones. How it ended is remembered for [`look`](super::look).
///
/// # Errors
/// [`BackupError`]. If only the removal of old snapshots fails, the snapshot is there and remembered nevertheless.
pub fn run(
    host: &Host,
    backup: &Definition,
    patience: Patience,
    missing: Missing,
    tell: Tell<'_>,
) -> Result<RunReport, BackupError> {
    let _lock = lock(host, backup, patience, tell)?;
    let mut record = Record::load(host, &backup.name)?;
    match in_lock(host, backup, missing, tell, &mut record) {
        Ok(report) => {
            record.failure = None;
            record.save(host, &backup.name)?;
            Ok(report)
        }
        Err(error) => {
            record.failure = Some(Attempt {
                at_secs: clock::now_secs(),
                reason: error.to_string(),
            });
            record.save(host, &backup.name)?;
            Err(error)
        }
    }
}

fn in_lock(
    host: &Host,
    backup: &Definition,
    missing: Missing,
    tell: Tell<'_>,
    record: &mut Record,
) -> Result<RunReport, BackupError> {
    let began = Instant::now();
    repository::open(host, backup, missing, tell)?;
    let restic = Restic::new(host, backup);
    // Only locks of processes that are gone, as after a power cut; nobody of this host holds one while we have ours.
    restic.answer(&Call::new("unlock"))?;
    tell(&Event::Doing("backing up"));
    let mut report = snapshot(host, backup, began, tell)?;
    record.repository = Some(backup.shown_repository());
    record.success = Some(success_of(&report));
    if let Some((removed, kept)) = forget(restic, backup, tell)? {
        report.removed = removed;
        report.snapshots = Some(kept);
    }
    report.repository_bytes = size(restic);
    report.took_ms = millis(began.elapsed());
    report.at_secs = clock::now_secs();
    record.success = Some(success_of(&report));
    Ok(report)
}

/// Makes the snapshot.
fn snapshot(
    host: &Host,
    backup: &Definition,
    began: Instant,
    tell: Tell<'_>,
) -> Result<RunReport, BackupError> {
    let restic = Restic::new(host, backup);
    let (mut present, mut absent) = (Vec::new(), Vec::new());
    for path in &backup.paths {
        let real = restic.real(path);
        if target::is_there(real.as_ref())? {
            present.push(real);
        } else {
            absent.push(path.to_string());
        }
    }
    if present.is_empty() {
        return Err(BackupError::NothingThere { paths: absent });
    }
    let mut unread = Vec::new();
    let mut unread_count = 0;
    let ended = restic.run(
        &call(restic, backup, present),
        &mut |message| match message {
            Message::Progress(progress) => tell(&Event::Progress(progress)),
            // What was removed while it was backed up is not missed.
            Message::Unread(gone) if has_vanished(&gone) => {}
            Message::Unread(one) => {
                tell(&Event::Unread(one.clone()));
                unread_count += 1;
                if unread.len() < NAMED {
                    unread.push(one);
                }
            }
            _ => {}
        },
    )?;
    let Ended { summary, said, .. } = ended;
    let summary = summary.unwrap_or_default();
    let Some(id) = summary.snapshot_id.clone() else {
        return Err(BackupError::Failed {
            verb: "backup".to_owned(),
            repository: backup.shown_repository(),
            said: said.join("\n"),
        });
    };
    Ok(RunReport {
        unread,
        unread_count,
        absent,
        took_ms: millis(began.elapsed()),
        ..begun(backup, id, &summary)
    })
}

fn begun(backup: &Definition, snapshot: String, summary: &Summary) -> RunReport {
    RunReport {
        name: backup.name.clone(),
        repository: backup.shown_repository(),
        snapshot,
        at_secs: clock::now_secs(),
        took_ms: 0,
        files_new: summary.files_new,
        files_changed: summary.files_changed,
        files_unmodified: summary.files_unmodified,
        processed_bytes: summary.total_bytes_processed,
        added_bytes: summary.data_added_packed.unwrap_or(summary.data_added),
        unread: Vec::new(),
        unread_count: 0,
        absent: Vec::new(),
        removed: 0,
        snapshots: None,
        repository_bytes: None,
    }
}

/// The call that makes the snapshot.
fn call(restic: Restic<'_>, backup: &Definition, paths: Vec<String>) -> Call {
    let mut call = Call::new("backup")
        .arg(format!("--host={}", backup.host))
        .arg(format!("--tag={}", backup.name))
        .arg("--exclude-caches");
    // A repository below what is backed up would swallow itself.
    let own = backup.directory().map(|directory| restic.real(&directory));
    let excluded = backup.exclude.iter().map(|pattern| restic.below(pattern));
    for pattern in excluded.chain(own) {
        call = call.arg(format!("--exclude={pattern}"));
    }
    if backup.one_file_system {
        call = call.arg("--one-file-system");
    }
    call.args(backup.backup_options.iter().cloned())
        .arg("--")
        .args(paths)
}

fn has_vanished(unread: &Unread) -> bool {
    unread
        .reason
        .to_ascii_lowercase()
        .contains("no such file or directory")
}

/// Removes old snapshots: how many went, how many stay. `None` if all are to stay.
fn forget(
    restic: Restic<'_>,
    backup: &Definition,
    tell: Tell<'_>,
) -> Result<Option<(u64, u64)>, BackupError> {
    let keep = backup.keep.options();
    if keep.is_empty() {
        return Ok(None);
    }
    tell(&Event::Doing("removing old snapshots"));
    // By tag, not by paths: else a path that is added would keep everything from before for ever.
    let call = Call::new("forget")
        .arg(format!("--host={}", backup.host))
        .arg(format!("--tag={}", backup.name))
        .arg("--group-by=host")
        .arg("--prune")
        .args(keep);
    let answer = restic.answer(&call)?;
    let groups = answer.lines().find(|line| line.starts_with('['));
    let groups: Vec<Group> =
        serde_json::from_str(groups.unwrap_or("[]")).map_err(|source| BackupError::Answer {
            verb: "forget".to_owned(),
            source,
        })?;
    let count = |of: fn(&Group) -> usize| groups.iter().map(of).sum::<usize>() as u64;
    Ok(Some((
        count(|group| group.remove.as_ref().map_or(0, Vec::len)),
        count(|group| group.keep.as_ref().map_or(0, Vec::len)),
    )))
}

/// Of `restic forget --json`; what would be an empty list is null.
#[derive(Deserialize)]
struct Group {
    keep: Option<Vec<serde::de::IgnoredAny>>,
    remove: Option<Vec<serde::de::IgnoredAny>>,
}

/// How big the repository is; only a figure to look at, so that failing to get it fails nothing.
fn size(restic: Restic<'_>) -> Option<u64> {
    #[derive(Deserialize)]
    struct Stats {
        total_size: u64,
    }
    let call = Call::without_lock("stats").arg("--mode=raw-data");
    match restic.answer(&call) {
        Ok(answer) => serde_json::from_str::<Stats>(answer.trim())
            .map(|stats| stats.total_size)
            .ok(),
        Err(error) => {
            tracing::warn!(error = %error, "the size of the repository is not known");
            None
        }
    }
}

fn success_of(report: &RunReport) -> Success {
    Success {
        at_secs: report.at_secs,
        took_ms: report.took_ms,
        snapshot: report.snapshot.clone(),
        processed_bytes: report.processed_bytes,
        added_bytes: report.added_bytes,
        unread: report.unread_count,
        repository_bytes: report.repository_bytes,
        snapshots: report.snapshots,
    }
}

/// Whole milliseconds.
pub(super) fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
