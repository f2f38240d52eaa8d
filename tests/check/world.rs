//! Small repositories, and everything that is said about them.

use std::collections::BTreeMap;

use steadfast::config::Colour;
use steadfast::generation::{CheckRequest, check, excerpts};
use steadfast::source::{RepoPath, Snapshot};

/// A repository of these files.
pub(crate) fn repository<T: AsRef<[u8]>>(files: &[(&str, T)]) -> Snapshot {
    let files: BTreeMap<RepoPath, Vec<u8>> = files
        .iter()
        .map(|(path, content)| (RepoPath::new(*path).unwrap(), content.as_ref().to_vec()))
        .collect();
    Snapshot::in_memory(files)
}

/// A check of all hosts that asks nobody else.
pub(crate) fn request() -> CheckRequest<'static> {
    CheckRequest {
        host: None,
        verifier: None,
        watcher: &|_| (),
    }
}

/// Everything that `steadfast check` says about a repository, but for the counts.
pub(crate) fn said(snapshot: &Snapshot) -> String {
    let checked = check(snapshot, request());
    let mut all = excerpts(&checked.warnings, snapshot, Colour::Plain);
    all.extend(excerpts(&checked.errors, snapshot, Colour::Plain));
    assert!(!all.is_empty(), "nothing is wrong with it");
    all.join("\n\n")
}
