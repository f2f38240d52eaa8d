//! The files that a host file may name.

use std::collections::BTreeSet;

use super::nearest::nearest;
use crate::source::{RepoPath, Snapshot};

/// The repository as one host file sees it: relative names begin in the host's folder.
pub(super) struct Repository<'a> {
    folder: String,
    paths: BTreeSet<&'a RepoPath>,
}

/// A name that leads to no file.
pub(super) struct NotFound {
    pub(super) message: String,
    pub(super) fix: Option<String>,
}

impl<'a> Repository<'a> {
    /// `folder` is the host's, `hosts/chicago`.
    pub(super) fn new(snapshot: &'a Snapshot, folder: String) -> Self {
        Self {
            folder,
            paths: snapshot.paths().collect(),
        }
    }

    /// The file that `written` names: below the host's folder, or below the repository's root if it begins with `/`.
    pub(super) fn locate(&self, written: &str) -> Result<RepoPath, NotFound> {
        let text = match written.strip_prefix('/') {
            Some(from_root) => from_root.to_owned(),
            None => format!("{}/{written}", self.folder),
        };
        let path = RepoPath::new(text).map_err(|invalid| NotFound {
            message: format!(
                "`{written}` cannot be a file of the repository: {}",
                invalid.rule
            ),
            fix: written
                .contains("..")
                .then(|| "begin with `/` to start at the repository's root".to_owned()),
        })?;
        if self.paths.contains(&path) {
            return Ok(path);
        }
        Err(NotFound {
            message: format!("there is no file `{path}` in the repository"),
            fix: Some(self.advice(written, &path)),
        })
    }

    fn advice(&self, written: &str, path: &RepoPath) -> String {
        let at_root = RepoPath::new(written).ok();
        if at_root.is_some_and(|at_root| self.paths.contains(&at_root)) {
            return format!("write `/{written}` to start at the repository's root");
        }
        let from_folder = RepoPath::new(format!("{}{written}", self.folder)).ok();
        if from_folder.is_some_and(|below| self.paths.contains(&below)) {
            return format!(
                "write `{}`, without `/`, to start at the host's folder",
                written.trim_start_matches('/')
            );
        }
        let below = format!("{path}/");
        if self.paths.iter().any(|p| p.as_str().starts_with(&below)) {
            return format!("`{path}` is a folder; name a file in it");
        }
        match nearest(path.as_str(), self.paths.iter().map(|p| p.as_str())) {
            Some(meant) => format!("did you mean `{}`?", self.written_as(meant)),
            None => "add the file, and commit it: only what is in the commit counts".to_owned(),
        }
    }

    /// How a host file writes the name of `path`.
    fn written_as(&self, path: &str) -> String {
        match path
            .strip_prefix(&self.folder)
            .and_then(|below| below.strip_prefix('/'))
        {
            Some(below) => below.to_owned(),
            None => format!("/{path}"),
        }
    }
}
