//! Looking at managed files: what is at a path, without following a link.

use std::fs::File;
use std::io::{self, Read};

use rustix::fs::{FileType, OFlags, Stat, fstat, readlinkat};
use rustix::io::Errno;
use sha2::{Digest as _, Sha256};

use crate::host::root::{Trust, kind_in_words};
use crate::host::seen::now_ns;
use crate::host::{
    Attributes, Digest, FileError, FileErrorKind, FileMode, Host, HostPath, Owner, Ownership,
    PathState,
};

/// Largest part of a file that is read at once.
const LARGEST_READ_BYTES: usize = 64 * 1024;

impl Host {
    /// What is at `path`. A file is read to its end for its digest, whatever its size; a link is not followed.
    ///
    /// # Errors
    /// [`FileError`] if it cannot be read: unreadable is not absent.
    pub fn look(&self, path: &HostPath) -> Result<PathState, FileError> {
        let failed = |errno: Errno| FileError::io("look at", &self.real_path(path), errno);
        let handle = match self.root.open(path, OFlags::PATH) {
            Ok(handle) => handle,
            Err(Errno::NOENT) => return Ok(PathState::Absent),
            Err(Errno::LOOP | Errno::NOTDIR) => return self.look_at_obstacle(path),
            Err(errno) => return Err(failed(errno)),
        };
        let found = fstat(&handle).map_err(failed)?;
        let mode = FileMode::from_bits(found.st_mode);
        let owner = self.owner_of(&found);
        Ok(match FileType::from_raw_mode(found.st_mode) {
            FileType::RegularFile => match self.seen.as_ref().and_then(|s| s.content(&found)) {
                Some(content) => PathState::File {
                    content,
                    mode,
                    owner,
                    attributes: Attributes::default(),
                },
                None => return self.look_at_file(path),
            },
            FileType::Directory => PathState::Directory { mode, owner },
            FileType::Symlink => {
                let target = readlinkat(&handle, "", Vec::new()).map_err(failed)?;
                match target.into_string() {
                    Ok(target) => PathState::Symlink { target },
                    // It could not be put back as it was.
                    Err(_) => PathState::Other {
                        what: "a symbolic link to a name that is not UTF-8".to_owned(),
                    },
                }
            }
            _ => PathState::Other {
                what: kind_in_words(found.st_mode).to_owned(),
            },
        })
    }

    /// Reads the file at `path`; `None` if there is nothing.
    ///
    /// # Errors
    /// [`FileErrorKind::TooLarge`], [`FileErrorKind::InTheWay`] if it is not a regular file, or the kernel's refusal.
    pub fn read_file(
        &self,
        path: &HostPath,
        limit_bytes: u64,
    ) -> Result<Option<Vec<u8>>, FileError> {
        let failed = |kind| FileError::new("read", &self.real_path(path), kind);
        let io = |source: io::Error| failed(FileErrorKind::Io(source));
        let Some((file, _)) = self.open_file("read", path)? else {
            return Ok(None);
        };
        let mut content = Vec::new();
        file.take(limit_bytes.saturating_add(1))
            .read_to_end(&mut content)
            .map_err(io)?;
        if content.len() as u64 > limit_bytes {
            return Err(failed(FileErrorKind::TooLarge { limit_bytes }));
        }
        Ok(Some(content))
    }

