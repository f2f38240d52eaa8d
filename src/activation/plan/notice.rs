//! What a plan does not do: notices, which people should know, and conflicts, which stop it.

use serde::{Deserialize, Serialize};

/// Something a plan leaves alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Notice {
    /// What it is about: a path, a unit, an account.
    pub subject: String,
    /// What is not done, and why.
    pub text: String,
}

/// Something on the host that is in the way and that nobody said may be taken.
#[derive(
    Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize, schemars::JsonSchema,
)]
#[error("{subject}: {found}")]
pub struct Conflict {
    /// What it is about: a path, or `user NAME`, `group NAME`.
    pub subject: String,
    /// What is there.
    pub found: String,
    /// How to go on.
    pub hint: String,
}

/// Every conflict of a plan; nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} on the host in the way; nothing was changed", counted(.0))]
pub struct Conflicts(pub Vec<Conflict>);

fn counted(conflicts: &[Conflict]) -> String {
    match conflicts {
        [one] => format!("`{}` is", one.subject),
        many => format!("{} things are", many.len()),
    }
}
