//! The git repository around a working copy: its files as they are on disk, in the index, and in commits.

use std::path::{Path, PathBuf};

use git2::{DiffOptions, ErrorCode, Index, ObjectType, Oid, Tree};

use crate::host::FileError;
use crate::host::durable;
use crate::secrets::repository::LARGEST_FILE_BYTES;

/// A git repository with a working tree.
pub struct Worktree {
    pub(super) git: git2::Repository,
    root: PathBuf,
}

/// Something that git does not have, or that cannot be read from it.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// There is no repository.
    #[error("{} is not in a git working tree", start.display())]
    NotAWorktree {
        /// Where it was looked for.
        start: PathBuf,
    },
    /// A revision that git does not know.
    #[error("git knows no revision `{text}`")]
    NoRevision {
        /// As it was given.
        text: String,
    },
    /// A path outside of the working tree.
    #[error("{} is not in the working tree {}", path.display(), root.display())]
    Outside {
        /// The path.
        path: PathBuf,
        /// The working tree.
        root: PathBuf,
    },
    /// Anything else that libgit2 says.
    #[error("cannot {action}")]
    Git {
        /// What was tried.
        action: &'static str,
        /// What libgit2 says.
        source: git2::Error,
    },
    /// A file of the working tree.
    #[error(transparent)]
    File(#[from] FileError),
}

impl GitError {
    /// How to go on.
    #[must_use]
    pub fn fix(&self) -> Option<String> {
        match self {
            Self::NotAWorktree { .. } => Some("run this in a clone of the repository".to_owned()),
            Self::NoRevision { .. } => {
                Some("`git log --oneline` shows revisions; write `-- FILE` for a file".to_owned())
            }
            Self::Outside { .. } => Some("run this in the clone that holds the file".to_owned()),
            Self::Git { .. } => None,
            Self::File(error) => error.hint(),
        }
    }

    pub(super) fn git(action: &'static str) -> impl FnOnce(git2::Error) -> Self {
        move |source| Self::Git { action, source }
    }
}

/// One state of the repository's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// As they are on disk.
    Worktree,
    /// As they will be committed.
    Index,
    /// As a commit has them.
    Commit(Oid),
    /// No files at all: before the first commit.
    Nothing,
}

impl std::fmt::Debug for Worktree {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worktree")
            .field("root", &self.root)
            .finish_non_exhaustive()
    }
}

impl Worktree {
    /// The repository whose working tree `start` lies in.
    pub fn find(start: &Path) -> Result<Self, GitError> {
        let none = || GitError::NotAWorktree {
            start: start.to_owned(),
        };
        let git = git2::Repository::discover(start).map_err(|error| match error.code() {
            ErrorCode::NotFound => none(),
            _ => GitError::Git {
                action: "open the git repository",
                source: error,
            },
        })?;
        let root = git.workdir().ok_or_else(none)?;
        let root = root.canonicalize().map_err(|_gone| none())?;
        Ok(Self { git, root })
    }

    /// The top of the working tree.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// How git names `path`, which need not be there.
    pub fn name_of(&self, path: &Path) -> Result<String, GitError> {
        let outside = || GitError::Outside {
            path: path.to_owned(),
            root: self.root.clone(),
        };
        let absolute = std::path::absolute(path).map_err(|_no_directory| outside())?;
        let real = match (
            absolute.canonicalize(),
            absolute.parent(),
            absolute.file_name(),
        ) {
            (Ok(real), ..) => real,
            (Err(_), Some(parent), Some(name)) => parent
                .canonicalize()
                .map_or_else(|_gone| absolute.clone(), |parent| parent.join(name)),
            _ => return Err(outside()),
        };
        let relative = real.strip_prefix(&self.root).map_err(|_other| outside())?;
        Ok(relative.to_str().ok_or_else(outside)?.to_owned())
    }

    /// The commit that `text` names.
    pub fn commit(&self, text: &str) -> Result<State, GitError> {
        let unknown = |_error| GitError::NoRevision {
            text: text.to_owned(),
        };
        let object = self.git.revparse_single(text).map_err(unknown)?;
        Ok(State::Commit(
            object.peel(ObjectType::Commit).map_err(unknown)?.id(),
        ))
    }

