//! What stands in the way of changing who can read what.

use super::transaction::TransactionError;
use super::usage::HostFileTrouble;
use crate::host::FileError;
use crate::host::durable::LockError;
use crate::secrets::file::SecretFileError;
use crate::secrets::repository::{MustChangeError, RecipientsError, RulesTextError};
use crate::source::{CloneError, RepoPath};

/// One file that stands in the way of a rekey.
#[derive(Debug, thiserror::Error)]
pub enum RekeyTrouble {
    /// It cannot be read, opened or encrypted.
    #[error(transparent)]
    File(#[from] SecretFileError),
    /// Its recipients cannot be told.
    #[error(transparent)]
    Recipients(#[from] RecipientsError),
    /// Somebody is changing it.
    #[error("somebody else is changing {file}")]
    Locked {
        /// The file.
        file: RepoPath,
        /// Who holds the lock.
        source: Box<LockError>,
    },
    /// The ledger of values to change.
    #[error(transparent)]
    Ledger(#[from] MustChangeError),
    /// The files could not be replaced.
    #[error(transparent)]
    Transaction(#[from] TransactionError),
}

impl RekeyTrouble {
    /// How to go on.
    #[must_use]
    pub fn fix(&self) -> Option<String> {
        match self {
            Self::File(error) => error.fix(),
            Self::Recipients(error) => Some(error.fix().to_owned()),
            Self::Locked { source, .. } => source.hint(),
            Self::Ledger(error) => error.fix(),
            Self::Transaction(error) => error.fix(),
        }
    }
}

/// A rekey that was not done: every file is as it was, unless a trouble says that it stopped halfway.
#[derive(Debug, thiserror::Error)]
#[error("{}", summary(troubles))]
pub struct RekeyError {
    /// What stands in the way, file by file.
    pub troubles: Vec<RekeyTrouble>,
}

fn summary(troubles: &[RekeyTrouble]) -> String {
    match troubles {
        [RekeyTrouble::Transaction(TransactionError::Halfway { .. })] => {
            "the rekey stopped halfway".to_owned()
        }
        [RekeyTrouble::Transaction(_)] => "nothing was rekeyed".to_owned(),
        [_] => "nothing was rekeyed: one file stands in the way".to_owned(),
        several => format!(
            "nothing was rekeyed: {} files stand in the way",
            several.len()
        ),
    }
}

impl From<Vec<RekeyTrouble>> for RekeyError {
    fn from(troubles: Vec<RekeyTrouble>) -> Self {
        Self { troubles }
    }
}

impl From<RekeyTrouble> for RekeyError {
    fn from(trouble: RekeyTrouble) -> Self {
        Self {
            troubles: vec![trouble],
        }
    }
}

impl From<TransactionError> for RekeyError {
    fn from(error: TransactionError) -> Self {
        RekeyTrouble::from(error).into()
    }
}

/// A host that cannot be onboarded; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum OnboardError {
    /// The name cannot be a folder.
    #[error("`{host}` cannot be the name of a host")]
    Name {
        /// The name.
        host: String,
    },
    /// The host has another key already.
    #[error("{host} has another key in this repository")]
    OtherKey {
        /// The host.
        host: String,
    },
    /// The key is somebody else's.
    #[error("the key of {host} is that of {other}")]
    KeyOfAnother {
        /// The host.
        host: String,
        /// Who has the key.
        other: String,
    },
    /// Its host file is wrong.
    #[error("{file}: {}", trouble.what)]
    HostFile {
        /// The host file.
        file: RepoPath,
        /// What is wrong.
        trouble: HostFileTrouble,
    },
    /// A file that it uses.
    #[error("{file} cannot be read as a secret file")]
    Broken {
        /// The file.
        file: RepoPath,
    },
    /// A file without usable rule.
    #[error(transparent)]
    Recipients(#[from] RecipientsError),
    /// `.sops.yaml` cannot be changed.
    #[error(transparent)]
    Rules(#[from] RulesTextError),
    /// The file system.
    #[error(transparent)]
    File(#[from] FileError),
}

impl OnboardError {
    /// How to go on.
    #[must_use]
    pub fn fix(&self) -> Option<String> {
        Some(match self {
            Self::Name { .. } => "use the name of its folder in hosts/".to_owned(),
            Self::OtherKey { host } => format!(
                "if {host} was set up anew, give --replace, which takes the old key out; otherwise somebody may be posing as {host}"
            ),
            Self::KeyOfAnother { host, other } => format!(
                "if `{other}` is {host} by another name, call its anchor in .sops.yaml `{host}`; otherwise make a new key with `ssh-keygen -A` on one of them, since two hosts with one key can read each other's secrets"
            ),
            Self::HostFile { trouble, .. } => return trouble.fix.clone(),
            Self::Broken { .. } => {
                "`steadfast secrets check` says what is wrong with it".to_owned()
            }
            Self::Recipients(error) => error.fix().to_owned(),
            Self::Rules(error) => error.fix().to_owned(),
            Self::File(error) => return error.hint(),
        })
    }
}

/// Somebody who cannot be offboarded; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum OffboardError {
    /// Nobody of that name.
    #[error("`{name}` is and was no host or person of this repository")]
    Unknown {
        /// The name.
        name: String,
    },
    /// No git repository.
    #[error("there is no git repository, so nobody can tell what they could read before")]
    NoHistory,
    /// A part of the history is missing.
    #[error("this clone is shallow, so nobody can tell what they could read before")]
    Shallow,
    /// The history cannot be read.
    #[error(transparent)]
    Clone(#[from] CloneError),
    /// A file that cannot be read, so that nobody can tell who can.
    #[error("{file} cannot be read as a secret file")]
    Broken {
        /// The file.
        file: RepoPath,
    },
    /// Nobody else can read it.
    #[error("nobody else can read {file}")]
    NobodyLeft {
        /// The file.
        file: RepoPath,
    },
    /// A file without usable rule.
    #[error(transparent)]
    Recipients(#[from] RecipientsError),
    /// `.sops.yaml` cannot be changed.
    #[error(transparent)]
    Rules(#[from] RulesTextError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] MustChangeError),
    /// The file system.
    #[error(transparent)]
    File(#[from] FileError),
}

impl OffboardError {
    /// How to go on.
    #[must_use]
    pub fn fix(&self) -> Option<String> {
        Some(match self {
            Self::Unknown { .. } => "`steadfast secrets who` shows everybody; people are called by their anchors in .sops.yaml".to_owned(),
            Self::NoHistory => "run it in a clone, or give --incomplete-history".to_owned(),
            Self::Shallow => "run `git fetch --unshallow`, or give --incomplete-history".to_owned(),
            Self::Clone(_) => "run `git fsck`".to_owned(),
            Self::Broken { .. } => "`steadfast secrets check` says what is wrong with it".to_owned(),
            Self::NobodyLeft { .. } => "add somebody to it first, or remove the file".to_owned(),
            Self::Recipients(error) => error.fix().to_owned(),
            Self::Rules(error) => error.fix().to_owned(),
            Self::Ledger(error) => return error.fix(),
            Self::File(error) => return error.hint(),
        })
    }
}
