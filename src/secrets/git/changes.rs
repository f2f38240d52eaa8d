//! Which secret files differ between two states of the repository.

use super::worktree::{GitError, State, Worktree};
use crate::sops::Format;

/// What is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// The older state.
    pub before: State,
    /// The newer state.
    pub after: State,
    /// Files and directories, as git names them; everything if there are none.
    pub paths: Vec<String>,
}

/// A file with its contents in both states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// As git names it.
    pub file: String,
    /// Its format, by its name.
    pub format: Format,
    /// Its content in the older state.
    pub before: Option<Vec<u8>>,
    /// Its content in the newer state.
    pub after: Option<Vec<u8>>,
}

/// The files of `selection` that differ, in order; secret files and others.
pub fn changes(worktree: &Worktree, selection: &Selection) -> Result<Vec<Changed>, GitError> {
    let is_selected = |name: &String| {
        let below = |path: &String| {
            path.is_empty()
                || name == path
                || name
                    .strip_prefix(path.as_str())
                    .is_some_and(|rest| rest.starts_with('/'))
        };
        selection.paths.is_empty() || selection.paths.iter().any(below)
    };
    let names = worktree.changed(selection.before, selection.after)?;
    let mut changed = Vec::new();
    for file in names.into_iter().filter(is_selected) {
        changed.push(Changed {
            format: Format::of_path(&file),
            before: worktree.read(selection.before, &file)?,
            after: worktree.read(selection.after, &file)?,
            file,
        });
    }
    Ok(changed)
}