    /// The last commit; nothing before the first.
    pub fn head(&self) -> Result<State, GitError> {
        match self.git.head() {
            Ok(head) => {
                let commit = head.peel_to_commit().map_err(GitError::git("read HEAD"))?;
                Ok(State::Commit(commit.id()))
            }
            Err(error) if matches!(error.code(), ErrorCode::UnbornBranch | ErrorCode::NotFound) => {
                Ok(State::Nothing)
            }
            Err(source) => Err(GitError::Git {
                action: "read HEAD",
                source,
            }),
        }
    }

    /// The last commit that both have.
    pub fn merge_base(&self, one: State, other: State) -> Result<State, GitError> {
        let (State::Commit(one), State::Commit(other)) = (one, other) else {
            return Ok(State::Nothing);
        };
        let base = self
            .git
            .merge_base(one, other)
            .map_err(GitError::git("find the common ancestor"))?;
        Ok(State::Commit(base))
    }

    /// The content of the file that git names `name`; nothing if it is not there, or larger than a secret file can be.
    pub fn read(&self, state: State, name: &str) -> Result<Option<Vec<u8>>, GitError> {
        match state {
            State::Worktree => Ok(durable::read(&self.root.join(name), LARGEST_FILE_BYTES)?),
            State::Nothing => Ok(None),
            State::Index => {
                let index = self.index()?;
                let entry = index.get_path(Path::new(name), 0);
                entry.map_or(Ok(None), |entry| self.blob(entry.id))
            }
            State::Commit(id) => {
                let tree = self.tree(id)?;
                match tree.get_path(Path::new(name)) {
                    Ok(entry) if entry.kind() == Some(ObjectType::Blob) => self.blob(entry.id()),
                    _ => Ok(None),
                }
            }
        }
    }

    pub(super) fn blob(&self, id: Oid) -> Result<Option<Vec<u8>>, GitError> {
        let blob = self
            .git
            .find_blob(id)
            .map_err(GitError::git("read a file from git"))?;
        let fits = blob.size() as u64 <= LARGEST_FILE_BYTES;
        Ok(fits.then(|| blob.content().to_vec()))
    }

    pub(super) fn index(&self) -> Result<Index, GitError> {
        self.git.index().map_err(GitError::git("read git's index"))
    }

    fn tree(&self, id: Oid) -> Result<Tree<'_>, GitError> {
        let commit = self.git.find_commit(id);
        commit
            .and_then(|commit| commit.tree())
            .map_err(GitError::git("read a commit"))
    }

    /// The names of the files that differ between two states, in order.
    pub fn changed(&self, before: State, after: State) -> Result<Vec<String>, GitError> {
        let mut options = DiffOptions::new();
        options.include_typechange(true).ignore_submodules(true);
        let tree = |state| match state {
            State::Commit(id) => self.tree(id).map(Some),
            _ => Ok(None),
        };
        let options = Some(&mut options);
        let diff = match (before, after) {
            (State::Index, State::Worktree) => self.git.diff_index_to_workdir(None, options),
            (before, State::Worktree) => self
                .git
                .diff_tree_to_workdir_with_index(tree(before)?.as_ref(), options),
            (before, State::Index) => {
                self.git
                    .diff_tree_to_index(tree(before)?.as_ref(), None, options)
            }
            (before, after) => {
                let (before, after) = (tree(before)?, tree(after)?);
                self.git
                    .diff_tree_to_tree(before.as_ref(), after.as_ref(), options)
            }
        };
        let diff = diff.map_err(GitError::git("compare in git"))?;
        let mut names: Vec<String> = diff
            .deltas()
            .filter_map(|delta| {
                let path = delta
                    .new_file()
                    .path()
                    .or_else(|| delta.old_file().path())?;
                Some(path.to_str()?.to_owned())
            })
            .collect();
        names.sort();
        names.dedup();
        Ok(names)
    }
}
