//! A person's clone: what is staged for the next commit, and every file that ever was in its history.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use git2::{ErrorCode, ObjectType, Oid, Repository, RepositoryOpenFlags, TreeWalkMode};

use super::RepoPath;

/// The largest file that is read from a history.
const LARGEST_BLOB_BYTES: usize = 16 * 1024 * 1024;

/// A clone around a directory, which is only read. No process is started, no hook or filter is looked at.
pub struct WorkingClone {
    repository: Repository,
    /// The directory inside the clone, with a slash at its end; empty for the top.
    prefix: String,
}

/// The content of one file in git's object database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobId(Oid);

/// A clone that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} the git repository around {}: {detail}", path.display())]
pub struct CloneError {
    /// What was tried, such as `open`.
    pub action: &'static str,
    /// The directory.
    pub path: PathBuf,
    /// What libgit2 said.
    pub detail: String,
}

/// Every version of the files that were asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// Each file with its contents, each once.
    pub versions: BTreeMap<RepoPath, BTreeSet<BlobId>>,
    /// How many commits were looked at.
    pub commits: usize,
}

impl WorkingClone {
    /// Opens the clone that `directory` is in; `None` if it is in none.
    ///
    /// # Errors
    /// [`CloneError`] if there is one and it cannot be used.
    pub fn around(directory: &Path) -> Result<Option<Self>, CloneError> {
        let failed = |detail: String| CloneError {
            action: "open",
            path: directory.to_owned(),
            detail,
        };
        let no_ceiling: [&Path; 0] = [];
        let flags = RepositoryOpenFlags::empty();
        let repository = match Repository::open_ext(directory, flags, no_ceiling) {
            Ok(repository) => repository,
            Err(error) if error.code() == ErrorCode::NotFound => return Ok(None),
            Err(error) => return Err(failed(error.message().to_owned())),
        };
        let real = |path: &Path| {
            path.canonicalize()
                .map_err(|error| failed(error.to_string()))
        };
        let Some(top) = repository.workdir() else {
            return Ok(None);
        };
        let inside = real(directory)?;
        let inside = inside
            .strip_prefix(real(top)?)
            .map_err(|_outside| failed("it is not inside its work tree".to_owned()))?;
        let mut prefix = inside.to_string_lossy().into_owned();
        if !prefix.is_empty() {
            prefix.push('/');
        }
        Ok(Some(Self { repository, prefix }))
    }

    /// Whether older commits are missing.
    #[must_use]
    pub fn is_shallow(&self) -> bool {
        self.repository.is_shallow()
    }

    /// The directory inside the clone, with a slash at its end; empty for the top.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The files that the next commit would hold, below the directory.
    ///
    /// # Errors
    /// [`CloneError`] if the index cannot be read.
    pub fn staged(&self) -> Result<BTreeMap<RepoPath, BlobId>, CloneError> {
        const FILE_TYPE: u32 = 0o170_000;
        const FILE: u32 = 0o100_000;
        let index = self
            .repository
            .index()
            .map_err(|error| self.failed("read the index of", &error))?;
        let mut files = BTreeMap::new();
        for entry in index.iter() {
            let stage = (entry.flags >> 12) & 0b11;
            if stage == 0 && entry.mode & FILE_TYPE == FILE {
                files.extend(self.below(&entry.path).map(|path| (path, BlobId(entry.id))));
            }
        }
        Ok(files)
    }

    /// Every version of the files that `wanted` names, in all commits that HEAD, a branch (local or remote-tracking) or
    /// a tag leads to.
    ///
    /// # Errors
    /// [`CloneError`] if an object cannot be read.
    pub fn history(&self, wanted: &dyn Fn(&RepoPath) -> bool) -> Result<History, CloneError> {
        let failed = |error: git2::Error| self.failed("read the history of", &error);
        let mut walk = self.repository.revwalk().map_err(failed)?;
        // A repository without a commit has no HEAD, and one may be detached.
        if self.repository.head().is_ok() {
            walk.push_head().map_err(failed)?;
        }
        for pattern in ["refs/heads/*", "refs/remotes/*", "refs/tags/*"] {
            walk.push_glob(pattern).map_err(failed)?;
        }
        let mut found = History::default();
        let mut seen: HashSet<(Oid, String)> = HashSet::new();
        for commit in walk {
            let commit = commit.map_err(failed)?;
            let commit = self.repository.find_commit(commit).map_err(failed)?;
            found.commits += 1;
            self.collect(&commit, wanted, (&mut seen, &mut found))
                .map_err(failed)?;
        }
        Ok(found)
    }

    /// Folders that an earlier commit had just so are not entered again.
    fn collect(
        &self,
        commit: &git2::Commit<'_>,
        wanted: &dyn Fn(&RepoPath) -> bool,
        (seen, found): (&mut HashSet<(Oid, String)>, &mut History),
    ) -> Result<(), git2::Error> {
        if !seen.insert((commit.tree_id(), String::new())) {
            return Ok(());
        }
        commit
            .tree()?
            .walk(TreeWalkMode::PreOrder, |folder, entry| {
                let Ok(name) = entry.name() else { return 1 };
                let path = format!("{folder}{name}");
                match entry.kind() {
                    Some(ObjectType::Tree) => {
                        let related = self.prefix.starts_with(&format!("{path}/"))
                            || path.starts_with(&self.prefix);
                        i32::from(!related || !seen.insert((entry.id(), path)))
                    }
                    Some(ObjectType::Blob) => {
                        if let Some(path) = self.below(path.as_bytes()).filter(wanted) {
                            let versions = found.versions.entry(path).or_default();
                            versions.insert(BlobId(entry.id()));
                        }
                        0
                    }
                    _ => 0,
                }
            })
    }

    fn below(&self, path: &[u8]) -> Option<RepoPath> {
        let path = std::str::from_utf8(path).ok()?;
        RepoPath::new(path.strip_prefix(&self.prefix)?).ok()
    }

    /// The content of a file; `None` if it is larger than any secret file.
    ///
    /// # Errors
    /// [`CloneError`] if the object is missing or damaged.
    pub fn read(&self, blob: BlobId) -> Result<Option<Vec<u8>>, CloneError> {
        let failed = |error: git2::Error| self.failed("read a file from", &error);
        let database = self.repository.odb().map_err(failed)?;
        let (size, _) = database.read_header(blob.0).map_err(failed)?;
        if size > LARGEST_BLOB_BYTES {
            return Ok(None);
        }
        let object = database.read(blob.0).map_err(failed)?;
        Ok(Some(object.data().to_vec()))
    }

    /// Another handle of the same clone, for another thread.
    ///
    /// # Errors
    /// [`CloneError`].
    pub fn again(&self) -> Result<Self, CloneError> {
        let repository = Repository::open(self.repository.path())
            .map_err(|error| self.failed("open", &error))?;
        Ok(Self {
            repository,
            prefix: self.prefix.clone(),
        })
    }

    fn failed(&self, action: &'static str, error: &git2::Error) -> CloneError {
        CloneError {
            action,
            path: self.repository.path().to_owned(),
            detail: error.message().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
