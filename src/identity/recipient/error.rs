//! What can be wrong with a recipient.

use crate::identity::plugin::PluginError;

/// Text that is not a recipient.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecipientError {
    /// Not a recipient.
    #[error("`{text}` is not a recipient: {reason}")]
    Invalid {
        /// What was given.
        text: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// An SSH key type that age has no stanza for.
    #[error(
        "the recipient `{short}` is an SSH key of type {kind}; only ssh-ed25519 and ssh-rsa can be recipients"
    )]
    SshType {
        /// Its beginning.
        short: String,
        /// The type.
        kind: String,
    },
    /// A private key where a public one belongs.
    #[error("this is a private key, not a recipient; it is not shown here")]
    Private,
}

impl RecipientError {
    /// How to go on.
    #[must_use]
    pub fn fix(&self) -> &'static str {
        match self {
            Self::Invalid { .. } => {
                "use `age1…`, `ssh-ed25519 AAAA…`, `ssh-rsa AAAA…`, or what an age plugin prints"
            }
            Self::SshType { .. } => "make a key with `ssh-keygen -t ed25519`",
            Self::Private => {
                "take the private key out of the file and out of git's history, replace it, and use its public half (`age-keygen -y`)"
            }
        }
    }
}

/// A data key that could not be wrapped.
#[derive(Debug, thiserror::Error)]
#[error("cannot encrypt to the recipient `{recipient}`: {kind}")]
pub struct WrapError {
    /// The recipient, shortened.
    pub recipient: String,
    /// Why not.
    pub kind: WrapErrorKind,
}

/// Why a data key could not be wrapped.
#[derive(Debug, thiserror::Error)]
pub enum WrapErrorKind {
    /// `age1pq1…`: hybrid post-quantum.
    #[error("it is a post-quantum key (age1pq1…), which this version cannot encrypt to")]
    PostQuantum,
    /// `age1NAME1…`: the plugin.
    #[error(transparent)]
    Plugin(#[from] PluginError),
    /// Age refused, which no valid recipient was seen to cause.
    #[error("{reason}")]
    Age {
        /// What age said.
        reason: String,
    },
}

impl WrapError {
    /// How to go on.
    #[must_use]
    pub fn fix(&self) -> &'static str {
        match &self.kind {
            WrapErrorKind::PostQuantum => {
                "add it with `sops updatekeys` of sops 3.12, after which its entry is kept here; or give this person or host a second, plain age or SSH key"
            }
            WrapErrorKind::Plugin(error) => error.fix(),
            WrapErrorKind::Age { .. } => "take that recipient out of .sops.yaml, or replace it",
        }
    }
}
