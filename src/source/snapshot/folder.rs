//! The files of a folder as they lie on disk, for checks before a commit.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use git2::{Repository, Status, StatusOptions};

use super::{ENTRIES, FILE_BYTES, Skipped, checked_path};
use crate::source::RepoPath;

/// A folder whose files cannot be listed.
#[derive(Debug, thiserror::Error)]
#[error("cannot list the files of {}", folder.display())]
pub struct FolderError {
    /// The folder.
    pub folder: PathBuf,
    /// What stood in the way.
    #[source]
    pub kind: FolderErrorKind,
}

/// What stood in the way of listing a folder.
#[derive(Debug, thiserror::Error)]
pub enum FolderErrorKind {
    /// The kernel refused.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// git refused.
    #[error("git: {0}")]
    Git(String),
    /// More files than any config repository has.
    #[error("it has more than {ENTRIES} files")]
    TooManyEntries,
}

/// The plain files below a folder: in a git working copy those that are tracked, and new ones that are not ignored.
pub(super) struct Folder {
    pub(super) root: PathBuf,
    pub(super) files: BTreeMap<RepoPath, PathBuf>,
    pub(super) skipped: Vec<Skipped>,
}

impl Folder {
    pub(super) fn list(root: &Path) -> Result<Self, FolderError> {
        let failed = |kind| FolderError {
            folder: root.to_owned(),
            kind,
        };
        let absolute = root.canonicalize().map_err(|error| failed(error.into()))?;
        let below = match Repository::discover(&absolute) {
            Ok(repository) => in_repository(&repository, &absolute).map_err(failed)?,
            Err(_) => walked(&absolute).map_err(failed)?,
        };
        let mut folder = Self {
            root: absolute,
            files: BTreeMap::new(),
            skipped: Vec::new(),
        };
        for name in below {
            folder.take(&name);
        }
        if folder.files.len() > ENTRIES {
            return Err(failed(FolderErrorKind::TooManyEntries));
        }
        Ok(folder)
    }

    fn take(&mut self, name: &str) {
        let path = self.root.join(name);
        let skip = |reason| Skipped {
            path: name.escape_debug().to_string(),
            reason,
        };
        // A file that git knows and that is gone is not there.
        let Ok(found) = path.symlink_metadata() else {
            return;
        };
        let (folder, file) = name
            .rsplit_once('/')
            .map_or(("", name), |(folder, file)| (folder, file));
        let prefix = if folder.is_empty() {
            String::new()
        } else {
            format!("{folder}/")
        };
        match checked_path(&prefix, file.as_bytes()) {
            Err(reason) => self.skipped.push(skip(reason)),
            Ok(_) if found.is_symlink() => self.skipped.push(skip("a symbolic link")),
            Ok(_) if !found.is_file() => {
                self.skipped.push(skip("neither a plain file nor a folder"));
            }
            Ok(checked) => {
                self.files.insert(checked, path);
            }
        }
    }

    pub(super) fn read(path: &Path) -> Result<Vec<u8>, String> {
        let size = std::fs::metadata(path)
            .map_err(|error| error.to_string())?
            .len();
        if usize::try_from(size).unwrap_or(usize::MAX) > FILE_BYTES {
            return Err(format!(
                "it has {size} bytes; at most {FILE_BYTES} are read"
            ));
        }
        std::fs::read(path).map_err(|error| error.to_string())
    }
}

/// What git tracks below `root`, and what is new there.
fn in_repository(repository: &Repository, root: &Path) -> Result<Vec<String>, FolderErrorKind> {
    let say = |error: git2::Error| FolderErrorKind::Git(error.message().to_owned());
    let Some(top) = repository.workdir() else {
        return walked(root);
    };
    let top = top.canonicalize()?;
    let Ok(within) = root.strip_prefix(&top) else {
        return walked(root);
    };
    let prefix = match within.to_str() {
        Some("") => String::new(),
        Some(within) => format!("{within}/"),
        None => return walked(root),
    };
    let mut names = Vec::new();
    for entry in repository.index().map_err(say)?.iter() {
        let name = String::from_utf8_lossy(&entry.path).into_owned();
        names.extend(name.strip_prefix(&prefix).map(str::to_owned));
    }
    let mut options = StatusOptions::new();
    options
        .include_untracked(true)
        .recurse_untracked_dirs(true)
        .include_ignored(false);
    let statuses = repository.statuses(Some(&mut options)).map_err(say)?;
    for entry in statuses
        .iter()
        .filter(|entry| entry.status().contains(Status::WT_NEW))
    {
        let name = String::from_utf8_lossy(entry.path_bytes()).into_owned();
        names.extend(name.strip_prefix(&prefix).map(str::to_owned));
    }
    Ok(names)
}

/// Every file below a folder that is no git working copy.
fn walked(root: &Path) -> Result<Vec<String>, FolderErrorKind> {
    let mut names = Vec::new();
    let walk = walkdir::WalkDir::new(root)
        .follow_links(false)
        .sort_by_file_name();
    for entry in walk
        .into_iter()
        .filter_entry(|entry| entry.file_name() != ".git")
    {
        let entry = entry.map_err(std::io::Error::from)?;
        if entry.file_type().is_dir() {
            continue;
        }
        let below = entry.path().strip_prefix(root).ok().and_then(Path::to_str);
        names.extend(below.map(str::to_owned));
        if names.len() > ENTRIES {
            return Err(FolderErrorKind::TooManyEntries);
        }
    }
    Ok(names)
}
