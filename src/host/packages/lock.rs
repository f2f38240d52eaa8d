//! The lock that everybody who moves packages takes: while we have it, no package is unpacked or configured.

use std::fs::File;
use std::thread;
use std::time::Duration;

use rustix::fs::{FlockOperation, OFlags, fcntl_lock};
use rustix::io::Errno;

use super::PackageError;
use crate::host::{FileError, Host, HostPath, durable};

/// dpkg's frontend lock: apt, aptitude, unattended-upgrades and dpkg itself hold it from their first change to the last.
const FRONTEND: &str = "/var/lib/dpkg/lock-frontend";
/// How long somebody else's work with packages is waited for.
pub const PATIENCE: Duration = Duration::from_mins(2);
const PAUSE: Duration = Duration::from_millis(250);

/// dpkg's frontend lock, held until this is dropped or the process ends, however it ends. One at a time in a process: the
/// kernel releases such a lock as soon as any handle of the file is closed.
#[derive(Debug)]
#[must_use = "the lock is released when this is dropped"]
pub struct PackageLock {
    _file: File,
}

impl Host {
    /// Takes the lock of dpkg; waits for whoever has it, as long as `patience`. `None` where there is no dpkg.
    ///
    /// Nothing is written: the file keeps its times.
    ///
    /// # Errors
    /// [`PackageError::Busy`] if somebody has it still, [`PackageError::Lock`] if it cannot be taken at all.
    pub fn lock_packages(&self, patience: Duration) -> Result<Option<PackageLock>, PackageError> {
        let failed = |errno: Errno| PackageError::Lock {
            source: FileError::io("lock", FRONTEND.as_ref(), errno),
        };
        let Ok(path) = HostPath::new(FRONTEND) else {
            return Ok(None);
        };
        let file = match self.root.open(&path, OFlags::RDWR | OFlags::NONBLOCK) {
            Ok(file) => File::from(file),
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
            Err(errno) => return Err(failed(errno)),
        };
        let mut left = patience;
        loop {
            match fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(Some(PackageLock { _file: file })),
                Err(Errno::AGAIN | Errno::ACCESS) => {}
                Err(Errno::INTR) => continue,
                Err(errno) => return Err(failed(errno)),
            }
            let Some(less) = left.checked_sub(PAUSE) else {
                return Err(PackageError::Busy {
                    pid: durable::holder_of(&file, "POSIX"),
                    waited: patience,
                });
            };
            if left == patience {
                tracing::info!("waiting for whoever is working with packages");
            }
            left = less;
            thread::sleep(PAUSE);
        }
    }
}

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "a test's own files and another process"
)]
mod tests {
    use std::fs;
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn whoever_works_with_packages_is_waited_for_and_named() {
        let dir = tempfile::tempdir().unwrap();
        let host = Host::below(dir.path()).unwrap();
        assert!(host.lock_packages(PATIENCE).unwrap().is_none());
        fs::create_dir_all(dir.path().join("var/lib/dpkg")).unwrap();
        let file = dir.path().join("var/lib/dpkg/lock-frontend");
        fs::write(&file, "").unwrap();
        let before = fs::metadata(&file).unwrap().modified().unwrap();
        for _ in 0..2 {
            // Released each time, or the second would wait.
            assert!(host.lock_packages(Duration::ZERO).unwrap().is_some());
        }
        assert_eq!(fs::metadata(&file).unwrap().modified().unwrap(), before);

        // Such a lock excludes other processes only. Perl is essential on Debian.
        let script = "use Fcntl; my $all = pack('s s x4 q q l x4', F_WRLCK, 0, 0, 0, 0); \
            open(F, '+<', $ARGV[0]); fcntl(F, F_SETLK, $all) or die; $| = 1; print \"held\\n\"; <STDIN>;";
        let other = Command::new("perl")
            .args(["-e", script])
            .arg(&file)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let Ok(mut other) = other else {
            println!("SKIP: no perl on this machine");
            return;
        };
        let mut said = [0; 5];
        std::io::Read::read_exact(other.stdout.as_mut().unwrap(), &mut said).unwrap();
        let error = host.lock_packages(Duration::from_millis(300)).unwrap_err();
        let named = format!("process {}", other.id());
        assert!(error.to_string().contains(&named), "{error}");
        assert!(error.hint().unwrap().contains("wait"), "{error:?}");

        let held = thread::scope(|scope| {
            let waiting = scope.spawn(|| host.lock_packages(PATIENCE));
            drop(other.stdin.take());
            other.wait().unwrap();
            waiting.join().unwrap()
        });
        assert!(held.unwrap().is_some());
    }
}
