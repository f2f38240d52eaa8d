//! How the store goes wrong.

use std::io;
use std::path::{Path, PathBuf};

use crate::host::FileError;

/// An operation on the store that did not work.
#[derive(Debug, thiserror::Error)]
#[error("cannot {operation} at {}", path.display())]
pub struct StoreError {
    /// What was attempted, "read generation 4".
    pub operation: String,
    /// The file or directory.
    pub path: PathBuf,
    /// What stood in the way.
    #[source]
    pub kind: StoreErrorKind,
}

/// What stood in the way.
#[derive(Debug, thiserror::Error)]
pub enum StoreErrorKind {
    /// It is not there.
    #[error("it is not in the store")]
    Missing,
    /// It is there but not as it was written.
    #[error("the file is damaged: {reason}")]
    Damaged {
        /// What does not fit.
        reason: String,
    },
    /// It was written by another version.
    #[error("the file has format version {found}, this build reads version {known}")]
    UnknownVersion {
        /// Its version.
        found: u64,
        /// The newest version known.
        known: u32,
    },
    /// A transaction is open.
    #[error("a transaction is open")]
    TransactionOpen,
    /// The file system refused.
    #[error("{0}")]
    Io(io::Error),
    /// A state file could not be replaced or read.
    #[error(transparent)]
    File(Box<FileError>),
}

impl StoreError {
    pub(super) fn new(operation: impl Into<String>, path: &Path, kind: StoreErrorKind) -> Self {
        Self {
            operation: operation.into(),
            path: path.to_owned(),
            kind,
        }
    }

    pub(super) fn io(operation: &str, path: &Path, source: io::Error) -> Self {
        Self::new(operation, path, StoreErrorKind::Io(source))
    }

    pub(super) fn file(operation: &str, path: &Path, source: FileError) -> Self {
        Self::new(operation, path, StoreErrorKind::File(Box::new(source)))
    }

    pub(super) fn damaged(
        operation: impl Into<String>,
        path: &Path,
        reason: impl Into<String>,
    ) -> Self {
        let kind = StoreErrorKind::Damaged {
            reason: reason.into(),
        };
        Self::new(operation, path, kind)
    }

    /// How to put it right.
    #[must_use]
    pub fn fix(&self) -> Option<String> {
        match &self.kind {
            StoreErrorKind::Missing => {
                Some("`steadfast generations list` shows those that are there".to_owned())
            }
            StoreErrorKind::Damaged { .. } => Some(
                "restore the file from a backup; a generation that nothing points at can be removed with its folder"
                    .to_owned(),
            ),
            StoreErrorKind::UnknownVersion { .. } => {
                Some("use the version of steadfast that wrote it, or a newer one".to_owned())
            }
            StoreErrorKind::TransactionOpen => {
                Some("wait for it to end, or run `steadfast reconcile now`, which finishes it if it was interrupted".to_owned())
            }
            StoreErrorKind::Io(_) => None,
            StoreErrorKind::File(error) => error.hint(),
        }
    }
}
