//! The files of the repository that others name.

use std::collections::BTreeSet;

use super::nearest::nearest;
use crate::source::{Mount, RepoPath, Skipped, Snapshot};

/// The files of the repository. Relative names begin in the folder of the file that names them.
pub(super) struct Repository<'a> {
    paths: BTreeSet<&'a RepoPath>,
    /// What the paths of inputs begin with.
    inputs: Vec<String>,
    skipped: &'a [Skipped],
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
            inputs: snapshot.mounts().iter().map(Mount::prefix).collect(),
            skipped: snapshot.skipped(),
        }
    }

    /// Whether a file is of an input.
    pub(super) fn is_of_input(&self, path: &RepoPath) -> bool {
        !self.root_of(path.as_str()).is_empty()
    }

    /// What the paths of the repository that `path` is in begin with: nothing, unless it is an input.
    fn root_of(&self, path: &str) -> &str {
        let found = self.inputs.iter().find(|input| path.starts_with(*input));
        found.map_or("", String::as_str)
    }

    /// The file that `written` names: below `folder`, or below the root of `folder`'s repository if it begins with `/`.
    pub(super) fn locate(&self, written: &str, folder: &str) -> Result<RepoPath, NotFound> {
        let root = self.root_of(folder);
        let text = match written.strip_prefix('/') {
            Some(from_root) => format!("{root}{from_root}"),
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
        if self.root_of(path.as_str()) != root {
            return Err(NotFound {
                message: format!("`{path}` is a file of an input, which only its modules can name"),
                fix: Some(
                    "turn on a module of the input that does it, or copy the file".to_owned(),
                ),
            });
        }
        if self.paths.contains(&path) {
            return Ok(path);
        }
        Err(NotFound {
            message: format!("there is no file `{path}` in the repository"),
            fix: Some(self.advice(written, folder, &path)),
        })
    }

    fn advice(&self, written: &str, folder: &str, path: &RepoPath) -> String {
        let skipped = self.skipped.iter().find(|one| one.path == path.as_str());
        if let Some(Skipped { reason, .. }) = skipped {
            return format!(
                "what is there is {reason}, and only plain files count; put one in its place"
            );
        }
        let root = self.root_of(folder);
        let at_root = RepoPath::new(format!("{root}{written}")).ok();
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
        let own = self.paths.iter().map(|path| path.as_str());
        let own = own.filter(|path| self.root_of(path) == root);
        match nearest(path.as_str(), own) {
            Some(meant) => {
                let below = meant.strip_prefix(root).unwrap_or(meant);
                let folder = folder.strip_prefix(root).unwrap_or(folder);
                format!("did you mean `{}`?", written_as(below, folder))
            }
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
