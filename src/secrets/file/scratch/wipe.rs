//! Overwriting and removing what must not stay.

use std::fs::OpenOptions;
use std::io::{self, Seek as _, Write as _};
use std::path::Path;

/// Overwrites every file below `directory` with zeros and removes everything.
///
/// Best effort, for destructors and signals: there is nobody left to tell.
pub(in crate::secrets::file) fn wipe(directory: &Path) {
    for entry in walkdir::WalkDir::new(directory).contents_first(true) {
        let Ok(entry) = entry else { continue };
        if entry.file_type().is_file() {
            let _ = overwrite(entry.path());
        }
        let _ = if entry.file_type().is_dir() {
            std::fs::remove_dir(entry.path())
        } else {
            std::fs::remove_file(entry.path())
        };
    }
}

fn overwrite(path: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).open(path)?;
    let mut left = file.metadata()?.len();
    file.rewind()?;
    let zeros = [0; 4096];
    while left > 0 {
        let count = usize::try_from(left).unwrap_or(usize::MAX).min(zeros.len());
        file.write_all(&zeros[..count])?;
        left -= count as u64;
    }
    Ok(())
}
