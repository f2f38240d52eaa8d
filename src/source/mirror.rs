//! The bare mirror of the config repository, and a person's own clone read through the same eyes.

use std::path::{Path, PathBuf};

use git2::{ErrorCode, ObjectType, Oid, Repository, RepositoryInitOptions, RepositoryOpenFlags};

use super::transport::{Want, exchange};
use super::{
    CommitId, FetchError, FetchErrorKind, Remote, Revision, Snapshot, SnapshotError, Transport,
};

const ACCEPTED: &str = "refs/steadfast/accepted";
const FETCHED: &str = "refs/steadfast/fetched";

/// A git object database with the commits of one config repository.
///
/// Either the agent's own bare mirror, or a clone that is only read. Nothing is ever checked out, no hook, filter
/// or submodule is looked at.
pub struct Mirror {
    repository: Repository,
    use_for: Use,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    Mirror,
    ReadOnly,
}

/// A mirror or clone that cannot be opened, read or written.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} the git repository {}: {detail}", path.display())]
pub struct MirrorError {
    /// What was tried, such as `open`.
    pub action: &'static str,
    /// The repository.
    pub path: PathBuf,
    /// What libgit2 said.
    pub detail: String,
}

/// A name that leads to no commit of a repository.
#[derive(Debug, thiserror::Error)]
#[error("`{name}` is no commit of {}: {detail}", path.display())]
pub struct ResolveError {
    /// The name, branch, tag or id.
    pub name: String,
    /// The repository.
    pub path: PathBuf,
    /// What libgit2 said.
    pub detail: String,
}

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
    /// Opens the bare mirror at `path`; makes it when it is not there.
    pub fn open(path: &Path) -> Result<Self, MirrorError> {
        let repository = match Repository::open_bare(path) {
            Ok(repository) => repository,
            Err(error) if error.code() == ErrorCode::NotFound => {
                let mut options = RepositoryInitOptions::new();
                options
                    .bare(true)
                    .external_template(false)
                    .mode(git2::RepositoryInitMode::from_bits_retain(0o700));
                Repository::init_opts(path, &options).map_err(|e| failed("create", path, &e))?
            }
            Err(error) => return Err(failed("open", path, &error)),
        };
        Ok(Self {
            repository,
            use_for: Use::Mirror,
        })
    }

    /// Opens the clone that `path` lies in, only to read its commits; uncommitted files are not seen.
    pub fn of_clone(path: &Path) -> Result<Self, MirrorError> {
        let no_ceiling: [&Path; 0] = [];
        let repository = Repository::open_ext(path, RepositoryOpenFlags::empty(), no_ceiling)
            .map_err(|e| failed("open", path, &e))?;
        Ok(Self {
            repository,
            use_for: Use::ReadOnly,
        })
    }

    /// Where the object database is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.repository.path()
    }

    /// The tip of `branch` (without one: of the remote's `HEAD`), by one listing of references.
    #[expect(
        clippy::unused_self,
        reason = "a listing belongs to a mirror as a fetch does"
    )]
    pub fn list(
        &self,
        remote: &Remote,
        branch: Option<&str>,
        transport: &Transport,
    ) -> Result<CommitId, FetchError> {
        let (tip, _) = exchange(remote, branch, transport, Want::Listing)?;
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
        let mirror_failed = |error: &MirrorError| {
            FetchError::new(
                remote,
                FetchErrorKind::Mirror {
                    detail: error.to_string(),
                },
            )
        };
        let roots = self.complete_commits();
        let haves = self.haves(&roots);
        let want = Want::Objects {
            into: &self.repository,
            haves: &haves,
            is_here: &|tip| self.is_below(tip, &roots),
        };
        let (tip, transfer) = exchange(remote, branch, transport, want)?;
        let commit = checked(remote, tip)?;
        if transfer != Transfer::AlreadyHere {
            self.check_complete(tip, &roots).map_err(|error| {
                FetchError::new(
                    remote,
                    FetchErrorKind::NotSent {
                        commit: commit.clone(),
                        detail: error.message().to_owned(),
                    },
                )
            })?;
        }
        if roots.first() != Some(&tip) {
            self.set_reference(FETCHED, &commit)
                .map_err(|e| mirror_failed(&e))?;
        }
        Ok(Fetched { commit, transfer })
    }

    /// Whether `ancestor` is `commit` or below it. A commit that is not here is below nothing.
    pub(super) fn is_descendant(&self, commit: &CommitId, ancestor: &CommitId) -> bool {
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
    pub(super) fn commits_since(
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
    pub(super) fn raw_commit(&self, commit: &CommitId) -> Result<Vec<u8>, git2::Error> {
        let odb = self.repository.odb()?;
        let object = odb.read(Oid::from_str(commit.as_str())?)?;
        if object.kind() != ObjectType::Commit {
            return Err(git2::Error::from_str("it is not a commit"));
        }
        Ok(object.data().to_vec())
    }

    /// The commits that are known to be here with everything below them, the last fetched one first.
    fn complete_commits(&self) -> Vec<Oid> {
        [FETCHED, ACCEPTED]
            .iter()
            .filter_map(|name| self.repository.refname_to_id(name).ok())
            .filter(|oid| self.repository.find_commit(*oid).is_ok())
            .collect()
    }

    fn is_below(&self, tip: Oid, roots: &[Oid]) -> bool {
        roots.contains(&tip)
            || self.repository.find_commit(tip).is_ok()
                && roots.iter().any(|root| {
                    self.repository
                        .graph_descendant_of(*root, tip)
                        .unwrap_or(false)
                })
    }

    /// What to tell a server about us: the roots and some commits below them, in case it has rewritten the newest.
    fn haves(&self, roots: &[Oid]) -> Vec<Oid> {
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
    fn check_complete(&self, tip: Oid, roots: &[Oid]) -> Result<(), git2::Error> {
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

    /// Whether `commit` is here.
    #[must_use]
    pub fn has(&self, commit: &CommitId) -> bool {
        oid(commit).is_some_and(|oid| self.repository.find_commit(oid).is_ok())
    }

    /// What the commit says about itself.
    pub fn revision(&self, commit: &CommitId) -> Result<Revision, ResolveError> {
        let found = oid(commit)
            .ok_or_else(|| git2::Error::from_str("not an object id"))
            .and_then(|oid| self.repository.find_commit(oid))
            .map_err(|e| self.unresolved(commit.as_str(), &e))?;
        Ok(describe(commit, &found))
    }

    /// The commit that `name` (branch, tag, id, `HEAD~2`) leads to.
    pub fn resolve(&self, name: &str) -> Result<CommitId, ResolveError> {
        let commit = self
            .repository
            .revparse_single(name)
            .and_then(|object| object.peel_to_commit())
            .map_err(|e| self.unresolved(name, &e))?;
        commit_id(commit.id()).ok_or_else(|| ResolveError {
            name: name.to_owned(),
            path: self.path().to_owned(),
            detail: "it is not a SHA-1 commit".to_owned(),
        })
    }

    /// The files of `commit`.
    pub fn snapshot(&self, commit: &CommitId) -> Result<Snapshot, SnapshotError> {
        Snapshot::of_commit(self.repository.path(), commit)
    }

    /// The last commit that passed the trust policy and was acted on; the anchor of the next check.
    pub fn accepted(&self) -> Result<Option<CommitId>, MirrorError> {
        match self.repository.refname_to_id(ACCEPTED) {
            Ok(oid) => Ok(commit_id(oid)),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
            Err(error) => Err(failed("read the accepted commit of", self.path(), &error)),
        }
    }

    /// Remembers `commit` as accepted. Call it only with the commit of a
    /// [`TrustedRevision`](super::TrustedRevision).
    pub fn set_accepted(&self, commit: &CommitId) -> Result<(), MirrorError> {
        self.set_reference(ACCEPTED, commit)
    }

    fn set_reference(&self, name: &str, commit: &CommitId) -> Result<(), MirrorError> {
        if self.use_for == Use::ReadOnly {
            return Err(MirrorError {
                action: "write to",
                path: self.path().to_owned(),
                detail: "it is somebody's clone, opened for reading".to_owned(),
            });
        }
        oid(commit)
            .ok_or_else(|| git2::Error::from_str("not an object id"))
            .and_then(|oid| self.repository.reference(name, oid, true, "steadfast"))
            .map(drop)
            .map_err(|e| failed("write to", self.path(), &e))
    }

    fn unresolved(&self, name: &str, error: &git2::Error) -> ResolveError {
        ResolveError {
            name: name.to_owned(),
            path: self.path().to_owned(),
            detail: error.message().to_owned(),
        }
    }
}

fn failed(action: &'static str, path: &Path, error: &git2::Error) -> MirrorError {
    MirrorError {
        action,
        path: path.to_owned(),
        detail: error.message().to_owned(),
    }
}

fn checked(remote: &Remote, tip: Oid) -> Result<CommitId, FetchError> {
    commit_id(tip).ok_or_else(|| FetchError::new(remote, FetchErrorKind::Sha256))
}

pub(super) fn oid(commit: &CommitId) -> Option<Oid> {
    Oid::from_str(commit.as_str()).ok()
}

pub(super) fn commit_id(oid: Oid) -> Option<CommitId> {
    CommitId::new(oid.to_string()).ok()
}

fn describe(id: &CommitId, commit: &git2::Commit<'_>) -> Revision {
    const SUBJECT_CHARACTERS: usize = 200;
    let author = commit.author();
    let printable = |bytes: &[u8]| -> String {
        String::from_utf8_lossy(bytes)
            .chars()
            .filter(|c| !c.is_control())
            .take(SUBJECT_CHARACTERS)
            .collect()
    };
    Revision {
        commit: id.clone(),
        author: format!(
            "{} <{}>",
            printable(author.name_bytes()),
            printable(author.email_bytes())
        ),
        time_secs: commit.time().seconds(),
        subject: printable(
            commit
                .message_bytes()
                .split(|b| *b == b'\n')
                .find(|line| !line.trim_ascii().is_empty())
                .unwrap_or_default(),
        ),
    }
}

#[cfg(test)]
mod tests;
