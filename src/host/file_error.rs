//! How reading or changing a file goes wrong.

use std::io;
use std::path::{Path, PathBuf};

/// A file, directory or link that could not be read or changed.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}", path.display())]
pub struct FileError {
    /// What was tried, in words that follow "cannot".
    pub action: &'static str,
    /// Where, as a path of this machine.
    pub path: PathBuf,
    /// Why not.
    #[source]
    pub kind: FileErrorKind,
}

/// Why a file could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum FileErrorKind {
    /// The kernel refused.
    #[error("{0}")]
    Io(io::Error),
    /// A directory on the way is a symbolic link; no link is followed below the root.
    #[error("{} is a symbolic link to {target}", parent.display())]
    SymlinkedParent {
        /// The link.
        parent: PathBuf,
        /// What it points at.
        target: String,
    },
    /// Something on the way is not a directory.
    #[error("{} is not a directory", parent.display())]
    NotADirectory {
        /// What is in the way.
        parent: PathBuf,
    },
    /// A directory on the way is not there.
    #[error("the directory {} does not exist", parent.display())]
    MissingParent {
        /// The missing directory.
        parent: PathBuf,
    },
    /// Somebody else could exchange the file behind our back.
    #[error("the directory {} is {why}", parent.display())]
    UnsafeParent {
        /// The directory.
        parent: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Something of another type is there.
    #[error("{what} is in the way")]
    InTheWay {
        /// What is there, in words.
        what: &'static str,
    },
    /// Somebody made it so that it cannot be changed.
    #[error("{} is immutable", path.display())]
    Immutable {
        /// The file, or the directory it is in.
        path: PathBuf,
    },
    /// It is larger than anybody should ask for.
    #[error("it is larger than {limit_bytes} bytes")]
    TooLarge {
        /// The limit.
        limit_bytes: u64,
    },
}

impl FileError {
    /// How to put it right, where that is known.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match &self.kind {
            FileErrorKind::SymlinkedParent { target, .. } => {
                Some(format!("name the real path, below {target}"))
            }
            FileErrorKind::NotADirectory { parent } => {
                Some(format!("move {} away", parent.display()))
            }
            FileErrorKind::MissingParent { parent } => {
                Some(format!("declare {} under `directories`", parent.display()))
            }
            FileErrorKind::UnsafeParent { parent, .. } => Some(format!(
                "chown root {0} and chmod go-w {0}",
                parent.display()
            )),
            FileErrorKind::InTheWay { .. } => Some(format!("move {} away", self.path.display())),
            FileErrorKind::Immutable { path } => Some(format!(
                "chattr -i -a {}, if nobody needs it so",
                path.display()
            )),
            FileErrorKind::TooLarge { .. } => None,
            FileErrorKind::Io(source) => match source.kind() {
                io::ErrorKind::PermissionDenied => Some("run it as root".to_owned()),
                io::ErrorKind::StorageFull => Some("make room on the file system".to_owned()),
                io::ErrorKind::ReadOnlyFilesystem => {
                    Some("mount the file system read-write".to_owned())
                }
                _ => None,
            },
        }
    }

    /// Whether the kernel said that there is nothing of that name.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(&self.kind, FileErrorKind::Io(source) if source.kind() == io::ErrorKind::NotFound)
            || matches!(self.kind, FileErrorKind::MissingParent { .. })
    }

    pub(super) fn new(action: &'static str, path: &Path, kind: FileErrorKind) -> Self {
        Self {
            action,
            path: path.to_owned(),
            kind,
        }
    }

    pub(super) fn io(action: &'static str, path: &Path, source: impl Into<io::Error>) -> Self {
        Self::new(action, path, FileErrorKind::Io(source.into()))
    }
}
