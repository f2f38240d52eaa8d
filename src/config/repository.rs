//! The files of the repository that others name.

use std::collections::BTreeSet;

use super::nearest::nearest;
use crate::source::{RepoPath, Snapshot};

/// The files of the repository. Relative names begin in the folder of the file that names them.
pub(super) struct Repository<'a> {
    paths: BTreeSet<&'a RepoPath>,
}

/// A name that leads to no file.
pub(super) struct NotFound {
    pub(super) message: String,
    pub(super) fix: Option<String>,
}

impl<'a> Repository<'a> {
    pub(super) fn new(snapshot: &'a Snapshot) -> Self {
        Self {
            paths: snapshot.paths().collect(),
        }
    }

    /// The file that `written` names: below `folder`, or below the repository's root if it begins with `/`.
    pub(super) fn locate(&self, written: &str, folder: &str) -> Result<RepoPath, NotFound> {
        let text = match written.strip_prefix('/') {
            Some(from_root) => from_root.to_owned(),
            None if folder.is_empty() => written.to_owned(),
            None => format!("{folder}/{written}"),
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
            fix: Some(self.advice(written, folder, &path)),
        })
    }

    fn advice(&self, written: &str, folder: &str, path: &RepoPath) -> String {
        let at_root = RepoPath::new(written).ok();
        if at_root.is_some_and(|at_root| self.paths.contains(&at_root)) {
            return format!("write `/{written}` to start at the repository's root");
        }
        let from_folder = RepoPath::new(format!("{folder}{written}")).ok();
        if from_folder.is_some_and(|below| self.paths.contains(&below)) {
            return format!(
                "write `{}`, without `/`, to start beside this file",
                written.trim_start_matches('/')
            );
        }
        let below = format!("{path}/");
        if self.paths.iter().any(|p| p.as_str().starts_with(&below)) {
            return format!("`{path}` is a folder; name a file in it");
        }
        match nearest(path.as_str(), self.paths.iter().map(|p| p.as_str())) {
            Some(meant) => format!("did you mean `{}`?", written_as(meant, folder)),
            None => "add the file, and commit it: only what is in the commit counts".to_owned(),
        }
    }
}

/// How a file in `folder` writes the name of `path`.
fn written_as(path: &str, folder: &str) -> String {
    match path
        .strip_prefix(folder)
        .and_then(|below| below.strip_prefix('/'))
    {
        Some(below) => below.to_owned(),
        None => format!("/{path}"),
    }
}
