//! How a backup stands: what is remembered of it, and what systemd says. The repository is not asked.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Attempt, BackupError, BackupName, Checked, Definition, Record, Success};
use crate::host::Host;

/// What systemd says about a backup.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Schedule {
    /// Whether its service runs.
    pub running: bool,
    /// When its timer goes off next, seconds since 1970-01-01T00:00:00Z.
    pub next_secs: Option<i64>,
}

/// How a backup stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct BackupStatus {
    /// The backup.
    pub name: BackupName,
    /// The repository's address; `the repository of FILE` where it is a secret.
    pub repository: String,
    /// What is backed up.
    pub paths: Vec<String>,
    /// The last run that made a snapshot; `null` if there was none.
    pub success: Option<Success>,
    /// The last run, if it failed.
    pub failure: Option<Attempt>,
    /// The last check; `null` if there was none.
    pub check: Option<Checked>,
    /// Whether the scheduled service runs at this moment.
    pub running: bool,
    /// When it runs next, seconds since 1970-01-01T00:00:00Z; `null` if it is not scheduled.
    pub next_secs: Option<i64>,
    /// How old the newest snapshot may be, in seconds.
    pub overdue_after_secs: u64,
    /// Whether it is older, or there is none.
    pub overdue: bool,
}

impl BackupStatus {
    /// Whether nobody need look after it.
    #[must_use]
    pub fn is_well(&self) -> bool {
        let sound = self.check.as_ref().is_none_or(|check| check.sound);
        !self.overdue && self.failure.is_none() && sound
    }
}

/// How `backup` stands at `now_secs`.
///
/// # Errors
/// [`BackupError`] if what is remembered cannot be read.
pub fn look(
    host: &Host,
    backup: &Definition,
    schedule: Schedule,
    now_secs: i64,
) -> Result<BackupStatus, BackupError> {
    let record = Record::load(host, &backup.name)?;
    Ok(status(backup, record, schedule, now_secs))
}

fn status(backup: &Definition, record: Record, schedule: Schedule, now_secs: i64) -> BackupStatus {
    let repository = backup.shown_repository();
    // What is remembered of another repository says nothing about this one.
    let record = match &record.repository {
        Some(known) if *known != repository => Record {
            success: None,
            check: None,
            ..record
        },
        _ => record,
    };
    let overdue_after_secs = backup.overdue_after.as_secs();
    let overdue = record.success.as_ref().is_none_or(|success| {
        let age = now_secs.saturating_sub(success.at_secs);
        u64::try_from(age).unwrap_or(0) > overdue_after_secs
    });
    BackupStatus {
        name: backup.name.clone(),
        repository,
        paths: backup.paths.iter().map(ToString::to_string).collect(),
        success: record.success,
        failure: record.failure,
        check: record.check,
        running: schedule.running,
        next_secs: schedule.next_secs,
        overdue_after_secs,
        overdue,
    }
}

#[cfg(test)]
mod tests {
    use super::super::definition::tests::HOME;
    use super::*;

    const DONE: i64 = 1_772_366_400;

    fn record() -> Record {
        let mut record = Record::empty();
        record.repository = Some("/srv/backup/chicago-restic-repo".to_owned());
        record.success = Some(Success {
            at_secs: DONE,
            took_ms: 2_000,
            snapshot: "626831aa".to_owned(),
            processed_bytes: 3,
            added_bytes: 2,
            unread: 0,
            repository_bytes: Some(4),
            snapshots: Some(1),
        });
        record
    }

    #[test]
    fn a_backup_is_overdue_when_its_newest_snapshot_is_too_old_or_there_is_none() {
        let home: Definition = serde_yaml::from_str(HOME).unwrap();
        let hours = 26 * 3600;
        let schedule = Schedule::default();
        let at = |record: Record, now| status(&home, record, schedule, now);
        assert!(at(record(), DONE + hours).is_well());
        assert!(at(record(), DONE + hours + 1).overdue);
        assert!(at(Record::empty(), DONE).overdue);
        // A clock that went back is no reason.
        assert!(!at(record(), DONE - 5).overdue);
        let moved = Definition {
            repository: Some("/elsewhere".to_owned()),
            ..home.clone()
        };
        let moved = status(&moved, record(), schedule, DONE);
        assert!(moved.overdue && moved.success.is_none());
    }

    #[test]
    fn a_failed_run_and_a_damaged_repository_are_not_well() {
        let home: Definition = serde_yaml::from_str(HOME).unwrap();
        let mut failed = record();
        failed.failure = Some(Attempt {
            at_secs: DONE + 5,
            reason: "/srv/backup is not mounted".to_owned(),
        });
        let mut damaged = record();
        damaged.check = Some(Checked {
            at_secs: DONE + 5,
            sound: false,
            read: None,
        });
        for record in [failed, damaged] {
            assert!(!status(&home, record, Schedule::default(), DONE).is_well());
        }
    }
}
