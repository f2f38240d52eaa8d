//! Managed files: looked at without following a link, replaced whole, by handle.

mod look;
mod place;
mod stage;
mod survey;
mod temporary;

pub use place::{FileImage, Over};
pub use stage::StagedFile;
pub(super) use temporary::{is_temporary, process_of, temporary_name};

use std::collections::BTreeSet;
use std::os::fd::AsFd;

use rustix::fs::{
    AtFlags, Gid, Mode, OFlags, Uid, fchmod, fchown, fstat, fsync, mkdirat, unlinkat,
};
use rustix::io::Errno;
use rustix::process::{getegid, geteuid};

use super::acting::Acting;
use super::root::{Parent, Trust, open_below};
use super::{FileError, FileErrorKind, FileMode, Host, HostPath, Owner, Ownership};

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
        let first = self.mode_at_birth(parent.acting, owner, mode);
        let created = parent
            .acting
            .perform(|| mkdirat(&parent, path.file_name(), first));
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

    /// The mode that a directory is made with. Where its maker is its owner it is as it should be from then on, whoever is killed
    /// before the next call; where it is to be given to somebody, nobody else enters before.
    fn mode_at_birth(&self, maker: Acting, owner: Owner, mode: FileMode) -> Mode {
        let is_makers = match (maker, owner) {
            _ if self.ownership() == Ownership::Ignored => true,
            (Acting::Ourselves, Owner::Ids { uid, gid }) => {
                (uid, gid) == (geteuid().as_raw(), getegid().as_raw())
            }
            (Acting::As { uid, gid }, wanted) => wanted == Owner::Ids { uid, gid },
            (Acting::Ourselves, Owner::Unknown) => false,
        };
        if is_makers {
            Mode::from_raw_mode(mode.bits())
        } else {
            Mode::RWXU
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
            Err(errno) => return Err(self.refused(ACTION, path, &parent, errno)),
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

    /// Sets the owner, then the mode: changing the owner clears the set-id bits.
    fn own(&self, handle: impl AsFd, owner: Owner, mode: FileMode) -> Result<(), Errno> {
        self.give(&handle, owner)?;
        fchmod(&handle, Mode::from_raw_mode(mode.bits()))
    }

    /// Sets the owner, where owners count.
    fn give(&self, handle: impl AsFd, owner: Owner) -> Result<(), Errno> {
        match (owner, self.ownership()) {
            (Owner::Ids { uid, gid }, Ownership::Kept) => {
                fchown(&handle, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)))
            }
            _ => Ok(()),
        }
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
}

#[cfg(test)]
mod tests;
