//! Everything is opened below one directory handle, and no symbolic link is ever followed on the way.
//!
//! A path is text; what it means can change between two uses. So the directory that holds an entry is opened once,
//! component by component, each one looked at, and every act that follows names the entry relative to that handle.
//!
//! No handle is kept for the next write: the walk takes microseconds where the fsync takes milliseconds, and a kept handle
//! would go on writing into a directory that was moved away or opened up since it was looked at.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Mode, OFlags, ResolveFlags, Stat, fstat, openat2, readlinkat};
use rustix::io::Errno;
use rustix::process::geteuid;

use super::acting::Acting;
use super::{FileError, FileErrorKind, HostPath, Owner};

/// Nothing on the way may be a link, and nothing may lead out.
const RESOLVE: ResolveFlags = ResolveFlags::BENEATH
    .union(ResolveFlags::NO_SYMLINKS)
    .union(ResolveFlags::NO_MAGICLINKS);
const DIRECTORY: OFlags = OFlags::PATH
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW);

/// Whether owners can be told and set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ownership {
    /// Owners count.
    Kept,
    /// Below a root without privilege: every owner is [`Owner::Unknown`] and none is set.
    Ignored,
}

/// The directory that everything is below: `/`, or the one of `--root`.
#[derive(Debug)]
pub(super) struct Root {
    pub(super) path: PathBuf,
    pub(super) fd: OwnedFd,
    pub(super) ownership: Ownership,
}

/// The directory that holds an entry, and the rights that what is done in it is done with.
#[derive(Debug)]
pub(super) struct Parent {
    directory: OwnedFd,
    pub(super) acting: Acting,
}

impl AsFd for Parent {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.directory.as_fd()
    }
}

/// Which directories an entry may be put into.
#[derive(Debug, Clone, Copy)]
pub(super) enum Trust {
    /// Any: nothing is left there that somebody could exchange.
    Any,
    /// Those that nobody but root and the owner of the entry can change.
    For(Owner),
}

impl Root {
    /// Where `path` is on this machine.
    pub(super) fn real_path(&self, path: &HostPath) -> PathBuf {
        self.path.join(path.relative())
    }

    /// Opens what is at `path` itself, never following a link.
    pub(super) fn open(&self, path: &HostPath, flags: OFlags) -> Result<OwnedFd, Errno> {
        open_below(&self.fd, path.relative(), flags | OFlags::NOFOLLOW)
    }

    /// Opens the directory that holds `path`.
    pub(super) fn open_parent(
        &self,
        action: &'static str,
        path: &HostPath,
        trust: Trust,
    ) -> Result<Parent, FileError> {
        let failed = |kind| FileError::new(action, &self.real_path(path), kind);
        let io = |errno: Errno| failed(FileErrorKind::Io(errno.into()));
        let mut directory = open_below(&self.fd, ".", DIRECTORY).map_err(io)?;
        let mut acting = Acting::Ourselves;
        let Some(parent) = path.parent() else {
            return Ok(Parent { directory, acting });
        };
        let mut walked = self.path.clone();
        for part in parent.relative().split('/') {
            walked.push(part);
            let next = open_below(&directory, part, DIRECTORY)
                .map_err(|errno| failed(obstacle(&directory, part, &walked, errno)))?;
            if self.ownership == Ownership::Kept {
                let found = fstat(&next).map_err(io)?;
                if let Trust::For(owner) = trust
                    && let Some(why) = unsafe_because(&found, owner)
                {
                    let parent = walked;
                    return Err(failed(FileErrorKind::UnsafeParent { parent, why }));
                }
                if acting == Acting::Ourselves && found.st_uid != 0 && geteuid().is_root() {
                    let (uid, gid) = (found.st_uid, found.st_gid);
                    acting = Acting::As { uid, gid };
                }
            }
            directory = next;
        }
        Ok(Parent { directory, acting })
    }
}

/// Opens `name` below `directory` without following any link.
pub(super) fn open_below(
    directory: impl AsFd,
    name: &str,
    flags: OFlags,
) -> Result<OwnedFd, Errno> {
    loop {
        match openat2(
            &directory,
            name,
            flags | OFlags::CLOEXEC,
            Mode::empty(),
            RESOLVE,
        ) {
            // EAGAIN: something was renamed while the kernel was making sure that nothing leads out.
            Err(Errno::AGAIN | Errno::INTR) => {}
            result => return result,
        }
    }
}

/// What stands in the way where a directory was expected.
fn obstacle(directory: &OwnedFd, name: &str, walked: &Path, errno: Errno) -> FileErrorKind {
    let parent = walked.to_owned();
    match errno {
        Errno::NOENT => FileErrorKind::MissingParent { parent },
        Errno::NOTDIR | Errno::LOOP => match readlinkat(directory, name, Vec::new()) {
            Ok(target) => FileErrorKind::SymlinkedParent {
                parent,
                target: target.to_string_lossy().into_owned(),
            },
            Err(_) => FileErrorKind::NotADirectory { parent },
        },
        errno => FileErrorKind::Io(errno.into()),
    }
}

/// Why somebody else could exchange what is in a directory, or `None` if nobody can.
fn unsafe_because(directory: &Stat, entry: Owner) -> Option<String> {
    let (uid, gid) = match entry {
        Owner::Ids { uid, gid } => (uid, gid),
        Owner::Unknown => (0, 0),
    };
    if directory.st_uid != 0 && directory.st_uid != uid {
        return Some(format!(
            "owned by user id {}, who is neither root nor the owner of the entry",
            directory.st_uid
        ));
    }
    let sticky = directory.st_mode & 0o1000 != 0;
    if directory.st_mode & 0o002 != 0 && !sticky {
        return Some("writable by everybody".to_owned());
    }
    let group_is_owner = directory.st_gid == 0 || (uid != 0 && directory.st_gid == gid);
    if directory.st_mode & 0o020 != 0 && !sticky && !group_is_owner {
        return Some(format!("writable by group id {}", directory.st_gid));
    }
    None
}

/// What a file of this mode is, in words.
pub(super) fn kind_in_words(mode: u32) -> &'static str {
    match FileType::from_raw_mode(mode) {
        FileType::RegularFile => "a file",
        FileType::Directory => "a directory",
        FileType::Symlink => "a symbolic link",
        FileType::Fifo => "a FIFO",
        FileType::Socket => "a socket",
        FileType::CharacterDevice => "a character device",
        FileType::BlockDevice => "a block device",
        FileType::Unknown => "something of an unknown type",
    }
}
