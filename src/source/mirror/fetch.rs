//! Bringing commits into the mirror.

use git2::{ObjectType, Oid};

use super::{ACCEPTED, Mirror, Use, commit_id};
use crate::source::transport::{Target, Want, exchange};
use crate::source::{CommitId, FetchError, FetchErrorKind, Remote, Transport};

const FETCHED: &str = "refs/steadfast/fetched";

/// What a fetch found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The tip of the branch; in the mirror now.
    pub commit: CommitId,
    /// What it took to get it.
    pub transfer: Transfer,
}

/// What it took to get a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transfer {
    /// The listing said so; no objects were asked for.
    AlreadyHere,
    /// A pack came.
    Received {
        /// Its size.
        bytes: u64,
        /// Objects in it.
        objects: u32,
    },
}

impl Mirror {
    /// The tip of `branch` (without one: of the remote's `HEAD`), by one listing of references.
    pub fn list(
        &self,
        remote: &Remote,
        branch: Option<&str>,
        transport: &Transport,
    ) -> Result<CommitId, FetchError> {
        let (tip, _) = exchange(remote, Target::Tip(branch), transport, Want::Listing)?;
        checked(remote, tip)
    }

    /// Brings the tip of `branch` here: one listing and, on the same connection, one pack if the commit is not here
    /// yet. This is all that a poll needs: when nothing moved, it is a [`list`](Self::list).
    pub fn fetch(
        &self,
        remote: &Remote,
        branch: Option<&str>,
        transport: &Transport,
    ) -> Result<Fetched, FetchError> {
        let mirror_failed =
            |detail: String| FetchError::new(remote, FetchErrorKind::Mirror { detail });
        if self.use_for == Use::ReadOnly {
            return Err(mirror_failed("a clone is only read".to_owned()));
        }
        let packs = self
            .pack_files()
            .map_err(|e| mirror_failed(e.to_string()))?;
        let roots = self.complete_commits();
        let want = Want::Objects {
            into: &self.repository,
            haves: &|| self.haves(&roots),
            is_here: &|tip| self.is_below(tip, &roots),
        };
        let (tip, transfer) = exchange(remote, Target::Tip(branch), transport, want)?;
        let commit = checked(remote, tip)?;
        if transfer != Transfer::AlreadyHere {
            self.check_complete(tip, &roots).map_err(|error| {
                let detail = error.message().to_owned();
                let commit = commit.clone();
                FetchError::new(remote, FetchErrorKind::NotSent { commit, detail })
            })?;
            self.sync_packs(&packs)
                .map_err(|e| mirror_failed(e.to_string()))?;
        }
        if self.repository.refname_to_id(FETCHED).ok() != Some(tip) {
            self.set_reference(FETCHED, &commit)
                .map_err(|e| mirror_failed(e.to_string()))?;
        }
        if transfer != Transfer::AlreadyHere {
            self.tidy(&self.kept_commits())
                .map_err(|e| mirror_failed(e.message().to_owned()))?;
        }
        Ok(Fetched { commit, transfer })
    }

    /// The commits that are known to be here with everything below them, the last fetched one first.
    pub(super) fn complete_commits(&self) -> Vec<Oid> {
        [FETCHED, ACCEPTED]
            .iter()
            .filter_map(|name| self.repository.refname_to_id(name).ok())
            .filter(|oid| self.repository.find_commit(*oid).is_ok())
            .collect()
    }

    pub(super) fn is_below(&self, tip: Oid, roots: &[Oid]) -> bool {
        roots.contains(&tip)
            || self.repository.find_commit(tip).is_ok()
                && roots.iter().any(|root| {
                    self.repository
                        .graph_descendant_of(*root, tip)
                        .unwrap_or(false)
                })
    }

    /// What to tell a server about us: the roots and some commits below them, in case it has rewritten the newest.
    pub(super) fn haves(&self, roots: &[Oid]) -> Vec<Oid> {
        const MOST: usize = 64;
        let Ok(mut walk) = self.repository.revwalk() else {
            return roots.to_vec();
        };
        for root in roots {
            if walk.push(*root).is_err() {
                return roots.to_vec();
            }
        }
        walk.flatten().take(MOST).collect()
    }

    /// Checks that history and files of a fetched commit came whole.
    pub(super) fn check_complete(&self, tip: Oid, roots: &[Oid]) -> Result<(), git2::Error> {
        let mut walk = self.repository.revwalk()?;
        walk.push(tip)?;
        for root in roots {
            walk.hide(*root)?;
        }
        for commit in walk {
            commit?;
        }
        let odb = self.repository.odb()?;
        let mut missing = None;
        self.repository
            .find_commit(tip)?
            .tree()?
            .walk(git2::TreeWalkMode::PreOrder, |folder, entry| {
                let is_object = entry.kind() != Some(ObjectType::Commit);
                if is_object && !odb.exists(entry.id()) {
                    missing = Some(format!("{folder}{}", entry.name_bytes().escape_ascii()));
                    return git2::TreeWalkResult::Abort;
                }
                git2::TreeWalkResult::Ok
            })
            .or_else(|error| {
                if missing.is_some() {
                    Ok(())
                } else {
                    Err(error)
                }
            })?;
        match missing {
            Some(path) => Err(git2::Error::from_str(&format!("`{path}` is missing"))),
            None => Ok(()),
        }
    }
}

pub(super) fn checked(remote: &Remote, tip: Oid) -> Result<CommitId, FetchError> {
    commit_id(tip).ok_or_else(|| FetchError::new(remote, FetchErrorKind::Sha256))
}
