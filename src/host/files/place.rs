//! Putting files and links in place: made whole under a name of our own, then renamed.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::AsFd;

use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, RenameFlags, StatxAttributes, StatxFlags, fsync, linkat,
    openat, renameat, renameat_with, statat, statx, symlinkat, unlinkat,
};
use rustix::io::Errno;

use crate::host::attributes::{Attributes, labels, set_labels};
use crate::host::root::{Parent, Trust, kind_in_words, open_below};
use crate::host::{FileError, FileErrorKind, FileMode, Host, HostPath, Owner};

/// A file as it is to be.
#[derive(Debug, Clone, Copy)]
pub struct FileImage<'a> {
    /// Content.
    pub content: &'a [u8],
    /// Owner.
    pub owner: Owner,
    /// Mode.
    pub mode: FileMode,
    /// Extended attributes; others that count go.
    pub attributes: &'a Attributes,
}

/// What may be at a path when something is put there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// Nothing: what appeared since somebody looked stays, and is an error.
    Nothing,
    /// A file or a link, which is replaced.
    Anything,
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
        let image = FileImage {
            content,
            owner,
            mode,
            attributes: &Attributes::default(),
        };
        self.put_file(path, image, Over::Anything)
    }

    /// Puts a file at `path`, as [`write_file`](Self::write_file) does, with attributes, and over nothing if so asked.
    ///
    /// The labels of what it replaces are kept.
    ///
    /// # Errors
    /// [`FileErrorKind::InTheWay`] if something is there that must not be, or the kernel's refusal; `path` is then as it
    /// was.
    pub fn put_file(
        &self,
        path: &HostPath,
        image: FileImage<'_>,
        over: Over,
    ) -> Result<(), FileError> {
        const ACTION: &str = "write";
        let parent = self
            .root
            .open_parent(ACTION, path, Trust::For(image.owner))?;
        let temporary = self.temporary_name();
        let made = self.make_whole(path, &parent, &temporary, (image, over));
        let synced = made.and_then(|file| Ok(fsync(&file)?));
        self.put_in_place((ACTION, path), &parent, &temporary, (synced, over))
    }

    /// Makes `temporary` beside `path`, readable for nobody else until it has content, owner and mode; open for reading.
    pub(super) fn make_whole(
        &self,
        path: &HostPath,
        parent: &Parent,
        temporary: &str,
        (image, over): (FileImage<'_>, Over),
    ) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
        let created = parent.acting.perform(|| {
            openat(
                parent,
                temporary,
                flags | OFlags::CLOEXEC,
                Mode::RUSR | Mode::WUSR,
            )
        });
        let mut writer = File::from(created.flatten()?);
        // What is open for writing keeps its file system from becoming read-only, and this is held for a while.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW;
        let opened = parent
            .acting
            .perform(|| open_below(parent, temporary, flags));
        let file = File::from(opened.flatten()?);
        writer.write_all(image.content)?;
        drop(writer);
        if over == Over::Anything {
            set_labels(&file, &labels_at(parent, path));
        }
        self.dress(&file, &image)?;
        Ok(file)
    }

    /// Makes `path` a symbolic link to `target`, in one step if a link or file is there. In a directory of an account
    /// the link is the account's.
    ///
    /// # Errors
    /// [`FileErrorKind::InTheWay`] if a directory is there, or the kernel's refusal.
    pub fn make_symlink(&self, path: &HostPath, target: &str) -> Result<(), FileError> {
        self.put_symlink(path, target, Over::Anything)
    }

    /// Makes `path` a symbolic link as [`make_symlink`](Self::make_symlink) does, over nothing if so asked.
    ///
    /// # Errors
    /// [`FileErrorKind::InTheWay`] if something is there that must not be, or the kernel's refusal.
    pub fn put_symlink(&self, path: &HostPath, target: &str, over: Over) -> Result<(), FileError> {
        const ACTION: &str = "link";
        let parent = self.root.open_parent(ACTION, path, Trust::Any)?;
        let temporary = self.temporary_name();
        let made = parent
            .acting
            .perform(|| symlinkat(target, &parent, temporary.as_str()));
        let result = made.flatten().map_err(io::Error::from);
        self.put_in_place((ACTION, path), &parent, &temporary, (result, over))
    }

    /// Owner, attributes, mode, in this order: a new owner clears capabilities and the set-id bits, and the mode is the
    /// mask of an access list.
    fn dress(&self, file: impl AsFd, image: &FileImage<'_>) -> Result<(), Errno> {
        self.give(&file, image.owner)?;
        image.attributes.give(&file, image.mode, self.ownership())?;
        rustix::fs::fchmod(&file, Mode::from_raw_mode(image.mode.bits()))
    }

    /// Renames a finished temporary to its place, or takes an unfinished one away.
    pub(super) fn put_in_place(
        &self,
        (action, path): (&'static str, &HostPath),
        parent: &Parent,
        temporary: &str,
        (made, over): (io::Result<()>, Over),
    ) -> Result<(), FileError> {
        let name = path.file_name();
        let act = |act: &dyn Fn() -> Result<(), Errno>| parent.acting.perform(act).flatten();
        let placed = made.and_then(|()| {
            Ok(act(&|| match over {
                Over::Anything => renameat(parent, temporary, parent, name),
                Over::Nothing => rename_over_nothing(parent, temporary, name),
            })?)
        });
        placed.map_err(|source| self.take_away((action, path), parent, temporary, source))
    }

    /// Takes away what was to become `path`, and says why it did not.
    pub(super) fn take_away(
        &self,
        (action, path): (&'static str, &HostPath),
        parent: &Parent,
        temporary: &str,
        source: io::Error,
    ) -> FileError {
        let gone = || unlinkat(parent, temporary, AtFlags::empty());
        // It may never have been made; the first error is the one that counts.
        let _ = parent.acting.perform(gone).flatten();
        match source.raw_os_error().map(Errno::from_raw_os_error) {
            Some(errno) => self.refused(action, path, parent, errno),
            None => FileError::io(action, &self.real_path(path), source),
        }
    }

    /// The kernel's refusal, with what is behind it where that can be told.
    pub(super) fn refused(
        &self,
        action: &'static str,
        path: &HostPath,
        parent: &Parent,
        errno: Errno,
    ) -> FileError {
        match errno {
            Errno::ISDIR | Errno::EXIST => self.in_the_way(action, path, parent),
            Errno::BUSY => {
                let kind = FileErrorKind::InTheWay {
                    what: "a mount point",
                };
                FileError::new(action, &self.real_path(path), kind)
            }
            Errno::PERM if is_immutable(parent, path.file_name()) => {
                let path = self.real_path(path);
                FileError::new(action, &path.clone(), FileErrorKind::Immutable { path })
            }
            Errno::PERM if is_immutable(parent, ".") => {
                let real = self.real_path(path);
                let above = real.parent().unwrap_or(&real).to_owned();
                FileError::new(action, &real, FileErrorKind::Immutable { path: above })
            }
            errno => FileError::io(action, &self.real_path(path), errno),
        }
    }

    pub(super) fn in_the_way(
        &self,
        action: &'static str,
        path: &HostPath,
        parent: &Parent,
    ) -> FileError {
        let kind = match statat(parent, path.file_name(), AtFlags::SYMLINK_NOFOLLOW) {
            Ok(found) => FileErrorKind::InTheWay {
                what: kind_in_words(found.st_mode),
            },
            Err(errno) => FileErrorKind::Io(errno.into()),
        };
        FileError::new(action, &self.real_path(path), kind)
    }
}

/// Renames where nothing may be.
fn rename_over_nothing(parent: &Parent, temporary: &str, name: &str) -> Result<(), Errno> {
    match renameat_with(parent, temporary, parent, name, RenameFlags::NOREPLACE) {
        // A file system that knows no such rename. A second name never replaces anything either.
        Err(Errno::INVAL | Errno::NOSYS) => {
            linkat(parent, temporary, parent, name, AtFlags::empty())?;
            unlinkat(parent, temporary, AtFlags::empty())
        }
        result => result,
    }
}

/// The labels of the regular file at `path`; none of anything else.
fn labels_at(parent: &Parent, path: &HostPath) -> Vec<(&'static str, Vec<u8>)> {
    let name = path.file_name();
    // Opening a device or a FIFO does something.
    let is_file = statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)
        .is_ok_and(|found| FileType::from_raw_mode(found.st_mode) == FileType::RegularFile);
    if !is_file {
        return Vec::new();
    }
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    open_below(parent, name, flags).map_or_else(|_| Vec::new(), labels)
}

/// Whether `chattr +i` or `+a` keeps what is called `name` as it is.
fn is_immutable(parent: &Parent, name: &str) -> bool {
    let kept = StatxAttributes::IMMUTABLE | StatxAttributes::APPEND;
    statx(parent, name, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::TYPE)
        .is_ok_and(|found| found.stx_attributes.intersects(kept))
}
