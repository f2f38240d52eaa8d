//! How much room the file system of a path has.

use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{AtFlags, OFlags, StatVfs, fstat, fstatvfs, statat};
use rustix::io::Errno;

use super::{FileError, Host, HostPath};

/// What a file system has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Which file system.
    pub device: u64,
    /// Bytes that we may use.
    pub bytes: u64,
    /// Files that can be made; `None` where they are not counted.
    pub files: Option<u64>,
    /// What a file takes at least, and in steps of.
    pub block_bytes: u64,
}

/// The directory that something is to be in, or the nearest one above that is there.
#[derive(Debug)]
pub struct Surroundings {
    /// What its file system has left.
    pub room: Room,
    directory: Option<OwnedFd>,
}

impl Surroundings {
    /// The bytes of the file at `path`, which is to be in this directory; 0 if there is none.
    #[must_use]
    pub fn bytes_of(&self, path: &HostPath) -> u64 {
        let Some(directory) = &self.directory else {
            return 0;
        };
        let found = statat(directory, path.file_name(), AtFlags::SYMLINK_NOFOLLOW);
        found.map_or(0, |found| u64::try_from(found.st_size).unwrap_or(0))
    }
}

impl Host {
    /// The surroundings of what is to be at `path`, and of everything beside it.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn around(&self, path: &HostPath) -> Result<Surroundings, FileError> {
        let failed =
            |errno: Errno| FileError::io("ask for the room at", &self.real_path(path), errno);
        for (distance, above) in path.ancestors().enumerate() {
            match self.root.open(&above, OFlags::PATH | OFlags::DIRECTORY) {
                Ok(directory) => {
                    return Ok(Surroundings {
                        room: room_of(&directory).map_err(failed)?,
                        directory: (distance == 0).then_some(directory),
                    });
                }
                // What is in the way is told by whoever comes to it.
                Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => {}
                Err(errno) => return Err(failed(errno)),
            }
        }
        Ok(Surroundings {
            room: room_of(&self.root.fd).map_err(failed)?,
            directory: None,
        })
    }
}

/// The room in the directory `path` of this machine, or the nearest one above that is there.
///
/// # Errors
/// [`FileError`].
pub fn room_in(path: &Path) -> Result<Room, FileError> {
    let failed = |source: std::io::Error| FileError::io("ask for the room in", path, source);
    let there = path.ancestors().find(|above| above.is_dir());
    let directory = std::fs::File::open(there.unwrap_or(Path::new("/"))).map_err(failed)?;
    room_of(&directory).map_err(|errno| failed(errno.into()))
}

fn room_of(directory: impl std::os::fd::AsFd) -> Result<Room, Errno> {
    let device = fstat(&directory)?.st_dev;
    let StatVfs {
        f_frsize,
        f_bfree,
        f_bavail,
        f_files,
        f_ffree,
        ..
    } = fstatvfs(&directory)?;
    // What is kept for root is ours as well.
    let blocks = if rustix::process::geteuid().is_root() {
        f_bfree
    } else {
        f_bavail
    };
    Ok(Room {
        device,
        bytes: blocks.saturating_mul(f_frsize),
        files: (f_files > 0).then_some(f_ffree),
        block_bytes: f_frsize.max(1),
    })
}
