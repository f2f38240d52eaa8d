//! An input as it is locked: fetched by its commit's id, verified, and mounted into the files of the repository that uses
//! it.

use std::collections::BTreeSet;

use super::mirror::Wanted;
use super::snapshot::{DigestError, Mount};
use super::trust::{Refusal, signed_by};
use super::{CommitId, FetchError, InputName, Mirror, Remote, Snapshot, SnapshotError, Transport};
use crate::host::Digest;

/// A repository whose modules are used, at the commit that is locked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// What its modules are called by: `community/nfs`.
    pub name: InputName,
    /// Where it is.
    pub remote: Remote,
    /// The branch that its commits come from; the remote's `HEAD` when absent.
    pub branch: Option<String>,
    /// Its folder of modules.
    pub directory: String,
    /// Public keys of those who may sign its commits; none if signatures are not asked for.
    pub signers: Vec<String>,
    /// The commit.
    pub commit: CommitId,
    /// What its files come to.
    pub tree: Digest,
}

/// An input that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the input `{name}` cannot be used")]
pub struct PinError {
    /// The input.
    pub name: InputName,
    /// What stood in the way.
    #[source]
    pub kind: Box<PinErrorKind>,
}

/// What stood in the way of using an input.
#[derive(Debug, thiserror::Error)]
pub enum PinErrorKind {
    /// It is not here, and could not be fetched.
    #[error(transparent)]
    Fetch(FetchError),
    /// The commit's files cannot be listed.
    #[error(transparent)]
    Files(SnapshotError),
    /// They are too many to be verified.
    #[error(transparent)]
    Digest(DigestError),
    /// They are not what was locked.
    #[error("commit {} has other files than fleet.lock says", commit.short())]
    OtherTree {
        /// The locked commit.
        commit: CommitId,
    },
    /// Its commit is not signed by one of its signers.
    #[error(transparent)]
    Refused(Refusal),
}

impl PinError {
    /// What to do about it, if it is in somebody's hands.
    #[must_use]
    pub fn fix(&self) -> Option<String> {
        match &*self.kind {
            PinErrorKind::Fetch(error) => error.fix(),
            PinErrorKind::Files(_) => None,
            PinErrorKind::Digest(error) => Some(error.fix()),
            PinErrorKind::OtherTree { .. } => Some(format!(
                "fleet.lock was changed by hand, or the repository was; look at both, then run `steadfast inputs update {}`",
                self.name
            )),
            PinErrorKind::Refused(refusal) => Some(refusal.fix()),
        }
    }
}

impl Mirror {
    /// The files of `pin`, fetched into this mirror if they are not here, and verified: the commit is the locked one,
    /// its files are, and one of its signers signed it.
    ///
    /// # Errors
    /// [`PinError`] names the input and what stood in the way.
    pub fn input(
        &self,
        pin: &Pin,
        transport: &Transport,
        now_secs: i64,
    ) -> Result<Mount, PinError> {
        let failed = |kind| PinError {
            name: pin.name.clone(),
            kind: Box::new(kind),
        };
        let wanted = Wanted::Locked(&pin.commit, pin.branch.as_deref());
        self.fetch_input(&pin.remote, wanted, transport)
            .map_err(|error| failed(PinErrorKind::Fetch(error)))?;
        let files = self
            .snapshot(&pin.commit)
            .map_err(|error| failed(PinErrorKind::Files(error)))?;
        let tree = files
            .digest()
            .map_err(|error| failed(PinErrorKind::Digest(error)))?;
        if tree != pin.tree {
            let commit = pin.commit.clone();
            return Err(failed(PinErrorKind::OtherTree { commit }));
        }
        if !pin.signers.is_empty() {
            signed_by(self, &pin.commit, &pin.signers, now_secs)
                .map_err(|refusal| failed(PinErrorKind::Refused(refusal)))?;
        }
        Ok(Mount {
            name: pin.name.clone(),
            commit: pin.commit.clone(),
            directory: pin.directory.clone(),
            files,
        })
    }

    /// `snapshot` with the files of all `pins`.
    ///
    /// # Errors
    /// As [`input`](Self::input), for the first that cannot be used.
    pub fn with_inputs(
        &self,
        snapshot: Snapshot,
        pins: &[Pin],
        transport: &Transport,
        now_secs: i64,
    ) -> Result<Snapshot, PinError> {
        let mut snapshot = snapshot;
        for pin in pins {
            snapshot = snapshot.with_input(self.input(pin, transport, now_secs)?);
        }
        Ok(snapshot)
    }

    /// Forgets the commits that none of `pins` names.
    pub fn keep_only(&self, pins: &[Pin]) {
        let wanted: BTreeSet<CommitId> = pins.iter().map(|pin| pin.commit.clone()).collect();
        self.forget_inputs_but(&wanted);
    }
}
