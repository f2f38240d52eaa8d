//! Keeping plaintext in memory: out of core dumps, out of swap, on file systems that have no disk.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, OFlags, fstatfs, statat, statfs};
use rustix::io::Errno;
use rustix::mm::{MlockAllFlags, mlockall};
use rustix::mount::{MountFlags, mount};
use rustix::process::{
    DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit,
};

use super::{FileError, FileMode, Host, HostPath, Owner, PathState};

/// `RAMFS_MAGIC` and `TMPFS_MAGIC` of `linux/magic.h`.
const RAMFS: u32 = 0x8584_58f6;
const TMPFS: u32 = 0x0102_1994;
/// Who may pass through the secrets directory; its entries have modes of their own.
const SECRETS_MODE: FileMode = FileMode::from_bits(0o751);

/// Memory that could not be kept private.
#[derive(Debug, thiserror::Error)]
pub enum MemoryError {
    /// The kernel refused to protect the process.
    #[error("cannot {action}")]
    Process {
        /// What was tried.
        action: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file system of a path cannot be told.
    #[error("cannot tell the file system of {}", path.display())]
    FileSystem {
        /// The path.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file system without a disk could not be mounted.
    #[error("cannot mount a ramfs at {}", path.display())]
    Mount {
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The mount point could not be made.
    #[error(transparent)]
    File(#[from] FileError),
}

impl MemoryError {
    /// How to put it right, where that is known.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Mount { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => Some(
                "run it as root; in a container, grant CAP_SYS_ADMIN or turn swap off".to_owned(),
            ),
            Self::File(error) => error.hint(),
            Self::Mount { .. } | Self::Process { .. } | Self::FileSystem { .. } => None,
        }
    }
}

/// Where secrets lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretsBacking {
    /// A ramfs: never swapped out.
    Ramfs,
    /// The tmpfs that was there, on a machine without swap; a container may not mount.
    TmpfsWithoutSwap,
    /// A plain directory below a root.
    Directory,
}

/// Makes this process unreadable to other processes of the same user, and keeps it out of core dumps.
///
/// To be called first thing, before any key is read.
///
/// # Errors
/// [`MemoryError::Process`].
pub fn harden_process() -> Result<(), MemoryError> {
    let failed = |action| {
        move |errno: Errno| MemoryError::Process {
            action,
            source: errno.into(),
        }
    };
    // One byte is too little for any dump, and the one size that also keeps the kernel from handing a dump to a program
    // such as systemd-coredump; 0 would not. Children, such as an editor that holds plaintext, inherit it.
    let allowed = getrlimit(Resource::Core).maximum.unwrap_or(1).min(1);
    let nothing = Rlimit {
        current: Some(allowed),
        maximum: Some(allowed),
    };
    setrlimit(Resource::Core, nothing).map_err(failed("forbid core dumps"))?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .map_err(failed("forbid other processes to read this one"))
}

/// Keeps every page this process touches from now on out of swap; for processes that hold keys.
///
/// # Errors
/// [`MemoryError::Process`], as for a user whose `ulimit -l` is too small.
pub fn lock_memory() -> Result<(), MemoryError> {
    // ONFAULT: what is only mapped, such as a pack file, takes no memory until it is read.
    mlockall(MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT).map_err(
        |errno| MemoryError::Process {
            action: "keep memory out of swap",
            source: errno.into(),
        },
    )
}

/// Whether `path` is on a file system that has no disk, a tmpfs or ramfs.
///
/// # Errors
/// [`MemoryError::FileSystem`].
pub fn memory_backed(path: &Path) -> Result<bool, MemoryError> {
    let found = statfs(path).map_err(|errno| MemoryError::FileSystem {
        path: path.to_owned(),
        source: errno.into(),
    })?;
    Ok(matches!(magic(found.f_type), RAMFS | TMPFS))
}

impl Host {
    /// Makes `path` a directory that is in memory only, mounted once per boot; below a root a plain directory.
    ///
    /// The mount is `nodev,nosuid,noexec`, mode 0751, root's. Called again, it finds its own mount and leaves it.
    ///
    /// # Errors
    /// [`MemoryError::Mount`] if nothing can be mounted and what is there could be swapped out.
    pub fn mount_ramfs(&self, path: &HostPath) -> Result<SecretsBacking, MemoryError> {
        let owner = Owner::Ids { uid: 0, gid: 0 };
        self.make_parents(path)?;
        if self.look(path)? == PathState::Absent {
            self.make_directory(path, owner, SECRETS_MODE)?;
        }
        if !self.is_live() {
            return Ok(SecretsBacking::Directory);
        }
        let failed = |errno: Errno| MemoryError::Mount {
            path: path.as_path().to_owned(),
            source: errno.into(),
        };
        let handle = self.root.open(path, OFlags::PATH).map_err(failed)?;
        if is_ramfs_mount(&handle).map_err(failed)? {
            return Ok(SecretsBacking::Ramfs);
        }
        let flags = MountFlags::NODEV | MountFlags::NOSUID | MountFlags::NOEXEC;
        // By handle: the path may mean something else by now.
        let by_handle = format!("/proc/self/fd/{}", handle.as_raw_fd());
        match mount("ramfs", by_handle.as_str(), "ramfs", flags, c"mode=0751") {
            Ok(()) => Ok(SecretsBacking::Ramfs),
            Err(errno) if is_tmpfs(&handle).map_err(failed)? && has_no_swap() => {
                tracing::warn!(%path, error = %errno, "cannot mount a ramfs; using the tmpfs that is there");
                Ok(SecretsBacking::TmpfsWithoutSwap)
            }
            Err(errno) => Err(failed(errno)),
        }
    }
}

/// Whether the handle is the root of a ramfs, not a directory inside of one.
fn is_ramfs_mount(handle: &OwnedFd) -> Result<bool, Errno> {
    if magic(fstatfs(handle)?.f_type) != RAMFS {
        return Ok(false);
    }
    let own = statat(handle, "", AtFlags::EMPTY_PATH)?;
    let above = statat(handle, "..", AtFlags::empty())?;
    Ok(own.st_dev != above.st_dev)
}

fn is_tmpfs(handle: &OwnedFd) -> Result<bool, Errno> {
    Ok(magic(fstatfs(handle)?.f_type) == TMPFS)
}

/// The type of `f_type` differs between architectures; the magic numbers fit in 32 bits.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the magic numbers are 32-bit patterns"
)]
fn magic(f_type: rustix::fs::FsWord) -> u32 {
    f_type as u32
}

/// Whether nothing can be swapped out: `/proc/swaps` has its header only. Unreadable counts as swap.
fn has_no_swap() -> bool {
    std::fs::read_to_string("/proc/swaps").is_ok_and(|swaps| swaps.lines().count() <= 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_is_told_from_memory() {
        assert!(!memory_backed(Path::new("/proc")).unwrap());
        assert!(memory_backed(Path::new("/dev/shm")).unwrap());
        assert!(memory_backed(Path::new("/no/such/place")).is_err());
    }

    #[test]
    fn below_a_root_secrets_lie_in_a_plain_directory() {
        let dir = tempfile::tempdir().unwrap();
        let host = Host::below(dir.path()).unwrap();
        let path = HostPath::new("/run/secrets.d").unwrap();
        for _ in 0..2 {
            let backing = host.mount_ramfs(&path).unwrap();
            assert_eq!(backing, SecretsBacking::Directory);
        }
        assert!(dir.path().join("run/secrets.d").is_dir());
    }
}
