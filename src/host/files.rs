//! Managed files: looked at without following a link, replaced whole, by handle.

mod look;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;

use rustix::fs::{
    AtFlags, FileType, Gid, Mode, OFlags, Stat, Uid, fchmod, fchown, fstat, fsync, mkdirat, openat,
    renameat, statat, symlinkat, unlinkat,
};
use rustix::io::Errno;

use super::root::{Parent, Trust, kind_in_words, open_below};
use super::{FileError, FileErrorKind, FileMode, Host, HostPath, Owner, Ownership};

/// What our own unfinished files are called, before 16 random hex digits.
const TEMPORARY_PREFIX: &str = ".steadfast-";

/// What [`Host::remove`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removed {
    /// It was there, and is gone.
    Yes,
    /// It was not there.
    WasAbsent,
    /// It is a directory with something in it or mounted on it, and stays.
    NotEmpty,
}

impl Host {
    /// Replaces the file at `path`: a reader sees the old one or the new one, with the right mode from its first moment.
    ///
    /// The directory must exist; its entry is on disk after [`sync_directories`](Self::sync_directories).
    ///
    /// # Errors
    /// [`FileError`]; `path` is then as it was.
    pub fn write_file(
        &self,
        path: &HostPath,
        content: &[u8],
        owner: Owner,
        mode: FileMode,
    ) -> Result<(), FileError> {
        const ACTION: &str = "write";
        let parent = self.root.open_parent(ACTION, path, Trust::For(owner))?;
        let temporary = temporary_name();
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
        let created = parent.acting.perform(|| {
            openat(
                &parent,
                temporary.as_str(),
                flags | OFlags::CLOEXEC,
                Mode::RUSR | Mode::WUSR,
            )
        });
        let result = created.flatten().map_err(io::Error::from).and_then(|fd| {
            let mut file = File::from(fd);
            file.write_all(content)?;
            self.own(&file, owner, mode)?;
            fsync(&file)?;
            Ok(())
        });
        self.put_in_place(ACTION, path, &parent, &temporary, result)
    }

