//! What the file system knows of the last change at a path: when, and whose the file is. It does not know who did it.

use rustix::fs::{OFlags, fstat};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Host, HostPath, clock};

/// When what is at a path was changed last, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Trace {
    /// When its content was changed last, seconds since 1970-01-01T00:00:00Z. Programs can set it to anything.
    pub modified_secs: i64,
    /// When its content, owner or mode was changed last, by the kernel's word, seconds since 1970-01-01T00:00:00Z.
    pub changed_secs: i64,
    /// The user id that it belongs to.
    pub uid: u32,
}

impl Trace {
    /// In a few words.
    #[must_use]
    pub fn words(&self) -> String {
        format!(
            "changed {}, of user id {}",
            clock::rfc3339(self.changed_secs),
            self.uid
        )
    }
}

impl Host {
    /// The trace of the last change at `path`; `None` if nothing is there, or it cannot be looked at. Only for people.
    #[must_use]
    pub fn trace(&self, path: &HostPath) -> Option<Trace> {
        let handle = self.root.open(path, OFlags::PATH).ok()?;
        let found = fstat(&handle).ok()?;
        Some(Trace {
            modified_secs: found.st_mtime,
            changed_secs: found.st_ctime,
            uid: found.st_uid,
        })
    }
}
