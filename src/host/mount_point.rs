//! Looking at a mount point without looking at what is mounted there.

use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};
use rustix::io::Errno;

use super::root::Trust;
use super::{FileError, FileMode, Host, HostPath, Owner, PathState};

impl Host {
    /// What is at the mount point `path`. A file system that is mounted there is not asked anything: it may be mounted
    /// only when somebody looks, or be that of a server that does not answer.
    ///
    /// # Errors
    /// [`FileError`] if it cannot be read: unreadable is not absent.
    pub fn look_at_mount_point(&self, path: &HostPath) -> Result<PathState, FileError> {
        const ACTION: &str = "look at";
        let failed = |errno: Errno| FileError::io(ACTION, &self.real_path(path), errno);
        let Ok(parent) = self.root.open_parent(ACTION, path, Trust::Any) else {
            // What is in the way is told as for any path.
            return self.look(path);
        };
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_XDEV | ResolveFlags::NO_SYMLINKS;
        loop {
            match openat2(&parent, path.file_name(), flags, Mode::empty(), resolve) {
                // Something is mounted there.
                Err(Errno::XDEV) => {
                    return Ok(PathState::Directory {
                        mode: FileMode::from_bits(0o755),
                        owner: Owner::Ids { uid: 0, gid: 0 },
                    });
                }
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(Errno::NOENT) => return Ok(PathState::Absent),
                Ok(_) | Err(Errno::LOOP) => return self.look(path),
                Err(errno) => return Err(failed(errno)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_mounted_is_looked_at_as_any_path() {
        let directory = tempfile::tempdir().unwrap();
        let host = Host::below(&directory.path().join("root")).unwrap();
        let at = |path: &str| HostPath::new(path).unwrap();
        std::fs::create_dir_all(host.root().join("srv/data")).unwrap();
        std::os::unix::fs::symlink("data", host.root().join("srv/link")).unwrap();
        for path in ["/srv/data", "/srv/link", "/srv/none", "/none/at/all"] {
            let path = at(path);
            assert_eq!(
                host.look_at_mount_point(&path).unwrap(),
                host.look(&path).unwrap(),
                "{path}"
            );
        }
    }

    #[test]
    fn a_mounted_file_system_is_not_entered() {
        let host = Host::live().unwrap();
        let found = host
            .look_at_mount_point(&HostPath::new("/proc").unwrap())
            .unwrap();
        // The real mode is 0555: it was not asked.
        assert_eq!(
            found,
            PathState::Directory {
                mode: FileMode::from_bits(0o755),
                owner: Owner::Ids { uid: 0, gid: 0 },
            }
        );
    }
}