    /// Makes the directory at `path`, or gives the one that is there this owner and mode.
    ///
    /// # Errors
    /// [`FileErrorKind::InTheWay`] if something else is there, or the kernel's refusal.
    pub fn make_directory(
        &self,
        path: &HostPath,
        owner: Owner,
        mode: FileMode,
    ) -> Result<(), FileError> {
        const ACTION: &str = "make the directory";
        let parent = self.root.open_parent(ACTION, path, Trust::For(owner))?;
        let failed = |errno: Errno| FileError::io(ACTION, &self.real_path(path), errno);
        let created = parent
            .acting
            .perform(|| mkdirat(&parent, path.file_name(), Mode::RWXU));
        match created.flatten() {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(failed(errno)),
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW;
        match open_below(&parent, path.file_name(), flags) {
            Ok(directory) => {
                self.may_be_given(ACTION, path, &parent, &directory)?;
                self.own(&directory, owner, mode).map_err(failed)
            }
            Err(Errno::NOTDIR | Errno::LOOP) => Err(self.in_the_way(ACTION, path, &parent)),
            Err(errno) => Err(failed(errno)),
        }
    }

    /// Makes the directories above `path` that are missing, for root and with mode 0755; gives back those it made.
    ///
    /// # Errors
    /// As [`make_directory`](Self::make_directory).
    pub fn make_parents(&self, path: &HostPath) -> Result<Vec<HostPath>, FileError> {
        let (owner, mode) = (Owner::Ids { uid: 0, gid: 0 }, FileMode::from_bits(0o755));
        let mut missing = Vec::new();
        let mut above = path.parent();
        while let Some(parent) = above {
            match self.root.open(&parent, OFlags::PATH) {
                Err(Errno::NOENT) => above = parent.parent(),
                _ => break,
            }
            missing.insert(0, parent);
        }
        for parent in &missing {
            self.make_directory(parent, owner, mode)?;
        }
        Ok(missing)
    }

    /// Makes `path` a symbolic link to `target`, in one step if a link or file is there. In a directory of an account
    /// the link is the account's.
    ///
    /// # Errors
    /// [`FileErrorKind::InTheWay`] if a directory is there, or the kernel's refusal.
    pub fn make_symlink(&self, path: &HostPath, target: &str) -> Result<(), FileError> {
        const ACTION: &str = "link";
        let parent = self.root.open_parent(ACTION, path, Trust::Any)?;
        let temporary = temporary_name();
        let made = parent
            .acting
            .perform(|| symlinkat(target, &parent, temporary.as_str()));
        let result = made.flatten().map_err(io::Error::from);
        self.put_in_place(ACTION, path, &parent, &temporary, result)
    }

    /// Gives the file or directory at `path` this owner and mode; its content stays.
    ///
    /// # Errors
    /// [`FileErrorKind::InTheWay`] for anything else, or the kernel's refusal.
    pub fn set_metadata(
        &self,
        path: &HostPath,
        owner: Owner,
        mode: FileMode,
    ) -> Result<(), FileError> {
        const ACTION: &str = "set owner and mode of";
        let parent = self.root.open_parent(ACTION, path, Trust::For(owner))?;
        let failed = |errno: Errno| FileError::io(ACTION, &self.real_path(path), errno);
        let found = statat(&parent, path.file_name(), AtFlags::SYMLINK_NOFOLLOW).map_err(failed)?;
        if !matches!(
            FileType::from_raw_mode(found.st_mode),
            FileType::RegularFile | FileType::Directory
        ) {
            return Err(self.in_the_way(ACTION, path, &parent));
        }
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
        let handle = open_below(&parent, path.file_name(), flags).map_err(failed)?;
        let found = fstat(&handle).map_err(failed)?;
        if self.may_be_foreign(&parent, &found).map_err(failed)? {
            let kind = FileErrorKind::InTheWay {
                what: "a file with several names",
            };
            return Err(FileError::new(ACTION, &self.real_path(path), kind));
        }
        self.may_be_given(ACTION, path, &parent, &handle)?;
        self.own(&handle, owner, mode).map_err(failed)
    }

    /// Removes what is at `path`: a file or link, or a directory if it is empty.
    ///
    /// # Errors
    /// [`FileError`] if it is still there.
    pub fn remove(&self, path: &HostPath) -> Result<Removed, FileError> {
        const ACTION: &str = "remove";
        let parent = match self.root.open_parent(ACTION, path, Trust::Any) {
            Ok(parent) => parent,
            Err(error) if error.is_not_found() => return Ok(Removed::WasAbsent),
            Err(error) => return Err(error),
        };
        let failed = |errno: Errno| FileError::io(ACTION, &self.real_path(path), errno);
        let name = path.file_name();
        let unlink = |flags| {
            let gone = parent.acting.perform(|| unlinkat(&parent, name, flags));
            gone.flatten()
        };
        match unlink(AtFlags::empty()) {
            Ok(()) => return Ok(Removed::Yes),
            Err(Errno::NOENT) => return Ok(Removed::WasAbsent),
            Err(Errno::ISDIR) => {}
            Err(errno) => return Err(failed(errno)),
        }
        match unlink(AtFlags::REMOVEDIR) {
            Ok(()) => Ok(Removed::Yes),
            Err(Errno::NOENT) => Ok(Removed::WasAbsent),
            Err(Errno::NOTEMPTY | Errno::EXIST | Errno::BUSY) => Ok(Removed::NotEmpty),
            Err(errno) => Err(failed(errno)),
        }
    }

    /// Puts the entries of `directories` on disk. One that is gone by now has nothing to keep.
    ///
    /// # Errors
    /// [`FileError`] of the first that fails.
    pub fn sync_directories(&self, directories: &BTreeSet<HostPath>) -> Result<(), FileError> {
        for path in directories {
            let failed = |errno: Errno| FileError::io("sync", &self.real_path(path), errno);
            let directory = match self.root.open(path, OFlags::RDONLY | OFlags::DIRECTORY) {
                Ok(directory) => directory,
                Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => continue,
                Err(errno) => return Err(failed(errno)),
            };
            match fsync(&directory) {
                // EINVAL: a file system that has nothing to put anywhere.
                Ok(()) | Err(Errno::INVAL) => {}
                Err(errno) => return Err(failed(errno)),
            }
        }
        Ok(())
    }

    /// Removes the unfinished files that a killed process of ours left in `directory`, and says how many.
    ///
    /// Only for whoever holds the lock: the files of a process that is alive look the same.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn sweep_temporaries(&self, directory: &HostPath) -> Result<usize, FileError> {
        let failed = |errno: Errno| FileError::io("sweep", &self.real_path(directory), errno);
        let mut swept = 0;
        for name in self.list(directory)?.unwrap_or_default() {
            if !is_temporary(&name) {
                continue;
            }
            let handle = self
                .root
                .open(directory, OFlags::PATH | OFlags::DIRECTORY)
                .map_err(failed)?;
            match unlinkat(&handle, name.as_str(), AtFlags::empty()) {
                Ok(()) => swept += 1,
                Err(Errno::NOENT | Errno::ISDIR) => {}
                Err(errno) => return Err(failed(errno)),
            }
        }
        Ok(swept)
    }

