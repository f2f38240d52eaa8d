//! Commits of other repositories: each is kept by its id, and none is ever followed by the name of a branch.

use std::collections::BTreeSet;

use git2::Oid;

use super::fetch::checked;
use super::{Mirror, Transfer, Use, commit_id, oid};
use crate::source::transport::{Target, Want, exchange};
use crate::source::{CommitId, FetchError, FetchErrorKind, Fetched, Remote, Revision, Transport};

/// Below it, one reference for each commit that is kept, named by its id.
const KEPT: &str = "refs/steadfast/inputs/";

/// Which commit of another repository is wanted.
#[derive(Debug, Clone, Copy)]
pub enum Wanted<'a> {
    /// The newest of a branch, or of the remote's `HEAD`: to be locked.
    Newest(Option<&'a str>),
    /// One that is locked, by its id; the branch is where it was found.
    Locked(&'a CommitId, Option<&'a str>),
}

impl Mirror {
    /// Whether `commit` of an input is here with everything below it.
    #[must_use]
    pub fn has_input(&self, commit: &CommitId) -> bool {
        let name = format!("{KEPT}{commit}");
        self.repository.refname_to_id(&name).is_ok() && self.has(commit)
    }

    /// Brings a commit of another repository here. A locked one that is here already costs nothing.
    ///
    /// # Errors
    /// [`FetchError`]; [`CommitGone`](FetchErrorKind::CommitGone) if the remote does not have the locked commit.
    pub fn fetch_input(
        &self,
        remote: &Remote,
        wanted: Wanted<'_>,
        transport: &Transport,
    ) -> Result<Fetched, FetchError> {
        let failed = |kind| FetchError::new(remote, kind);
        let mirror_failed = |detail: String| failed(FetchErrorKind::Mirror { detail });
        if self.use_for == Use::ReadOnly {
            return Err(mirror_failed("a clone is only read".to_owned()));
        }
        let target = match wanted {
            Wanted::Newest(branch) => Target::Tip(branch),
            Wanted::Locked(commit, _) if self.has_input(commit) => {
                return Ok(Fetched {
                    commit: commit.clone(),
                    transfer: Transfer::AlreadyHere,
                });
            }
            Wanted::Locked(commit, branch) => {
                let gone = || {
                    failed(FetchErrorKind::CommitGone {
                        commit: commit.to_string(),
                    })
                };
                Target::Commit(oid(commit).ok_or_else(gone)?, branch)
            }
        };
        let packs = self
            .pack_files()
            .map_err(|e| mirror_failed(e.to_string()))?;
        let roots = self.inputs();
        let want = Want::Objects {
            into: &self.repository,
            haves: &|| self.haves(&roots),
            is_here: &|tip| self.is_below(tip, &roots),
        };
        let (found, transfer) =
            exchange(remote, target, transport, want).map_err(|error| named(error, wanted))?;
        let commit = match wanted {
            Wanted::Newest(_) => checked(remote, found)?,
            Wanted::Locked(commit, _) => commit.clone(),
        };
        self.take_whole(&commit, found, &roots)
            .map_err(|detail| match wanted {
                Wanted::Locked(commit, _) if !self.has(commit) => {
                    failed(FetchErrorKind::CommitGone {
                        commit: commit.to_string(),
                    })
                }
                _ => failed(FetchErrorKind::NotSent {
                    commit: commit.clone(),
                    detail,
                }),
            })?;
        self.sync_packs(&packs)
            .map_err(|e| mirror_failed(e.to_string()))?;
        self.set_reference(&format!("{KEPT}{commit}"), &commit)
            .map_err(|e| mirror_failed(e.to_string()))?;
        self.tidy(&self.kept_commits())
            .map_err(|e| mirror_failed(e.message().to_owned()))?;
        Ok(Fetched { commit, transfer })
    }

    /// Whether `commit` is `earlier`, or builds on it.
    #[must_use]
    pub fn builds_on(&self, commit: &CommitId, earlier: &CommitId) -> bool {
        self.is_descendant(commit, earlier)
    }

    /// The commits that `to` has and `from` does not, newest first, at most `most`.
    #[must_use]
    pub fn log(&self, from: &CommitId, to: &CommitId, most: usize) -> Vec<Revision> {
        // Commits that cannot be read are left out: it is for people.
        let mut commits = self.commits_since(from, to, most).unwrap_or_default();
        commits.reverse();
        let read = commits
            .iter()
            .filter_map(|commit| self.revision(commit).ok());
        read.collect()
    }

    /// Forgets the commits of inputs that are not among `wanted`.
    pub fn forget_inputs_but(&self, wanted: &BTreeSet<CommitId>) {
        let Ok(references) = self.repository.references_glob(&format!("{KEPT}*")) else {
            return;
        };
        for mut reference in references.flatten() {
            let kept = reference
                .target()
                .and_then(commit_id)
                .is_some_and(|commit| wanted.contains(&commit));
            if !kept {
                // What stays costs room and nothing else.
                let _ = reference.delete();
            }
        }
    }

    /// Everything that is not to be thrown away.
    pub(super) fn kept_commits(&self) -> Vec<Oid> {
        let mut kept = self.complete_commits();
        kept.extend(self.inputs());
        kept
    }

    fn inputs(&self) -> Vec<Oid> {
        let references = self.repository.references_glob(&format!("{KEPT}*"));
        let targets = references
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|one| one.target());
        targets
            .filter(|oid| self.repository.find_commit(*oid).is_ok())
            .collect()
    }

    /// Checks that a commit and what is below it are here, be it on the way to `found`.
    fn take_whole(&self, commit: &CommitId, found: Oid, roots: &[Oid]) -> Result<(), String> {
        let say = |error: git2::Error| error.message().to_owned();
        let wanted = oid(commit).ok_or("it is not an object id")?;
        self.repository.find_commit(wanted).map_err(say)?;
        if !self.is_below(wanted, &[found]) {
            return Err("it is not below what was sent".to_owned());
        }
        self.check_complete(wanted, roots).map_err(say)
    }
}

/// A server that does not have what was asked for says so in its own words.
fn named(error: FetchError, wanted: Wanted<'_>) -> FetchError {
    let Wanted::Locked(commit, _) = wanted else {
        return error;
    };
    let gone = matches!(&*error.kind, FetchErrorKind::Server { detail }
        if detail.contains("not our ref") || detail.contains(commit.as_str()));
    if gone {
        let commit = commit.to_string();
        return FetchError::new(&error.remote, FetchErrorKind::CommitGone { commit });
    }
    error
}

#[cfg(test)]
mod tests;
