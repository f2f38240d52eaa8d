//! The bare mirror of the config repository, and a person's own clone read through the same eyes.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use git2::{ErrorCode, Oid, Repository, RepositoryInitOptions, RepositoryOpenFlags};

use super::{CommitId, Revision, Snapshot, SnapshotError};
use crate::host::{FileError, durable};

mod fetch;
mod history;
mod inputs;
mod tidy;

pub use fetch::{Fetched, Transfer};
pub use inputs::Wanted;

const ACCEPTED: &str = "refs/steadfast/accepted";

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
    /// Whether it is about who owns the repository.
    foreign: Foreign,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Foreign {
    Yes,
    No,
}

impl MirrorError {
    /// What to do about it, if it is in somebody's hands.
    #[must_use]
    pub fn fix(&self) -> Option<String> {
        (self.foreign == Foreign::Yes).then(|| {
            format!(
                "run this as the user who owns it, or, if you trust them: `git config --global --add safe.directory {}`",
                self.path.display()
            )
        })
    }
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
                create(path, &options).map_err(|e| failed("create", path, &e))?
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

    /// The newest commit that both build on.
    pub fn merge_base(&self, one: &CommitId, other: &CommitId) -> Result<CommitId, ResolveError> {
        let name = format!("{}...{}", one.short(), other.short());
        let ids = oid(one).zip(oid(other));
        let base = ids
            .ok_or_else(|| git2::Error::from_str("not an object id"))
            .and_then(|(one, other)| self.repository.merge_base(one, other))
            .map_err(|e| self.unresolved(&name, &e))?;
        commit_id(base).ok_or_else(|| ResolveError {
            name,
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
                foreign: Foreign::No,
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

/// Makes it beside its place, so that one that is there is whole: libgit2 does not go on with what a kill left half made.
fn create(path: &Path, options: &RepositoryInitOptions) -> Result<Repository, git2::Error> {
    let io = |error: std::io::Error| git2::Error::from_str(&error.to_string());
    let file_error = |error: FileError| git2::Error::from_str(&error.to_string());
    let mut making = path.as_os_str().to_owned();
    making.push(".new");
    let making = PathBuf::from(making);
    match std::fs::remove_dir_all(&making) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(io(error)),
        _ => {}
    }
    let repository = Repository::init_opts(&making, options)?;
    // References and single objects are on the disk before they count; packs: see `sync_packs`.
    repository
        .config()?
        .set_bool("core.fsyncObjectFiles", true)?;
    // Opened again, because the setting is read at opening.
    drop(repository);
    durable::syncfs(&making).map_err(file_error)?;
    if durable::put_in_place(&making, path).is_err() {
        // Somebody else was first, or an older version was killed half way.
        if let Ok(theirs) = Repository::open_bare(path) {
            return Ok(theirs);
        }
        std::fs::remove_dir_all(path).map_err(io)?;
        durable::put_in_place(&making, path).map_err(file_error)?;
    }
    Repository::open_bare(path)
}

fn failed(action: &'static str, path: &Path, error: &git2::Error) -> MirrorError {
    MirrorError {
        action,
        path: path.to_owned(),
        detail: error.message().to_owned(),
        foreign: match error.code() {
            ErrorCode::Owner => Foreign::Yes,
            _ => Foreign::No,
        },
    }
}

pub(super) fn oid(commit: &CommitId) -> Option<Oid> {
    Oid::from_str(commit.as_str()).ok()
}

pub(super) fn commit_id(oid: Oid) -> Option<CommitId> {
    CommitId::new(oid.to_string()).ok()
}

pub(super) fn describe(id: &CommitId, commit: &git2::Commit<'_>) -> Revision {
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
mod hostile_tests;
#[cfg(test)]
mod tests;
