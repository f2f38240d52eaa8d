//! How reading or changing accounts goes wrong.

use crate::host::exec::ExecError;
use crate::host::{FileError, GroupName, UserName};

/// An account or group that could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The name has another id, which files on disk may carry.
    #[error("{account} has the id {found}, not {wanted}")]
    OtherId {
        /// `user app`, `group app`.
        account: String,
        /// The id that was asked for.
        wanted: u32,
        /// The id it has.
        found: u32,
    },
    /// The id belongs to somebody else.
    #[error("{account} cannot have the id {id}, which is that of {by}")]
    IdTaken {
        /// `user app`, `group app`.
        account: String,
        /// The id.
        id: u32,
        /// Whose it is.
        by: String,
    },
    /// No id is left in the range.
    #[error("no free id is left for {account}")]
    NoIdLeft {
        /// `user app`, `group app`.
        account: String,
    },
    /// There is no account of that name.
    #[error("there is no user {user}")]
    NoUser {
        /// The name.
        user: UserName,
    },
    /// A group of the account does not exist.
    #[error("user {user} cannot be in group {group}, which does not exist")]
    NoGroup {
        /// The account.
        user: UserName,
        /// The group.
        group: GroupName,
    },
    /// The superuser is not locked out of its own machine.
    #[error("user {user} is the superuser and is never locked")]
    Superuser {
        /// The name.
        user: UserName,
    },
    /// The text given as a password hash cannot be one.
    #[error("the password hash of user {user} is not a crypt(3) hash")]
    BadHash {
        /// The account.
        user: UserName,
    },
    /// A text that passwd(5) cannot hold.
    #[error("the {field} of user {user} contains `:` or a control character")]
    BadField {
        /// The account.
        user: UserName,
        /// The field: `description`, `home`, `shell`.
        field: &'static str,
    },
    /// The system's tool failed.
    #[error("cannot {action} {account}")]
    Tool {
        /// What was tried.
        action: &'static str,
        /// `user app`, `group app`.
        account: String,
        /// Why.
        #[source]
        source: ExecError,
    },
    /// A file of accounts cannot be read or replaced.
    #[error(transparent)]
    File(#[from] FileError),
}

impl AccountError {
    /// How to put it right, where that is known.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::OtherId { found, .. } => Some(format!(
                "ids are never changed, because files carry them: set the id {found}, or leave it out"
            )),
            Self::IdTaken { .. } => Some("choose another id, or leave it out".to_owned()),
            Self::NoGroup { group, .. } => Some(format!("declare {group} under `groups`")),
            Self::BadHash { .. } => Some("make one with: mkpasswd -m yescrypt".to_owned()),
            Self::Tool { source, .. } => source.hint(),
            Self::File(error) => error.hint(),
            Self::NoIdLeft { .. } => Some("set an id of your own".to_owned()),
            Self::BadField { field, .. } => Some(format!("write the {field} without it")),
            Self::NoUser { .. } | Self::Superuser { .. } => None,
        }
    }
}
