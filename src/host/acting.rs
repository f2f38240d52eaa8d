//! Acting on files with the rights of the account they lie with.
//!
//! Below a directory that belongs to somebody, that somebody decides what a name means, and can decide anew between two
//! system calls. So what is done there by name is done with their rights: wherever they lead, they could have done it
//! themselves. The kernel keeps identities per thread: the other threads of this process keep theirs. Only the effective one
//! changes, so that the account can neither signal nor trace the thread.

use rustix::io::Errno;
use rustix::process::{getegid, geteuid};
use rustix::thread::{Gid, Uid, set_thread_res_gid, set_thread_res_uid};

/// Whose rights an act on files has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Acting {
    /// This process's own.
    Ourselves,
    /// Those of the account that owns the first directory on the way that is not root's.
    As { uid: u32, gid: u32 },
}

impl Acting {
    /// Does `act` with these rights.
    ///
    /// # Errors
    /// `EPERM` if this process cannot take them on; nothing was done then.
    pub(super) fn perform<T>(self, act: impl FnOnce() -> T) -> Result<T, Errno> {
        let Self::As { uid, gid } = self else {
            return Ok(act());
        };
        let _back = Back {
            uid: geteuid(),
            gid: getegid(),
        };
        // The group first: without root's identity it could not be taken on any more.
        set_thread_res_gid(None::<Gid>, Gid::from_raw(gid), None::<Gid>)?;
        set_thread_res_uid(None::<Uid>, Uid::from_raw(uid), None::<Uid>)?;
        Ok(act())
    }

    /// Whether what belongs to `owner` may be given to somebody: below a directory of an account only what is the
    /// account's, because it can have moved anything else there.
    pub(super) fn may_give(self, owner: u32) -> bool {
        match self {
            Self::Ourselves => true,
            Self::As { uid, .. } => owner == uid,
        }
    }
}

/// Takes the thread's own identity back, also when the act panics.
struct Back {
    uid: Uid,
    gid: Gid,
}

impl Drop for Back {
    fn drop(&mut self) {
        let back = set_thread_res_uid(None::<Uid>, self.uid, None::<Uid>)
            .and_then(|()| set_thread_res_gid(None::<Gid>, self.gid, None::<Gid>));
        if back.is_err() {
            // The saved identity is still this process's own, so the kernel has no reason to refuse. Going on as
            // somebody else is the one thing that must not happen.
            std::process::abort();
        }
    }
}

#[cfg(test)]
mod tests;
