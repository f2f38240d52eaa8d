//! One process at a time works with a repository.

use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use super::{BackupError, Definition, Event, Tell};
use crate::host::durable::{self, Lock, LockError};
use crate::host::{Digest, FileMode, Host};

/// How often a lock that is held is tried again.
const GLANCE: Duration = Duration::from_secs(1);
const PRIVATE: FileMode = FileMode::from_bits(0o700);

/// What to do while another process works with the repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// Wait, for as long as it takes.
    Wait,
    /// Fail.
    None,
}

/// Where records and locks are.
pub(super) fn state_dir(host: &Host) -> PathBuf {
    host.root().join("var/lib/steadfast/backups")
}

/// Keeps other processes of this host from the repository of `backup` until the lock is dropped: several backups may have
/// one repository, and removing old snapshots needs it alone.
pub(super) fn lock(
    host: &Host,
    backup: &Definition,
    patience: Patience,
    tell: Tell<'_>,
) -> Result<Lock, BackupError> {
    let directory = state_dir(host);
    durable::make_directories(&directory, PRIVATE)?;
    let digest = Digest::of(backup.shown_repository().as_bytes());
    let path = directory.join(format!("{}.lock", &digest.as_str()[..16]));
    let mut told = false;
    loop {
        match durable::lock(&path) {
            Ok(lock) => return Ok(lock),
            Err(LockError::Held { .. }) if patience == Patience::Wait => {
                if !told {
                    tell(&Event::Waiting);
                    told = true;
                }
                thread::sleep(GLANCE);
            }
            Err(LockError::Held { pid, .. }) => {
                return Err(BackupError::Busy {
                    repository: backup.shown_repository(),
                    service: backup.service.clone(),
                    pid,
                });
            }
            Err(LockError::File(error)) => return Err(error.into()),
        }
    }
}
