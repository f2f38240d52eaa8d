//! A place for content that is looked at before it is put where it belongs.

use std::fs;
use std::path::{Path, PathBuf};

use super::{FileError, FileMode, durable};

/// A directory that only its owner can enter; it goes with everything in it when it is dropped.
#[derive(Debug)]
pub struct Staging {
    path: PathBuf,
}

impl Staging {
    /// Makes the directory at `path`, without anything that a killed process left there.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn new(path: PathBuf) -> Result<Self, FileError> {
        clear(&path)?;
        durable::make_directories(&path, FileMode::from_bits(0o700))?;
        Ok(Self { path })
    }

    /// The directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes `content` to `below`, a relative path, and gives back where that is.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn put(&self, below: &str, content: &[u8]) -> Result<PathBuf, FileError> {
        let path = self.path.join(below);
        let failed = |source| FileError::io("write", &path, source);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(failed)?;
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "nothing is replaced: the directory is new"
        )]
        fs::write(&path, content).map_err(failed)?;
        Ok(path)
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if let Err(error) = clear(&self.path) {
            // What is left is cleared by the next one.
            tracing::warn!(%error, "staged content could not be removed");
        }
    }
}

fn clear(path: &Path) -> Result<(), FileError> {
    match fs::remove_dir_all(path) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(FileError::io("remove", path, source))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test's own temporary file")]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn staged_content_is_the_owners_alone_and_goes_with_the_staging() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("staging");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("left-behind"), "x").unwrap();
        let staging = Staging::new(path.clone()).unwrap();
        let file = staging.put("a/b.conf", b"content").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"content");
        assert!(!path.join("left-behind").exists());
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        drop(staging);
        assert!(!path.exists());
    }
}