    /// Whether the owner of the directory could have linked somebody else's file there, to be given it.
    fn may_be_foreign(&self, parent: &Parent, found: &Stat) -> Result<bool, Errno> {
        let is_file = FileType::from_raw_mode(found.st_mode) == FileType::RegularFile;
        if !is_file || found.st_nlink == 1 || self.ownership() == Ownership::Ignored {
            return Ok(false);
        }
        let above = fstat(parent)?.st_uid;
        Ok(above != 0 && above != found.st_uid)
    }

    /// Sets the owner, then the mode: changing the owner clears the set-id bits.
    fn own(&self, handle: impl AsFd, owner: Owner, mode: FileMode) -> Result<(), Errno> {
        if let (Owner::Ids { uid, gid }, Ownership::Kept) = (owner, self.ownership()) {
            fchown(&handle, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)))?;
        }
        fchmod(&handle, Mode::from_raw_mode(mode.bits()))
    }

    /// Renames a finished temporary to its place, or takes an unfinished one away.
    fn put_in_place(
        &self,
        action: &'static str,
        path: &HostPath,
        parent: &Parent,
        temporary: &str,
        made: io::Result<()>,
    ) -> Result<(), FileError> {
        let name = path.file_name();
        let act = |act: &dyn Fn() -> Result<(), Errno>| parent.acting.perform(act).flatten();
        let placed = made.and_then(|()| Ok(act(&|| renameat(parent, temporary, parent, name))?));
        let Err(source) = placed else { return Ok(()) };
        // It may never have been made; the first error is the one that counts.
        let _ = act(&|| unlinkat(parent, temporary, AtFlags::empty()));
        if source.kind() == io::ErrorKind::IsADirectory {
            return Err(self.in_the_way(action, path, parent));
        }
        Err(FileError::io(action, &self.real_path(path), source))
    }

    /// Refuses to give what lies in a directory of an account to anybody, unless it is the account's.
    fn may_be_given(
        &self,
        action: &'static str,
        path: &HostPath,
        parent: &Parent,
        handle: impl AsFd,
    ) -> Result<(), FileError> {
        let found =
            fstat(handle).map_err(|errno| FileError::io(action, &self.real_path(path), errno))?;
        if parent.acting.may_give(found.st_uid) {
            return Ok(());
        }
        let kind = FileErrorKind::InTheWay {
            what: "something of another account",
        };
        Err(FileError::new(action, &self.real_path(path), kind))
    }

    fn in_the_way(&self, action: &'static str, path: &HostPath, parent: &Parent) -> FileError {
        let kind = match statat(parent, path.file_name(), AtFlags::SYMLINK_NOFOLLOW) {
            Ok(found) => FileErrorKind::InTheWay {
                what: kind_in_words(found.st_mode),
            },
            Err(errno) => FileErrorKind::Io(errno.into()),
        };
        FileError::new(action, &self.real_path(path), kind)
    }
}

/// A name of ours that nobody has taken.
pub(super) fn temporary_name() -> String {
    format!("{TEMPORARY_PREFIX}{:016x}", rand::random::<u64>())
}

pub(super) fn is_temporary(name: &str) -> bool {
    name.strip_prefix(TEMPORARY_PREFIX)
        .is_some_and(|random| random.len() == 16 && random.bytes().all(|b| b.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests;
