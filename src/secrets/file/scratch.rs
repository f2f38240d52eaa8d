//! A place for plaintext that never reaches a disk: memory-backed, private, wiped and removed whatever happens.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use zeroize::Zeroizing;

use super::signals::SignalGuard;
use crate::host::exec::Environment;
use crate::host::memory::memory_backed;
use crate::identity::Plaintext;

/// An edited file that is larger than this was not meant.
const LARGEST_BYTES: u64 = 16 * 1024 * 1024;

/// A private directory in memory with one file of plaintext in it. Wiped and removed on drop.
pub(super) struct Scratch {
    /// `None` once it was given away by [`keep`](Self::keep).
    directory: Option<TempDir>,
    file: PathBuf,
    _signals: SignalGuard,
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
            Self::Io { .. } => None,
            Self::TooLarge => Some("secrets are small; keep large data elsewhere"),
        }
    }
}

impl Scratch {
    /// Puts `content` into a file called `name`, in a new directory that only this user can enter.
    pub(super) fn create(
        name: &OsStr,
        content: &Plaintext,
        environment: Environment<'_>,
    ) -> Result<Self, ScratchError> {
        let base = private_memory(environment)?;
        let directory = tempfile::Builder::new()
            .prefix("steadfast-edit-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(&base)
            .map_err(|source| ScratchError::Io {
                action: "make a directory in",
                path: base,
                source,
            })?;
        // Before there is anything to wipe, so that no signal can come too early.
        let signals = SignalGuard::watch(directory.path()).map_err(|source| ScratchError::Io {
            action: "watch for signals to clean up",
            path: directory.path().to_owned(),
            source,
        })?;
        let file = directory.path().join(name);
        let scratch = Self {
            directory: Some(directory),
            file,
            _signals: signals,
        };
        let mut handle = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&scratch.file)
            .map_err(|source| scratch.failed("make", source))?;
        handle
            .write_all(content.expose())
            .map_err(|source| scratch.failed("write", source))?;
        Ok(scratch)
    }

    /// The file.
    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    /// What is in the file now. Editors may have replaced it, so it is opened by name again.
    pub(super) fn read(&self) -> Result<Plaintext, ScratchError> {
        let failed = |source| self.failed("read", source);
        let file = File::open(&self.file).map_err(failed)?;
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

    /// Leaves the file where it is, for somebody to fetch what they typed, and says where.
    pub(super) fn keep(mut self) -> PathBuf {
        if let Some(directory) = self.directory.take() {
            let _kept = directory.keep();
        }
        self.file.clone()
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
        if let Some(directory) = &self.directory {
            wipe(directory.path());
        }
    }
}

/// Overwrites every file below `directory` with zeros and removes everything.
///
/// Best effort, for destructors and signals: there is nobody left to tell.
pub(super) fn wipe(directory: &Path) {
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

/// The first of `$XDG_RUNTIME_DIR` and `/dev/shm` that is memory and not somebody else's.
fn private_memory(environment: Environment<'_>) -> Result<PathBuf, ScratchError> {
    let mut tried = Vec::new();
    let runtime = environment("XDG_RUNTIME_DIR").map(PathBuf::from);
    for place in runtime.into_iter().chain([PathBuf::from("/dev/shm")]) {
        match usable(&place) {
            Ok(()) => return Ok(place),
            Err(why) => tried.push(format!("{}: {why}", place.display())),
        }
    }
    Err(ScratchError::NoMemory { tried })
}

fn usable(place: &Path) -> Result<(), String> {
    if !place.is_absolute() {
        return Err("not an absolute path".to_owned());
    }
    let found = std::fs::metadata(place).map_err(|error| error.to_string())?;
    if !found.is_dir() {
        return Err("not a directory".to_owned());
    }
    let me = rustix::process::geteuid().as_raw();
    let sticky = found.mode() & 0o1000 != 0;
    if found.uid() != me && !(found.uid() == 0 && sticky) {
        return Err("it belongs to somebody else".to_owned());
    }
    match memory_backed(place) {
        Ok(true) => Ok(()),
        Ok(false) => Err("it is on a disk, not in memory".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nothing(_: &str) -> Option<std::ffi::OsString> {
        None
    }

    #[test]
    fn plaintext_is_private_in_memory_and_goes_with_everything_beside_it() {
        let content = Plaintext::new(b"a: hunter2\n".to_vec());
        let scratch = Scratch::create(OsStr::new("default.yml"), &content, &nothing).unwrap();
        let (file, directory) = (
            scratch.file().to_owned(),
            scratch.file().parent().unwrap().to_owned(),
        );
        assert!(file.ends_with("default.yml"));
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&directory), mode(&file)), (0o700, 0o600));
        std::fs::create_dir(directory.join("undo")).unwrap();
        std::fs::copy(&file, directory.join("undo/default.yml~")).unwrap();
        assert!(scratch.read().unwrap().same_as(content.expose()));
        drop(scratch);
        assert!(!directory.exists());
    }

    #[test]
    fn what_is_kept_can_be_fetched() {
        let content = Plaintext::new(b"typed".to_vec());
        let scratch = Scratch::create(OsStr::new("a.yml"), &content, &nothing).unwrap();
        let kept = scratch.keep();
        assert_eq!(std::fs::read(&kept).unwrap(), b"typed");
        wipe(kept.parent().unwrap());
        assert!(!kept.exists());
    }

    #[test]
    fn a_disk_is_refused() {
        for (place, expected) in [
            (env!("CARGO_MANIFEST_DIR"), "it is on a disk, not in memory"),
            ("relative", "not an absolute path"),
            ("/nonexistent", "No such file or directory (os error 2)"),
        ] {
            assert_eq!(
                usable(Path::new(place)),
                Err(expected.to_owned()),
                "{place}"
            );
        }
    }
}
