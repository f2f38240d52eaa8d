//! The files of one revision, read from the object database; there is never a checkout. Or those of a folder, before a
//! commit.

mod folder;
mod mounts;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use git2::{ObjectType, Oid, Repository};

use folder::Folder;
pub use folder::{FolderError, FolderErrorKind};
pub use mounts::{DigestError, Mount};

use super::mirror::oid;
use super::{CommitId, RepoPath};

/// The largest file that is read.
const FILE_BYTES: usize = 1024 * 1024;
/// The most entries (files, folders, skipped ones) of one tree.
const ENTRIES: usize = 50_000;
/// The deepest folder.
const DEPTH: usize = 32;

const MODE_FILE: i32 = 0o100_644;
const MODE_EXECUTABLE: i32 = 0o100_755;
const MODE_TREE: i32 = 0o040_000;
const MODE_SYMLINK: i32 = 0o120_000;
const MODE_SUBMODULE: i32 = 0o160_000;

/// The tree of one revision: validated paths, contents read on demand.
///
/// Symbolic links, submodules and entries with invalid names never get in; [`skipped`](Self::skipped) has them.
pub struct Snapshot {
    files: Files,
    skipped: Vec<Skipped>,
    mounts: Vec<Mount>,
    /// The files of inputs, each with the number of its input.
    mounted: BTreeMap<RepoPath, usize>,
}

enum Files {
    Memory(BTreeMap<RepoPath, Vec<u8>>),
    Folder(BTreeMap<RepoPath, PathBuf>),
    Git {
        /// Behind a lock because libgit2 handles may not be shared between threads.
        repository: Mutex<Repository>,
        blobs: BTreeMap<RepoPath, Oid>,
    },
}

/// An entry of the tree that was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Its path, with what is not printable replaced.
    pub path: String,
    /// Why.
    pub reason: &'static str,
}

/// A revision whose tree cannot be listed.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the files of commit {}: {kind}", commit.short())]
pub struct SnapshotError {
    /// The commit.
    pub commit: CommitId,
    /// What stood in the way.
    pub kind: SnapshotErrorKind,
}

/// What stood in the way of listing a tree.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotErrorKind {
    /// An object is missing or damaged.
    #[error("{detail} (repository {})", path.display())]
    Damaged {
        /// The repository.
        path: PathBuf,
        /// What libgit2 said.
        detail: String,
    },
    /// More entries than any config repository has.
    #[error("it has more than {ENTRIES} entries")]
    TooManyEntries,
}

/// A file of the repository that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read `{path}` from the repository: {reason}")]
pub struct ReadBlobError {
    /// The file.
    pub path: RepoPath,
    /// What stood in the way.
    pub reason: String,
}

impl Snapshot {
    /// A snapshot of the given files; for tests and for trees that are not in git.
    #[must_use]
    pub fn in_memory(files: BTreeMap<RepoPath, Vec<u8>>) -> Self {
        Self::of_files(Files::Memory(files), Vec::new())
    }

    /// The files below a folder as they lie on disk. In a git working copy, ignored files do not count.
    ///
    /// # Errors
    /// [`FolderError`] if they cannot be listed; one that cannot be read is told when it is read.
    pub fn of_folder(folder: &Path) -> Result<Self, FolderError> {
        let listed = Folder::list(folder)?;
        Ok(Self::of_files(Files::Folder(listed.files), listed.skipped))
    }

    /// Lists the tree of `commit` in the repository whose git directory is `git_dir`.
    pub(super) fn of_commit(git_dir: &Path, commit: &CommitId) -> Result<Self, SnapshotError> {
        let failed = |kind| SnapshotError {
            commit: commit.clone(),
            kind,
        };
        let damaged = |error: git2::Error| {
            failed(SnapshotErrorKind::Damaged {
                path: git_dir.to_owned(),
                detail: error.message().to_owned(),
            })
        };
        // A handle of its own, so that a snapshot outlives its mirror's borrow and may go to another thread.
        let repository = Repository::open(git_dir).map_err(damaged)?;
        let id = oid(commit).ok_or_else(|| damaged(git2::Error::from_str("not an object id")))?;
        let tree = repository
            .find_commit(id)
            .and_then(|found| found.tree())
            .map_err(damaged)?
            .id();
        let mut listing = Listing::default();
        listing
            .folder(&repository, tree, "", 0)
            .map_err(|stop| match stop {
                Stop::Git(error) => damaged(error),
                Stop::TooManyEntries => failed(SnapshotErrorKind::TooManyEntries),
            })?;
        let files = Files::Git {
            repository: Mutex::new(repository),
            blobs: listing.blobs,
        };
        Ok(Self::of_files(files, listing.skipped))
    }

    fn of_files(files: Files, skipped: Vec<Skipped>) -> Self {
        Self {
            files,
            skipped,
            mounts: Vec::new(),
            mounted: BTreeMap::new(),
        }
    }

