//! Whether there is room left to work, and to go back.

use std::path::{Path, PathBuf};

use crate::host::room_in;

/// Less than this and a log in, a journal or a way back can fail.
const LEAST_BYTES: u64 = 32 << 20;

/// Asks for the file systems of `/` and of each of `directories`.
pub(in crate::health) fn ask(directories: &[PathBuf]) -> Result<(), String> {
    let root = Path::new("/");
    for path in std::iter::once(root).chain(directories.iter().map(PathBuf::as_path)) {
        let free = room_in(path).map_err(|error| error.to_string())?.bytes;
        if free < LEAST_BYTES {
            return Err(format!(
                "{} has {} MiB left, and needs {}",
                path.display(),
                free >> 20,
                LEAST_BYTES >> 20
            ));
        }
    }
    Ok(())
}
