//! Whether somebody else is changing packages.

use std::fs::File;
use std::io::ErrorKind;

use rustix::process::{Flock, FlockType, fcntl_getlk};

use crate::host::Host;

/// The locks of whoever changes packages: apt and its like take the first, dpkg the second.
const LOCKS: [&str; 2] = ["var/lib/dpkg/lock-frontend", "var/lib/dpkg/lock"];

impl Host {
    /// The process that is changing packages right now, as far as that can be told; `None` if nobody is.
    #[must_use]
    pub fn package_change(&self) -> Option<i32> {
        LOCKS.iter().find_map(|lock| {
            let file = match File::open(self.root().join(lock)) {
                Ok(file) => file,
                Err(error) if error.kind() == ErrorKind::NotFound => return None,
                Err(error) => {
                    tracing::debug!(%error, lock, "who holds the lock cannot be told");
                    return None;
                }
            };
            let ours = Flock::from(FlockType::WriteLock);
            let held = fcntl_getlk(&file, &ours).ok().flatten()?;
            // A holder in another PID namespace has no number here.
            Some(held.pid.map_or(0, |pid| pid.as_raw_nonzero().get()))
        })
    }
}
