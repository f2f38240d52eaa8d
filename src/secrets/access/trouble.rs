//! What stands in the way of changing who can read what.

use super::transaction::TransactionError;
use crate::host::durable::LockError;
use crate::secrets::file::SecretFileError;
use crate::secrets::repository::{MustChangeError, RecipientsError};
use crate::source::RepoPath;

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
        source: LockError,
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
