//! The working copy for nobody but us to change who can read what.

use std::path::Path;

use super::transaction::{Recovered, TransactionError, is_interrupted, recover};
use crate::host::durable::{Lock, LockError};
use crate::secrets::repository::{Repository, RepositoryError};

/// The working copy, with the lock of `.sops.yaml`. What an interrupted run left has been finished or undone.
#[derive(Debug)]
pub struct Exclusive {
    repository: Repository,
    recovered: Option<Recovered>,
    _lock: Lock,
}

/// A working copy that cannot be had alone.
#[derive(Debug, thiserror::Error)]
pub enum ExclusiveError {
    /// Somebody else is changing it.
    #[error("somebody else is changing who can read what")]
    Locked(#[source] Box<LockError>),
    /// What an interrupted run left cannot be dealt with.
    #[error("an earlier run was interrupted, and cannot be finished")]
    Recover(#[source] TransactionError),
    /// What is there after finishing it.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
}

impl ExclusiveError {
    /// How to go on.
    #[must_use]
    pub fn fix(&self) -> Option<String> {
        match self {
            Self::Locked(error) => error.hint(),
            Self::Recover(error) => error.fix(),
            Self::Repository(error) => error.fix().map(str::to_owned),
        }
    }
}

impl Exclusive {
    /// Takes the lock of the repository that `start` is in, and deals with what an interrupted run left.
    ///
    /// # Errors
    /// [`ExclusiveError`].
    pub fn begin(start: &Path) -> Result<Self, ExclusiveError> {
        let repository = Repository::find(start)?;
        let lock = repository
            .lock_rules()
            .map_err(|error| ExclusiveError::Locked(Box::new(error)))?;
        if !is_interrupted(&repository) {
            return Ok(Self {
                repository: Repository::find(start)?,
                recovered: None,
                _lock: lock,
            });
        }
        let recovered = recover(&repository).map_err(ExclusiveError::Recover)?;
        // Finishing may have replaced `.sops.yaml`, and what was locked is then the old one.
        drop(lock);
        let lock = repository
            .lock_rules()
            .map_err(|error| ExclusiveError::Locked(Box::new(error)))?;
        Ok(Self {
            repository: Repository::find(start)?,
            recovered,
            _lock: lock,
        })
    }

    /// The working copy.
    #[must_use]
    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    /// How an interrupted run was dealt with, if there was one.
    #[must_use]
    pub fn recovered(&self) -> Option<&Recovered> {
        self.recovered.as_ref()
    }
}
