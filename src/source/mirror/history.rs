//! What the trust decision asks of the object database.

use git2::{ObjectType, Oid};

use super::{Mirror, commit_id, oid};
use crate::source::CommitId;

impl Mirror {
    /// Whether `ancestor` is `commit` or below it. A commit that is not here is below nothing.
    pub(in crate::source) fn is_descendant(&self, commit: &CommitId, ancestor: &CommitId) -> bool {
        match (oid(commit), oid(ancestor)) {
            (Some(commit), Some(ancestor)) if commit != ancestor => {
                // An error is a missing object: then it cannot be shown, and what cannot be shown is refused.
                self.repository
                    .graph_descendant_of(commit, ancestor)
                    .unwrap_or(false)
            }
            (commit, ancestor) => commit.is_some() && commit == ancestor,
        }
    }

    /// At most `most` commits that are reachable from `tip` and not from `anchor`, oldest first.
    pub(in crate::source) fn commits_since(
        &self,
        anchor: &CommitId,
        tip: &CommitId,
        most: usize,
    ) -> Result<Vec<CommitId>, git2::Error> {
        let mut walk = self.repository.revwalk()?;
        walk.set_sorting(git2::Sort::TOPOLOGICAL | git2::Sort::REVERSE)?;
        walk.push(Oid::from_str(tip.as_str())?)?;
        walk.hide(Oid::from_str(anchor.as_str())?)?;
        walk.take(most)
            .map(|found| {
                found.and_then(|oid| {
                    commit_id(oid).ok_or_else(|| git2::Error::from_str("not a SHA-1 commit"))
                })
            })
            .collect()
    }

    /// The commit object as it is stored: what its id and its signature are about.
    pub(in crate::source) fn raw_commit(&self, commit: &CommitId) -> Result<Vec<u8>, git2::Error> {
        let odb = self.repository.odb()?;
        let object = odb.read(Oid::from_str(commit.as_str())?)?;
        if object.kind() != ObjectType::Commit {
            return Err(git2::Error::from_str("it is not a commit"));
        }
        Ok(object.data().to_vec())
    }
}
