//! Which repository a verb reads, and as what: a folder as it lies there, or a revision; with the files of its inputs.

use std::path::{Path, PathBuf};

use super::HostFlags;
use super::inputs::complete;
use crate::report::Problem;
use crate::source::{Blame, Mirror, Snapshot};

/// Where the files are.
pub(super) struct Place {
    folder: PathBuf,
    rev: Option<String>,
}

impl Place {
    /// `dir` as it was given, else `--repo`, else the repository around this folder.
    pub(super) fn new(dir: Option<&Path>, rev: Option<&str>, flags: &HostFlags) -> Self {
        let given = dir
            .map(Path::to_owned)
            .or_else(|| flags.repo.as_ref().map(PathBuf::from));
        Self {
            folder: given.unwrap_or_else(around),
            rev: rev.map(str::to_owned),
        }
    }

    /// The folder.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }
}

/// The first folder with `hosts/` in it, from here upwards; this one if there is none.
fn around() -> PathBuf {
    let here = PathBuf::from(".");
    let Ok(absolute) = here.canonicalize() else {
        return here;
    };
    let found = absolute
        .ancestors()
        .find(|folder| folder.join("hosts").is_dir());
    found.map_or(here, Path::to_owned)
}

/// The files, with those of the inputs.
pub(super) fn snapshot(place: &Place) -> Result<Snapshot, Problem> {
    complete(own_files(place)?)
}

/// The files of the repository alone.
pub(super) fn own_files(place: &Place) -> Result<Snapshot, Problem> {
    let Some(rev) = &place.rev else {
        return Snapshot::of_folder(&place.folder).map_err(|error| Problem::of(&error));
    };
    let clone = Mirror::of_clone(&place.folder).map_err(|error| {
        Problem::of(&error).with_fix("run it in a clone of the config repository, or name one")
    })?;
    let commit = clone.resolve(rev).map_err(|error| Problem::of(&error))?;
    clone.snapshot(&commit).map_err(|error| Problem::of(&error))
}

/// The history of the files; `None` where git knows nothing of them.
pub(super) fn blame(place: &Place) -> Option<Blame> {
    let Some(rev) = &place.rev else {
        return Blame::of_folder(&place.folder);
    };
    let commit = Mirror::of_clone(&place.folder).ok()?.resolve(rev).ok()?;
    Blame::of_commit(&place.folder, &commit)
}
