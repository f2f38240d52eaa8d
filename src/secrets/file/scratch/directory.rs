//! A place for plaintext that never reaches a disk: memory-backed, private, wiped and removed whatever happens.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use zeroize::Zeroizing;

use super::wipe::wipe;
use crate::identity::Plaintext;

/// An edited file that is larger than this was not meant.
const LARGEST_BYTES: u64 = 16 * 1024 * 1024;

/// A private directory in memory with one file of plaintext in it. Wiped and removed on drop.
pub(in crate::secrets::file) struct Scratch {
    directory: TempDir,
    file: PathBuf,
}

/// Plaintext that cannot be put anywhere safe, or not read back.
#[derive(Debug, thiserror::Error)]
pub enum ScratchError {
    /// There is no memory-backed directory.
    #[error("there is no memory-backed directory for the plaintext ({})", tried.join("; "))]
    NoMemory {
        /// The places that were looked at, each with what is wrong.
        tried: Vec<String>,
    },
    /// The directory or file in it.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// Signals cannot be watched, so that nobody would clean up.
    #[error("cannot watch for signals, which would leave the plaintext behind")]
    Signals(#[source] io::Error),
    /// The edited file is far too large.
    #[error("the edited file is larger than 16 MiB")]
    TooLarge,
}

impl ScratchError {
    /// How to go on.
    #[must_use]
    pub fn fix(&self) -> Option<&'static str> {
        match self {
            Self::NoMemory { .. } => Some(
                "mount a tmpfs on /dev/shm, or set XDG_RUNTIME_DIR to a directory of yours on a tmpfs",
            ),
            Self::Io { .. } | Self::Signals(_) => None,
            Self::TooLarge => Some("secrets are small; keep large data elsewhere"),
        }
    }
}

impl Scratch {
    /// A new directory below `base` that only this user can enter, for a file called `name` that is not there yet.
    pub(in crate::secrets::file) fn create(
        base: &Path,
        name: &OsStr,
    ) -> Result<Self, ScratchError> {
        let directory = tempfile::Builder::new()
            .prefix("steadfast-edit-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(base)
            .map_err(|source| ScratchError::Io {
                action: "make a directory in",
                path: base.to_owned(),
                source,
            })?;
        let file = directory.path().join(name);
        Ok(Self { directory, file })
    }

    /// Makes the file, with `content`.
    pub(in crate::secrets::file) fn write(&self, content: &Plaintext) -> Result<(), ScratchError> {
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&self.file)
            .and_then(|mut file| file.write_all(content.expose()))
            .map_err(|source| self.failed("write", source))
    }

    /// The directory.
    pub(in crate::secrets::file) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The file.
    pub(in crate::secrets::file) fn file(&self) -> &Path {
        &self.file
    }

    /// What is in the file now.
    pub(in crate::secrets::file) fn read(&self) -> Result<Plaintext, ScratchError> {
        reread(&self.file)
    }

    fn failed(&self, action: &'static str, source: io::Error) -> ScratchError {
        ScratchError::Io {
            action,
            path: self.file.clone(),
            source,
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        wipe(self.directory.path());
    }
}

/// Reads plaintext. Editors may have replaced the file, so it is opened by name again.
pub(in crate::secrets::file) fn reread(path: &Path) -> Result<Plaintext, ScratchError> {
    let failed = |source| ScratchError::Io {
        action: "read",
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    if length > LARGEST_BYTES {
        return Err(ScratchError::TooLarge);
    }
    // Room for all of it at once: a growing buffer would leave unwiped copies behind.
    let room = usize::try_from(length).unwrap_or_default() + 1;
    let mut content = Zeroizing::new(Vec::with_capacity(room));
    file.take(LARGEST_BYTES)
        .read_to_end(&mut content)
        .map_err(failed)?;
    Ok(Plaintext::from(content))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plaintext_is_private_and_goes_with_everything_beside_it() {
        let content = Plaintext::new(b"a: hunter2\n".to_vec());
        let base = tempfile::tempdir().unwrap();
        let scratch = Scratch::create(base.path(), OsStr::new("default.yml")).unwrap();
        scratch.write(&content).unwrap();
        let (file, directory) = (scratch.file().to_owned(), scratch.directory().to_owned());
        assert!(file.ends_with("default.yml"));
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&directory), mode(&file)), (0o700, 0o600));
        std::fs::create_dir(directory.join("undo")).unwrap();
        std::fs::copy(&file, directory.join("undo/default.yml~")).unwrap();
        assert!(scratch.read().unwrap().same_as(content.expose()));
        drop(scratch);
        assert!(!directory.exists());
    }
}
