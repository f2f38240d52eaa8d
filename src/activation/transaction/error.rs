//! Why a transaction could not be prepared, begun or written down as ended.

use crate::activation::Conflicts;
use crate::activation::failure::HostFailure;
use crate::activation::journal::JournalError;
use crate::activation::observe::ObserveError;
use crate::activation::room::NoRoom;
use crate::activation::validate::Refused;
use crate::generation::{GenerationNumber, StoreError};
use crate::host::PackageError;

/// An activation that could not be prepared. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// The host cannot be looked at.
    #[error(transparent)]
    Observe(#[from] ObserveError),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Something is in the way.
    #[error(transparent)]
    Conflicts(#[from] Conflicts),
}

impl PrepareError {
    /// How to go on.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Observe(error) => error.hint(),
            Self::Store(error) => error.fix(),
            Self::Conflicts(conflicts) => match conflicts.0.as_slice() {
                [one] => Some(one.hint.clone()),
                _ => None,
            },
        }
    }
}

/// An activation that could not begin, or could not be written down as ended.
#[derive(Debug, thiserror::Error)]
pub enum ActivateError {
    /// Another transaction is not over.
    #[error("a transaction of generation {target} is not over")]
    Open {
        /// Where it goes.
        target: GenerationNumber,
    },
    /// A program refused new content, so nothing was changed.
    #[error("{0}; nothing was changed")]
    Refused(Refused),
    /// New content could not be shown to the programs that judge it, so nothing was changed.
    #[error("cannot have new content judged; nothing was changed")]
    Judge(#[source] HostFailure),
    /// What is on the host cannot be kept for the way back, so nothing was changed.
    #[error("cannot keep what is on the host for the way back; nothing was changed")]
    Keep(#[source] HostFailure),
    /// A file system has no room for what the plan writes, so nothing was changed.
    #[error("{0}; nothing was changed")]
    NoRoom(NoRoom),
    /// Everything is done, and whether that is written down cannot be told: the disk of the journal fails. What
    /// recovery finds there decides.
    #[error("it cannot be told whether the generation is in force: {reason}")]
    InDoubt {
        /// What the disk said.
        reason: String,
    },
    /// Somebody works with packages, so nothing was changed.
    #[error("{0}; nothing was changed")]
    Busy(PackageError),
    /// The journal cannot be written.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The store cannot be written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ActivateError {
    /// How to go on.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Open { .. } => {
                Some("run `steadfast reconcile now`: it is finished first".to_owned())
            }
            Self::Refused(_) => Some("push a commit that puts it right".to_owned()),
            Self::Keep(error) | Self::Judge(error) => error.hint(),
            Self::NoRoom(error) => Some(error.hint()),
            Self::InDoubt { .. } => Some(
                "see `dmesg` about the disk; the next `steadfast reconcile now` finishes it"
                    .to_owned(),
            ),
            Self::Busy(error) => error.hint(),
            Self::Journal(error) => error.hint(),
            Self::Store(error) => error.fix(),
        }
    }
}
