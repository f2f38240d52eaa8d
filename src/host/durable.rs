//! Our own state files: replaced whole, on disk when the call returns. Not for managed files; those go through `Host`.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use super::{FileError, FileMode};

mod beside;
mod locking;
mod reading;
mod room;

pub use beside::{
    allow_locks, copy, is_temporary, put_in_place, sweep_the_dead, sync_directory,
    temporary_beside, write_beside,
};
pub(super) use locking::holder_of;
pub use locking::{Lock, LockError, inherited_lock, lock, lock_within};
pub use reading::read;
pub use room::{reserve, reserved_bytes};

/// Replaces `path` by `content` with `mode`: after a power cut it holds the old content or the new, never a part.
///
/// # Errors
/// [`FileError`] names the step that failed; `path` is then as it was.
pub fn replace(path: &Path, content: &[u8], mode: FileMode) -> Result<(), FileError> {
    replace_dressed(path, content, |file| {
        file.set_permissions(fs::Permissions::from_mode(mode.bits()))
    })
}

/// Replaces `path` as [`replace`] does, keeping the mode and the owner of the file that is there; `mode` is for a new one.
///
/// # Errors
/// [`FileError`]; `path` is then as it was. So it is when the owner cannot be kept, because somebody else's file is
/// edited without privilege.
pub fn replace_keeping(path: &Path, content: &[u8], mode: FileMode) -> Result<(), FileError> {
    use std::os::unix::fs::MetadataExt;
    let failed = |source: io::Error| FileError::io("write", path, source);
    let found = match fs::metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return replace(path, content, mode);
        }
        Err(error) => return Err(failed(error)),
    };
    replace_dressed(path, content, |file| {
        let new = file.metadata()?;
        if (new.uid(), new.gid()) != (found.uid(), found.gid()) {
            std::os::unix::fs::fchown(file, Some(found.uid()), Some(found.gid()))?;
        }
        file.set_permissions(found.permissions())
    })
}

/// Whether `path` could be replaced: its directory, or the nearest one above that is there, takes new files.
///
/// To be asked before a person begins to type. Nothing is written; it may still fail later, as on a full disk.
///
/// # Errors
/// [`FileError`] with the kernel's refusal, such as a read-only file system.
pub fn check_replaceable(path: &Path) -> Result<(), FileError> {
    let above = path.ancestors().skip(1).map(|above| match above {
        above if above.as_os_str().is_empty() => Path::new("."),
        above => above,
    });
    for directory in above {
        match rustix::fs::access(directory, rustix::fs::Access::WRITE_OK) {
            Ok(()) => return Ok(()),
            Err(rustix::io::Errno::NOENT) => {}
            Err(errno) => {
                return Err(FileError::io(
                    "make files in",
                    directory,
                    io::Error::from(errno),
                ));
            }
        }
    }
    Ok(())
}

/// Writes `content` beside `path`, readable for nobody else until `dress` has given it owner and mode, then renames.
fn replace_dressed(
    path: &Path,
    content: &[u8],
    dress: impl FnOnce(&File) -> io::Result<()>,
) -> Result<(), FileError> {
    replace_by(path, |file| {
        file.write_all(content)?;
        dress(file)
    })
}

/// Lets `put` make a file beside `path`, readable for nobody else until it says so, then renames.
fn replace_by(path: &Path, put: impl FnOnce(&mut File) -> io::Result<()>) -> Result<(), FileError> {
    let failed = |source: io::Error| FileError::io("write", path, source);
    let temporary = temporary_beside(path);
    let written = (|| {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&temporary)?;
        put(&mut file)?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    })();
    finish(written, &temporary).map_err(failed)?;
    sync_parent(path).map_err(failed)
}

/// Makes `path` a symbolic link to `target`, replacing a link that is there in one step.
///
/// # Errors
/// [`FileError`]; `path` is then as it was.
pub fn replace_link(path: &Path, target: &Path) -> Result<(), FileError> {
    let failed = |source: io::Error| FileError::io("link", path, source);
    let temporary = temporary_beside(path);
    let written =
        std::os::unix::fs::symlink(target, &temporary).and_then(|()| fs::rename(&temporary, path));
    finish(written, &temporary).map_err(failed)?;
    sync_parent(path).map_err(failed)
}

/// Adds `content` to the end of `path`, made with `mode` if it is not there; on disk when the call returns.
///
/// # Errors
/// [`FileError`]; a part of `content` may then be at the end of the file.
pub fn append(path: &Path, content: &[u8], mode: FileMode) -> Result<(), FileError> {
    let failed = |source: io::Error| FileError::io("append to", path, source);
    let is_new = !fs::exists(path).map_err(failed)?;
    let mut file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(mode.bits())
        .open(path)
        .map_err(failed)?;
    file.write_all(content).map_err(failed)?;
    file.sync_data().map_err(failed)?;
    if is_new {
        sync_parent(path).map_err(failed)?;
    }
    Ok(())
}

/// Makes the directory `path` with all its parents; those made get `mode`, those there keep theirs.
///
/// # Errors
/// [`FileError`].
pub fn make_directories(path: &Path, mode: FileMode) -> Result<(), FileError> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(mode.bits())
        .create(path)
        .map_err(|source| FileError::io("make the directory", path, source))
}

/// Removes the file or link `path`; nothing happens if it is not there.
///
/// # Errors
/// [`FileError`].
pub fn remove(path: &Path) -> Result<(), FileError> {
    let failed = |source: io::Error| FileError::io("remove", path, source);
    match fs::remove_file(path) {
        Ok(()) => sync_parent(path).map_err(failed),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(failed(error)),
    }
}

/// Puts everything written so far to the file system that holds `path` on disk.
///
/// # Errors
/// [`FileError`].
pub fn syncfs(path: &Path) -> Result<(), FileError> {
    let failed = |source: io::Error| FileError::io("sync the file system of", path, source);
    let file = File::open(path).map_err(failed)?;
    rustix::fs::syncfs(&file).map_err(|errno| failed(errno.into()))
}

/// Takes the temporary file away again if it did not become the real one.
fn finish(written: io::Result<()>, temporary: &Path) -> io::Result<()> {
    if written.is_err() {
        // It may never have been made; the first error is the one that counts.
        let _ = fs::remove_file(temporary);
    }
    written
}

fn sync_parent(path: &Path) -> io::Result<()> {
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    File::open(parent)?.sync_all()
}

#[cfg(test)]
mod tests;
