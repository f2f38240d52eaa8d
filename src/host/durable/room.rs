//! Room on a disk: kept for bad times.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::Errno;

use crate::host::{FileError, FileMode};

/// How `stat` counts what a file takes on disk.
const BLOCK_BYTES: u64 = 512;

/// Keeps `bytes` of the disk in the file `path`, made with `mode` if it is not there; [`remove`](super::remove) releases
/// them. A file system that cannot promise room promises none, and that is no error.
///
/// # Errors
/// [`FileError`], as when there is not as much room; nothing is kept then.
pub fn reserve(path: &Path, bytes: u64, mode: FileMode) -> Result<(), FileError> {
    let failed = |source: io::Error| FileError::io("keep room in", path, source);
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(mode.bits())
        .open(path)
        .map_err(failed)?;
    if file.metadata().map_err(failed)?.blocks() * BLOCK_BYTES >= bytes {
        return Ok(());
    }
    match allocate(&file, bytes) {
        Ok(()) | Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => Ok(()),
        Err(errno) => {
            // Half of it would be missing elsewhere.
            let _ = std::fs::remove_file(path);
            Err(failed(errno.into()))
        }
    }
}

/// What the file `path` takes on disk; `None` if it cannot be told or is not there.
#[must_use]
pub fn reserved_bytes(path: &Path) -> Option<u64> {
    Some(std::fs::symlink_metadata(path).ok()?.blocks() * BLOCK_BYTES)
}

fn allocate(file: &File, bytes: u64) -> Result<(), Errno> {
    loop {
        match fallocate(file, FallocateFlags::empty(), 0, bytes) {
            Err(Errno::INTR) => {}
            result => return result,
        }
    }
}
