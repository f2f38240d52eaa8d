//! The file system calls of the store, each with the path in its error.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use super::{PRIVATE_DIRECTORY, PRIVATE_FILE, RECORD_LIMIT_BYTES, StoreError};
use crate::host::durable;

pub(super) fn exists(path: &Path) -> Result<bool, StoreError> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(StoreError::io("look for a file", path, error)),
    }
}

/// The names in a directory; none if it is not there.
pub(super) fn names(path: &Path) -> Result<Vec<String>, StoreError> {
    let failed = |error| StoreError::io("list a directory", path, error);
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        // A name that is not UTF-8 is not one that the store gave.
        if let Ok(name) = entry.map_err(failed)?.file_name().into_string() {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// A whole file; `None` if it is not there.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    durable::read(path, RECORD_LIMIT_BYTES)
        .map_err(|source| StoreError::file("read a file of the store", path, source))
}

/// A whole object; `None` if it is not there. However large: it was in memory when it was written, its hash is checked, and
/// an original that cannot be read could not go back.
pub(super) fn read_object(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    durable::read(path, u64::MAX)
        .map_err(|source| StoreError::file("read an object of the store", path, source))
}

/// Makes a directory and its parents.
pub(super) fn make_directory(path: &Path) -> Result<(), StoreError> {
    DirBuilder::new()
        .recursive(true)
        .mode(PRIVATE_DIRECTORY.bits())
        .create(path)
        .map_err(|error| StoreError::io("make a directory", path, error))
}

/// Writes a file that was not there. Not durable until the file system is synced.
pub(super) fn write_new(path: &Path, content: &[u8]) -> Result<(), StoreError> {
    make(path, content).map_err(|error| StoreError::io("write a file", path, error))
}

/// What making a file came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Created {
    Yes,
    IsThere,
    NoDirectory,
}

/// Writes a file unless something has its name or its directory is missing. Not durable until the file system is synced; a
/// kill may leave a part of it.
pub(super) fn create(path: &Path, content: &[u8]) -> Result<Created, StoreError> {
    match make(path, content) {
        Ok(()) => Ok(Created::Yes),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(Created::IsThere),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Created::NoDirectory),
        Err(error) => Err(StoreError::io("write a file", path, error)),
    }
}

fn make(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(PRIVATE_FILE.bits())
        .open(path)?;
    file.write_all(content).inspect_err(|_| {
        // The first error is the one that counts.
        let _ = fs::remove_file(path);
    })
}

pub(super) fn rename(from: &Path, to: &Path) -> Result<(), StoreError> {
    fs::rename(from, to).map_err(|error| StoreError::io("move a file into place", to, error))
}

pub(super) fn sync_directory(path: &Path) -> Result<(), StoreError> {
    File::open(path)
        .and_then(|directory| directory.sync_all())
        .map_err(|error| StoreError::io("sync a directory", path, error))
}

/// Removes a file; nothing happens if it is not there.
pub(super) fn remove_file(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(StoreError::io("remove a file", path, error))
        }
        _ => Ok(()),
    }
}

/// Removes a directory with all that is in it; nothing happens if it is not there.
pub(super) fn remove_tree(path: &Path) -> Result<(), StoreError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(StoreError::io("remove a directory", path, error))
        }
        _ => Ok(()),
    }
}
