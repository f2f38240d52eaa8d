//! Who wrote a line: commit, author and time, from git's history.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use git2::{BlameOptions, ErrorCode, Oid, Repository, RepositoryOpenFlags};

use super::mirror::{commit_id, describe, oid};
use super::{CommitId, RepoPath, Revision};

/// The history that lines are looked up in.
pub struct Blame {
    repository: Repository,
    /// The commit that the files are of; `None` for files as they lie in the folder.
    newest: Option<Oid>,
    /// Where in the git repository the files are, with a slash at its end; empty for the top.
    prefix: String,
}

/// Who wrote a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LineState {
    /// The commit that it comes from.
    Committed(Revision),
    /// It is only in the folder.
    NotCommitted,
    /// git cannot say.
    Unknown {
        /// Why not.
        reason: String,
    },
}

impl Blame {
    /// The history of the files as they lie in `folder`; `None` if it is in no git working copy.
    #[must_use]
    pub fn of_folder(folder: &Path) -> Option<Self> {
        let folder = folder.canonicalize().ok()?;
        let no_ceiling: [&Path; 0] = [];
        let flags = RepositoryOpenFlags::empty();
        let repository = Repository::open_ext(&folder, flags, no_ceiling).ok()?;
        let top = repository.workdir()?.canonicalize().ok()?;
        let mut prefix = folder.strip_prefix(top).ok()?.to_str()?.to_owned();
        if !prefix.is_empty() {
            prefix.push('/');
        }
        Some(Self {
            repository,
            newest: None,
            prefix,
        })
    }

    /// The history of the files of `commit`, in the repository that `path` is in.
    #[must_use]
    pub fn of_commit(path: &Path, commit: &CommitId) -> Option<Self> {
        let no_ceiling: [&Path; 0] = [];
        let flags = RepositoryOpenFlags::empty();
        Some(Self {
            repository: Repository::open_ext(path, flags, no_ceiling).ok()?,
            newest: Some(oid(commit)?),
            prefix: String::new(),
        })
    }

    /// Who wrote `lines` (from 1) of a file with this content.
    #[must_use]
    pub fn lines(
        &self,
        file: &RepoPath,
        content: &[u8],
        lines: &BTreeSet<u32>,
    ) -> BTreeMap<u32, LineState> {
        let all = |state: &LineState| lines.iter().map(|line| (*line, state.clone())).collect();
        match self.looked_up(file, content, lines) {
            Ok(found) => found,
            // The file is new, or there is no commit yet.
            Err(error)
                if self.newest.is_none()
                    && matches!(error.code(), ErrorCode::NotFound | ErrorCode::UnbornBranch) =>
            {
                all(&LineState::NotCommitted)
            }
            Err(error) => all(&LineState::Unknown {
                reason: error.message().to_owned(),
            }),
        }
    }

    fn looked_up(
        &self,
        file: &RepoPath,
        content: &[u8],
        lines: &BTreeSet<u32>,
    ) -> Result<BTreeMap<u32, LineState>, git2::Error> {
        let path = format!("{}{file}", self.prefix);
        let newest = match self.newest {
            Some(newest) => newest,
            None => self.repository.head()?.peel_to_commit()?.id(),
        };
        let tree = self.repository.find_commit(newest)?.tree()?;
        let committed = tree.get_path(Path::new(&path))?;
        let blob = self.repository.find_blob(committed.id())?;
        let changed = self.newest.is_none() && blob.content() != content;
        let mut options = BlameOptions::new();
        options.newest_commit(newest);
        if !changed && let (Some(first), Some(last)) = (lines.first(), lines.last()) {
            options.min_line(*first as usize).max_line(*last as usize);
        }
        let blame = self
            .repository
            .blame_file(Path::new(&path), Some(&mut options))?;
        let of_buffer = if changed {
            Some(blame.blame_buffer(content)?)
        } else {
            None
        };
        let blame = of_buffer.as_ref().unwrap_or(&blame);
        let found = lines.iter().map(|line| {
            let hunk = blame.get_line(*line as usize);
            let state = match hunk.map(|hunk| hunk.final_commit_id()) {
                Some(id) if id.is_zero() => LineState::NotCommitted,
                Some(id) => self.committed(id),
                None => LineState::Unknown {
                    reason: "there is no such line".to_owned(),
                },
            };
            (*line, state)
        });
        Ok(found.collect())
    }

    fn committed(&self, id: Oid) -> LineState {
        let found = self.repository.find_commit(id);
        match (commit_id(id), found) {
            (Some(id), Ok(commit)) => LineState::Committed(describe(&id, &commit)),
            (_, Err(error)) => LineState::Unknown {
                reason: error.message().to_owned(),
            },
            (None, Ok(_)) => LineState::Unknown {
                reason: "it is not a SHA-1 commit".to_owned(),
            },
        }
    }
}

#[cfg(test)]
mod tests;