    /// Every file, in path order; those of inputs after its own.
    pub fn paths(&self) -> impl Iterator<Item = &RepoPath> {
        let (memory, folder, git) = match &self.files {
            Files::Memory(files) => (Some(files.keys()), None, None),
            Files::Folder(files) => (None, Some(files.keys()), None),
            Files::Git { blobs, .. } => (None, None, Some(blobs.keys())),
        };
        let listed = memory.into_iter().flatten();
        let listed = listed.chain(folder.into_iter().flatten());
        let listed = listed.chain(git.into_iter().flatten());
        listed.chain(self.mounted.keys())
    }

    /// The entries of the tree that were left out, and why.
    #[must_use]
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    /// The content of `path`; `None` if the revision has no such file. At most 1 MiB.
    ///
    /// # Errors
    /// [`ReadBlobError`] if the object is missing, damaged or larger than 1 MiB.
    pub fn read(&self, path: &RepoPath) -> Result<Option<Vec<u8>>, ReadBlobError> {
        if let Some(mount) = self.mount_of(path) {
            let Some(inner) = mount.inner(path) else {
                return Ok(None);
            };
            return mount.files.read(&inner).map_err(|error| ReadBlobError {
                path: path.clone(),
                reason: error.reason,
            });
        }
        match &self.files {
            Files::Memory(files) => Ok(files.get(path).cloned()),
            Files::Folder(files) => {
                let read = files.get(path).map(|file| Folder::read(file));
                read.transpose().map_err(|reason| ReadBlobError {
                    path: path.clone(),
                    reason,
                })
            }
            Files::Git { repository, blobs } => {
                let Some(id) = blobs.get(path) else {
                    return Ok(None);
                };
                // A panic elsewhere cannot leave a repository handle half changed: it is only read.
                let repository = repository.lock().unwrap_or_else(PoisonError::into_inner);
                read_blob(&repository, *id)
                    .map(Some)
                    .map_err(|reason| ReadBlobError {
                        path: path.clone(),
                        reason,
                    })
            }
        }
    }
}

/// Reads one blob; its size is asked first, so that a huge one is not unpacked.
fn read_blob(repository: &Repository, id: Oid) -> Result<Vec<u8>, String> {
    let say = |error: git2::Error| error.message().to_owned();
    let odb = repository.odb().map_err(say)?;
    let (size, kind) = odb.read_header(id).map_err(say)?;
    if kind != ObjectType::Blob {
        return Err("it is not a file in the object database".to_owned());
    }
    if size > FILE_BYTES {
        return Err(format!(
            "it has {size} bytes; at most {FILE_BYTES} are read"
        ));
    }
    Ok(odb.read(id).map_err(say)?.data().to_vec())
}

#[derive(Default)]
struct Listing {
    blobs: BTreeMap<RepoPath, Oid>,
    skipped: Vec<Skipped>,
    entries: usize,
}

enum Stop {
    Git(git2::Error),
    TooManyEntries,
}

impl Listing {
    fn folder(
        &mut self,
        repository: &Repository,
        tree: Oid,
        prefix: &str,
        depth: usize,
    ) -> Result<(), Stop> {
        let tree = repository.find_tree(tree).map_err(Stop::Git)?;
        for entry in &tree {
            self.entries += 1;
            if self.entries > ENTRIES {
                return Err(Stop::TooManyEntries);
            }
            let name = entry.name_bytes();
            let shown = || format!("{prefix}{}", name.escape_ascii());
            let path = match checked_path(prefix, name) {
                Ok(path) => path,
                Err(reason) => {
                    self.skip(shown(), reason);
                    continue;
                }
            };
            match entry.filemode_raw() {
                MODE_FILE | MODE_EXECUTABLE => {
                    self.blobs.insert(path, entry.id());
                }
                MODE_TREE if depth >= DEPTH => self.skip(shown(), "too deep"),
                MODE_TREE => self.folder(repository, entry.id(), &format!("{path}/"), depth + 1)?,
                MODE_SYMLINK => self.skip(shown(), "a symbolic link"),
                MODE_SUBMODULE => self.skip(shown(), "a submodule"),
                _ => self.skip(shown(), "neither a plain file nor a folder"),
            }
        }
        Ok(())
    }

    fn skip(&mut self, path: String, reason: &'static str) {
        self.skipped.push(Skipped { path, reason });
    }
}

fn checked_path(prefix: &str, name: &[u8]) -> Result<RepoPath, &'static str> {
    let name = str::from_utf8(name).map_err(|_| "its name is not UTF-8")?;
    if name.contains('/') {
        return Err("its name contains a slash");
    }
    if name.chars().any(char::is_control) {
        return Err("its name contains a control character");
    }
    if is_dot_git(name) {
        return Err("its name is a variant of `.git`");
    }
    RepoPath::new(format!("{prefix}{name}")).map_err(|_| "its name is not a valid path")
}

/// `.git` in any case, as the file systems of other machines would fold it: `.GIT`, `git~1`, `.git.`, `.g\u{200c}it`.
fn is_dot_git(name: &str) -> bool {
    let folded: String = name
        .chars()
        .filter(|c| !matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}'))
        .collect::<String>()
        .to_ascii_lowercase();
    let trimmed = folded.trim_end_matches([' ', '.']);
    let stem = trimmed.split(':').next().unwrap_or_default();
    stem == ".git" || stem == "git~1"
}

#[cfg(test)]
mod tests;
