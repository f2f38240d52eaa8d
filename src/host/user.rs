//! Becoming another user, for good.

use std::ffi::CString;

use nix::errno::Errno;
use nix::unistd::{User, initgroups, setgid, setuid};

/// A user that this process cannot become.
#[derive(Debug, thiserror::Error)]
pub enum BecomeError {
    /// There is no such user.
    #[error("there is no user `{name}`")]
    NoUser {
        /// The name.
        name: String,
    },
    /// The kernel, or the user database, refused.
    #[error("cannot become the user `{name}`")]
    Refused {
        /// The name.
        name: String,
        /// Why.
        source: std::io::Error,
    },
}

impl BecomeError {
    /// How to put it right.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoUser { .. } => None,
            Self::Refused { .. } => Some("run this as root".to_owned()),
        }
    }
}

/// Makes this process run as `name`, with all groups of that user. There is no way back.
///
/// # Errors
/// [`BecomeError`]; the groups may be changed by then, so that the process should end.
pub fn become_user(name: &str) -> Result<(), BecomeError> {
    let refused = |errno: Errno| BecomeError::Refused {
        name: name.to_owned(),
        source: errno.into(),
    };
    let no_user = || BecomeError::NoUser {
        name: name.to_owned(),
    };
    let user = User::from_name(name)
        .map_err(refused)?
        .ok_or_else(no_user)?;
    let text = CString::new(name).map_err(|_nul| no_user())?;
    // Groups first: without privilege they cannot be changed any more.
    initgroups(&text, user.gid).map_err(refused)?;
    setgid(user.gid).map_err(refused)?;
    setuid(user.uid).map_err(refused)
}
