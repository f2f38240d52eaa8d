//! The parts of a replacement, for whoever replaces many files at once: written beside, synced together, renamed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::host::{FileError, FileMode};

/// A name of our own in the directory of `path`, which nobody has taken.
#[must_use]
pub fn temporary_beside(path: &Path) -> PathBuf {
    path.with_file_name(crate::host::files::temporary_name())
}

/// Writes `content` to the new file `temporary` with the mode and owner of `path`, or with `mode` where `path` is not
/// there. It is on disk after the next [`syncfs`](super::syncfs) only.
///
/// # Errors
/// [`FileError`]; a part of `temporary` may then be there.
pub fn write_beside(
    temporary: &Path,
    path: &Path,
    content: &[u8],
    mode: FileMode,
) -> Result<(), FileError> {
    let failed = |source: io::Error| FileError::io("write", path, source);
    let found = match fs::metadata(path) {
        Ok(found) => Some(found),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(failed(error)),
    };
    let write = || -> io::Result<()> {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(temporary)?;
        file.write_all(content)?;
        let Some(found) = found else {
            return file.set_permissions(fs::Permissions::from_mode(mode.bits()));
        };
        let new = file.metadata()?;
        if (new.uid(), new.gid()) != (found.uid(), found.gid()) {
            std::os::unix::fs::fchown(&file, Some(found.uid()), Some(found.gid()))?;
        }
        file.set_permissions(found.permissions())
    };
    write().map_err(failed)
}

/// Whether `name` is one that [`temporary_beside`] gives.
#[must_use]
pub fn is_temporary(name: &str) -> bool {
    crate::host::files::is_temporary(name)
}

/// Removes the unfinished files in `directory` whose processes are gone: they were killed. What cannot be removed stays,
/// it harms nobody.
pub fn sweep_the_dead(directory: &Path) {
    let Ok(entries) = fs::read_dir(directory) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let process = name.to_str().filter(|name| is_temporary(name));
        let Some(process) = process.and_then(crate::host::files::process_of) else {
            continue;
        };
        let is_gone = !Path::new("/proc").join(process.to_string()).exists();
        if is_gone && let Err(error) = fs::remove_file(entry.path()) {
            tracing::warn!(path = %entry.path().display(), %error, "an unfinished file could not be removed");
        }
    }
}

/// Makes `temporary` the file `path`, in one step. On disk after [`sync_directory`].
///
/// # Errors
/// [`FileError`]; both are then as they were.
pub fn put_in_place(temporary: &Path, path: &Path) -> Result<(), FileError> {
    fs::rename(temporary, path).map_err(|source| FileError::io("replace", path, source))
}

/// Puts the names in `directory` on disk.
///
/// # Errors
/// [`FileError`].
pub fn sync_directory(directory: &Path) -> Result<(), FileError> {
    File::open(directory)
        .and_then(|file| file.sync_all())
        .map_err(|source| FileError::io("sync the directory", directory, source))
}

/// Lets this process hold `count` locks at once, as far as the kernel's limit on open files can be raised. Where it
/// cannot, the lock that is one too many says so.
pub fn allow_locks(count: usize) {
    const SPARE: u64 = 128;
    let limit = getrlimit(Resource::Nofile);
    let wanted = u64::try_from(count)
        .unwrap_or(u64::MAX)
        .saturating_add(SPARE);
    let Some(current) = limit.current else { return };
    if current < wanted {
        let raised = Rlimit {
            current: Some(limit.maximum.map_or(wanted, |most| most.min(wanted))),
            maximum: limit.maximum,
        };
        // Refused is the same as too low: taking the locks shows it.
        let _ = setrlimit(Resource::Nofile, raised);
    }
}

/// Makes `path` a copy of `from` with `mode` and the time of `from`, in one step; on disk when the call returns.
///
/// # Errors
/// [`FileError`]; `path` is then as it was. A copy that would leave the file system less free space than it takes itself
/// is not made.
pub fn copy(mut from: File, path: &Path, mode: FileMode) -> Result<(), FileError> {
    let failed = |source: io::Error| FileError::io("copy to", path, source);
    let found = from.metadata().map_err(failed)?;
    let space = rustix::fs::statvfs(path.parent().unwrap_or(path)).map_err(|e| failed(e.into()))?;
    if space.f_bavail.saturating_mul(space.f_frsize) / 2 < found.len() {
        return Err(failed(io::Error::from(io::ErrorKind::StorageFull)));
    }
    super::replace_by(path, |file| {
        io::copy(&mut from, file)?;
        file.set_permissions(fs::Permissions::from_mode(mode.bits()))?;
        file.set_modified(found.modified()?)
    })
}
