//! The one lock of a state directory, and how it is handed to another process without being let go.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use super::FileError;

/// How often it is looked whether a lock is free.
const GLANCE: Duration = Duration::from_millis(100);

/// An exclusive lock, held until it is dropped or the process ends, however it ends.
///
/// It belongs to the open file, not to the process: who gets a descriptor by [`share`](Self::share) holds it as well.
#[derive(Debug)]
#[must_use = "the lock is released when this is dropped"]
pub struct Lock {
    file: File,
    path: PathBuf,
    owner: Owner,
}

/// Who lets a lock go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    /// This process took it.
    Us,
    /// Somebody handed it over and may go on with it.
    Another,
}

impl Lock {
    /// The lock as a descriptor for another process, which holds it then for as long as it lives, also when this one
    /// dies. Dropping the lock here lets it go for both: not before the other is done with it.
    ///
    /// # Errors
    /// [`FileError`] if this process has no descriptor left.
    pub fn share(&self) -> Result<OwnedFd, FileError> {
        let shared = self.file.try_clone().map(OwnedFd::from);
        shared.map_err(|source| FileError::io("hand over the lock", &self.path, source))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if self.owner == Owner::Us {
            // Closed is released too, but only once whoever it was shared with has closed it as well.
            let _ = self.file.unlock();
        }
    }
}

/// A lock that could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process holds it.
    #[error("{} is held by {}", path.display(), holder(*pid))]
    Held {
        /// The lock file.
        path: PathBuf,
        /// The holder's process id, if the kernel tells.
        pid: Option<u32>,
    },
    /// The lock file cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
}

impl LockError {
    /// How to put it right.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Held { .. } => Some("wait until it is done, then try again".to_owned()),
            Self::File(error) => error.hint(),
        }
    }
}

fn holder(pid: Option<u32>) -> String {
    pid.map_or("another process".to_owned(), |pid| format!("process {pid}"))
}

/// Takes the lock `path`, made if it is not there, without waiting. Nothing is written: a file that is only locked keeps
/// its times, so that doing nothing leaves no trace.
///
/// # Errors
/// [`LockError::Held`] with the holder's process id.
pub fn lock(path: &Path) -> Result<Lock, LockError> {
    let failed = |source: io::Error| FileError::io("lock", path, source);
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(failed)?;
    if !file.metadata().map_err(failed)?.is_file() {
        // What is locked is to be read and replaced, and a pipe would wait for us to write to it.
        return Err(failed(io::Error::other("it is no regular file")).into());
    }
    match file.try_lock() {
        Ok(()) => Ok(Lock {
            file,
            path: path.to_owned(),
            owner: Owner::Us,
        }),
        Err(TryLockError::WouldBlock) => Err(LockError::Held {
            path: path.to_owned(),
            pid: holder_of(&file, "FLOCK"),
        }),
        Err(TryLockError::Error(source)) => Err(failed(source).into()),
    }
}

/// Takes the lock `path` as soon as it is free, but waits no longer than `patience`.
///
/// # Errors
/// [`LockError::Held`] if it was held all the time.
pub fn lock_within(path: &Path, patience: Duration) -> Result<Lock, LockError> {
    let begun = Instant::now();
    loop {
        match lock(path) {
            Err(LockError::Held { .. }) if begun.elapsed() < patience => thread::sleep(GLANCE),
            taken => return taken,
        }
    }
}

/// The lock `path` that another process took and handed over as `descriptor`.
///
/// # Errors
/// [`LockError::File`] if the descriptor is not that file; [`LockError::Held`] if it does not hold the lock.
pub fn inherited_lock(path: &Path, descriptor: OwnedFd) -> Result<Lock, LockError> {
    let failed = |source: io::Error| FileError::io("take over the lock", path, source);
    let file = File::from(descriptor);
    let (ours, named) = (
        file.metadata().map_err(failed)?,
        fs::metadata(path).map_err(failed)?,
    );
    if (ours.dev(), ours.ino()) != (named.dev(), named.ino()) {
        return Err(failed(io::Error::other("the descriptor is another file")).into());
    }
    // It succeeds at once for who holds it: the lock belongs to the open file.
    match file.try_lock() {
        Ok(()) => Ok(Lock {
            file,
            path: path.to_owned(),
            owner: Owner::Another,
        }),
        Err(TryLockError::WouldBlock) => Err(LockError::Held {
            path: path.to_owned(),
            pid: holder_of(&file, "FLOCK"),
        }),
        Err(TryLockError::Error(source)) => Err(failed(source).into()),
    }
}

/// The process that holds a lock of a kind, `FLOCK` or `POSIX`, on `file`, by the kernel's list of locks. Only for the
/// message: a holder that cannot be named is still a holder.
pub(in crate::host) fn holder_of(file: &File, kind: &str) -> Option<u32> {
    let inode = format!(":{}", file.metadata().ok()?.ino());
    let locks = fs::read_to_string("/proc/locks").ok()?;
    locks.lines().find_map(|line| {
        // `1: FLOCK  ADVISORY  WRITE 2693 fe:00:131077 0 EOF`
        let fields: Vec<&str> = line.split_whitespace().collect();
        match fields.as_slice() {
            [_, found, _, _, pid, place, ..] if *found == kind && place.ends_with(&inode) => {
                pid.parse().ok()
            }
            _ => None,
        }
    })
}