    /// The names in `directory`, sorted; `None` if there is no such directory. Names that are not UTF-8 are left out.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn list(&self, directory: &HostPath) -> Result<Option<Vec<String>>, FileError> {
        let failed = |errno: Errno| FileError::io("list", &self.real_path(directory), errno);
        let handle = match self
            .root
            .open(directory, OFlags::RDONLY | OFlags::DIRECTORY)
        {
            Ok(handle) => handle,
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => return Ok(None),
            Err(errno) => return Err(failed(errno)),
        };
        let mut names = Vec::new();
        for entry in rustix::fs::Dir::new(handle).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if let Ok(name) = entry.file_name().to_str()
                && name != "."
                && name != ".."
            {
                names.push(name.to_owned());
            }
        }
        names.sort();
        Ok(Some(names))
    }

    /// Opens a regular file for reading; `None` if there is nothing.
    fn open_file(
        &self,
        action: &'static str,
        path: &HostPath,
    ) -> Result<Option<(File, Stat)>, FileError> {
        let io = |errno: Errno| FileError::io(action, &self.real_path(path), errno);
        // Opening a device or a FIFO does something; so it is looked at first, and again after opening.
        let handle = match self.root.open(path, OFlags::PATH) {
            Ok(handle) => handle,
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP | Errno::NOTDIR) => {
                return match self.root.open_parent(action, path, Trust::Any) {
                    Ok(_) => Ok(None),
                    Err(error) if error.is_not_found() => Ok(None),
                    Err(error) => Err(error),
                };
            }
            Err(errno) => return Err(io(errno)),
        };
        self.check_regular(action, path, &fstat(&handle).map_err(io)?)?;
        self.open_regular(action, path)
    }

    /// Opens what was a regular file a moment ago; `None` if there is nothing any more.
    fn open_regular(
        &self,
        action: &'static str,
        path: &HostPath,
    ) -> Result<Option<(File, Stat)>, FileError> {
        let io = |errno: Errno| FileError::io(action, &self.real_path(path), errno);
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
        let file = match self.root.open(path, flags) {
            Ok(file) => file,
            Err(Errno::NOENT) => return Ok(None),
            Err(errno) => return Err(io(errno)),
        };
        let found = fstat(&file).map_err(io)?;
        self.check_regular(action, path, &found)?;
        Ok(Some((File::from(file), found)))
    }

    fn check_regular(
        &self,
        action: &'static str,
        path: &HostPath,
        found: &Stat,
    ) -> Result<(), FileError> {
        if FileType::from_raw_mode(found.st_mode) == FileType::RegularFile {
            return Ok(());
        }
        let what = kind_in_words(found.st_mode);
        let kind = FileErrorKind::InTheWay { what };
        Err(FileError::new(action, &self.real_path(path), kind))
    }

    /// Reads what was found to be a regular file.
    fn look_at_file(&self, path: &HostPath) -> Result<PathState, FileError> {
        const ACTION: &str = "look at";
        let Some((mut file, found)) = self.open_regular(ACTION, path)? else {
            return Ok(PathState::Absent);
        };
        let began_ns = now_ns();
        let mut hash = Sha256::new();
        // A small file is read at once; the size is believed no further than that.
        let room = usize::try_from(found.st_size).unwrap_or(usize::MAX);
        let mut buffer = vec![0_u8; room.saturating_add(1).clamp(512, LARGEST_READ_BYTES)];
        loop {
            let count = file
                .read(&mut buffer)
                .map_err(|source| FileError::io(ACTION, &self.real_path(path), source))?;
            if count == 0 {
                break;
            }
            hash.update(&buffer[..count]);
        }
        let attributes = Attributes::of(&file, self.ownership())
            .map_err(|errno| FileError::io(ACTION, &self.real_path(path), errno))?;
        let content = hash.finalize().into();
        if let Some(seen) = &self.seen
            && attributes.is_empty()
            && let Ok(after) = fstat(&file)
        {
            // A file that changed while it was read is as new as the clock then, and not remembered. Nor is one with
            // attributes, which are not in the memory.
            seen.learn(&after, content, began_ns);
        }
        Ok(PathState::File {
            content: Digest::from_hash(&content),
            mode: FileMode::from_bits(found.st_mode),
            owner: self.owner_of(&found),
            attributes,
        })
    }

    /// A parent that is a link or no directory is something to show, not a failure.
    fn look_at_obstacle(&self, path: &HostPath) -> Result<PathState, FileError> {
        match self.root.open_parent("look at", path, Trust::Any) {
            Ok(_) => Ok(PathState::Absent),
            Err(error) => match error.kind {
                FileErrorKind::MissingParent { .. } => Ok(PathState::Absent),
                FileErrorKind::SymlinkedParent { .. } | FileErrorKind::NotADirectory { .. } => {
                    Ok(PathState::Other {
                        what: error.kind.to_string(),
                    })
                }
                _ => Err(error),
            },
        }
    }

    pub(super) fn owner_of(&self, found: &Stat) -> Owner {
        match self.ownership() {
            Ownership::Kept => Owner::Ids {
                uid: found.st_uid,
                gid: found.st_gid,
            },
            Ownership::Ignored => Owner::Unknown,
        }
    }
}
