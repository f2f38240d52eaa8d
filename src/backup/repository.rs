//! Opening a repository, and making it the first time.

use super::restic::{Call, Restic};
use super::snapshots::short;
use super::target::{self, Found};
use super::{BackupError, Definition, Event, Record, Tell};
use crate::host::{FileMode, Host, durable};

/// What to do about a repository that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// Make it if there never was one.
    MakeFirst,
    /// Make it, also where one was before.
    MakeAnew,
    /// Fail.
    Fail,
}

/// Makes sure that the repository is there and that the password opens it.
pub(super) fn open(
    host: &Host,
    backup: &Definition,
    missing: Missing,
    tell: Tell<'_>,
) -> Result<(), BackupError> {
    let found = target::look(host, backup)?;
    target::password(host, backup)?;
    let restic = Restic::new(host, backup);
    let absent = match &found {
        Found::Room(_) => BackupError::NoRepository {
            repository: backup.shown_repository(),
        },
        Found::Repository | Found::Elsewhere => {
            match restic.answer(&Call::without_lock("cat").arg("config")) {
                Err(error @ BackupError::NoRepository { .. }) => error,
                answer => return answer.map(drop),
            }
        }
    };
    match missing {
        Missing::Fail => return Err(absent),
        Missing::MakeAnew => {}
        Missing::MakeFirst => never_before(host, backup)?,
    }
    if let Found::Room(directory) = &found {
        durable::make_directories(directory, FileMode::from_bits(0o700))?;
    }
    restic.answer(&Call::new("init"))?;
    tell(&Event::Initialised {
        repository: backup.shown_repository(),
    });
    Ok(())
}

/// Fails if this host has had a repository at this address.
fn never_before(host: &Host, backup: &Definition) -> Result<(), BackupError> {
    let repository = backup.shown_repository();
    let record = Record::load(host, &backup.name)?;
    match record.success {
        Some(success) if record.repository.as_ref() == Some(&repository) => {
            Err(BackupError::Gone {
                repository,
                snapshot: short(&success.snapshot).to_owned(),
            })
        }
        _ => Ok(()),
    }
}
