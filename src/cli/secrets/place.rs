//! Which file is meant, and the repository around it.

use std::path::{Path, PathBuf};

use super::failure::Failure;
use super::{of_repository, tell_of_misnamed_rules};
use crate::cli::HostFlags;
use crate::report::Problem;
use crate::secrets::{RecipientNames, Repository, RepositoryError};

/// The repository for a file: that of `--repo`, else the one that this directory is in, else the one around the file.
///
/// A file needs none: then its own metadata, or `--age`, say who reads it.
pub(super) fn repository_for(
    flags: &HostFlags,
    file: Option<&Path>,
) -> Result<Option<Repository>, Failure> {
    if let Some(named) = &flags.repo {
        return find(&PathBuf::from(named)).map_err(Into::into);
    }
    let here = find(Path::new("."))?;
    let Some(file) = file else {
        return Ok(here);
    };
    let inside = |repository: &Repository| {
        repository.locate(file).is_ok() || (!file.exists() && repository.root().join(file).exists())
    };
    if here.as_ref().is_some_and(inside) {
        return Ok(here);
    }
    let around = file
        .ancestors()
        .skip(1)
        .map(|above| match above {
            above if above.as_os_str().is_empty() => Path::new("."),
            above => above,
        })
        .find(|above| above.is_dir());
    match around {
        Some(directory) => Ok(find(directory)?.or(here)),
        None => Ok(here),
    }
}

/// As [`repository_for`], for a file that is only read: nothing but its name has to be looked up in a repository, and a
/// file that is there needs no looking up.
pub(super) fn repository_to_read(
    flags: &HostFlags,
    file: Option<&Path>,
) -> Result<Option<Repository>, Failure> {
    match (&flags.repo, file) {
        (None, Some(file)) if file.exists() => Ok(None),
        _ => repository_for(flags, file),
    }
}

/// What recipients are called in the repository around `directory`; nothing where there is none.
pub(super) fn names_around(directory: &Path) -> RecipientNames {
    RecipientNames::around(directory)
}

fn find(start: &Path) -> Result<Option<Repository>, Problem> {
    match Repository::find(start) {
        Ok(repository) => {
            tell_of_misnamed_rules(&repository);
            Ok(Some(repository))
        }
        Err(RepositoryError::NotFound { .. }) => Ok(None),
        Err(error) => Err(of_repository(&error)),
    }
}
