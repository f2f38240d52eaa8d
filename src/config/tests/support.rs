//! Small repositories for tests.

use std::collections::BTreeMap;

use crate::config::{Colour, ConfigErrors, Fleet, HostName, Resolution};
use crate::source::{RepoPath, Snapshot};

/// A repository of these files.
pub(in crate::config) fn repository(files: &[(&str, &str)]) -> Snapshot {
    let files: BTreeMap<RepoPath, Vec<u8>> = files
        .iter()
        .map(|(path, text)| (RepoPath::new(*path).unwrap(), text.as_bytes().to_vec()))
        .collect();
    Snapshot::in_memory(files)
}

/// The host `web` of a repository.
pub(super) fn try_web(files: &[(&str, &str)]) -> Result<Resolution, ConfigErrors> {
    let snapshot = repository(files);
    Fleet::read(&snapshot).resolve(&HostName::new("web").unwrap())
}

pub(super) fn web(files: &[(&str, &str)]) -> Resolution {
    try_web(files).unwrap_or_else(|errors| panic!("{}", errors.excerpts(Colour::Plain).join("\n")))
}

/// What is said about a wrong repository.
pub(super) fn said(files: &[(&str, &str)]) -> String {
    match try_web(files) {
        Ok(resolution) => panic!("taken: {:?}", resolution.config),
        Err(errors) => errors.excerpts(Colour::Plain).join("\n\n"),
    }
}
