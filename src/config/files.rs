//! The files that one run reads, by number, so that one tree can hold places of many files.

use std::sync::Arc;

use super::Origin;
use super::yaml::{FileId, Place};
use crate::source::RepoPath;

/// The files of a run. Cheap to copy.
#[derive(Debug, Clone, Default)]
pub(super) struct FileTable {
    paths: Arc<Vec<RepoPath>>,
}

impl FileTable {
    /// The table with one file more, and that file's number.
    pub(super) fn with(&self, path: RepoPath) -> (Self, FileId) {
        let mut paths = self.paths.as_ref().clone();
        let id = FileId(u32::try_from(paths.len()).unwrap_or(u32::MAX));
        paths.push(path);
        let paths = Arc::new(paths);
        (Self { paths }, id)
    }

    /// Adds a file.
    pub(super) fn add(&mut self, path: RepoPath) -> FileId {
        let paths = Arc::make_mut(&mut self.paths);
        let id = FileId(u32::try_from(paths.len()).unwrap_or(u32::MAX));
        paths.push(path);
        id
    }

    /// The place as it is printed and stored.
    pub(super) fn origin(&self, place: Place) -> Origin {
        Origin {
            file: self.path(place.file).clone(),
            line: place.line,
            column: place.column,
        }
    }

    /// The folder that a file is in; empty for the root.
    pub(super) fn folder(&self, file: FileId) -> String {
        let path = self.path(file).as_str();
        let folder = path.rsplit_once('/').map(|(folder, _)| folder);
        folder.unwrap_or_default().to_owned()
    }

    /// A file of the table.
    pub(super) fn path(&self, file: FileId) -> &RepoPath {
        let index = usize::try_from(file.0).unwrap_or(usize::MAX);
        self.paths
            .get(index)
            .expect("numbers of files are made by the table")
    }
}
