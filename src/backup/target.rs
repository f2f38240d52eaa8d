//! The place where a repository is, looked at before restic is let near it.
//!
//! A repository on a disk that is not mounted must not be made anew on the disk that is: restic itself would.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{BackupError, Definition};
use crate::host::{FileError, FileErrorKind, Host};

/// What was found at the address of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// A repository.
    Repository,
    /// A place where one can be made.
    Room(PathBuf),
    /// Elsewhere: only restic can tell.
    Elsewhere,
}

/// Looks at the place of the repository, mounting it if need be.
pub(super) fn look(host: &Host, backup: &Definition) -> Result<Found, BackupError> {
    if let Some(mount) = &backup.mount {
        let not_mounted = |source| BackupError::NotMounted {
            mount: mount.clone(),
            repository: backup.shown_repository(),
            source,
        };
        match host.mounted_at(mount) {
            Ok(Some(_)) => {}
            Ok(None) => return Err(not_mounted(None)),
            Err(error) => return Err(not_mounted(Some(Box::new(error)))),
        }
    }
    match backup.directory() {
        None => Ok(Found::Elsewhere),
        Some(directory) => in_directory(&host.real_path(&directory)),
    }
}

fn in_directory(directory: &Path) -> Result<Found, BackupError> {
    if is_there(&directory.join("config"))? {
        return Ok(Found::Repository);
    }
    let failed = |source| unreadable(directory, source);
    match fs::read_dir(directory) {
        Ok(mut entries) => match entries.next() {
            None => Ok(Found::Room(directory.to_owned())),
            Some(Ok(_)) => Err(BackupError::NotARepository {
                directory: directory.to_owned(),
            }),
            Some(Err(error)) => Err(failed(error)),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let parent = directory.parent().unwrap_or(directory);
            if is_there(parent)? {
                Ok(Found::Room(directory.to_owned()))
            } else {
                Err(BackupError::NoDirectory {
                    directory: parent.to_owned(),
                })
            }
        }
        Err(error) => Err(failed(error)),
    }
}

/// Makes sure that there is a password to open the repository with.
pub(super) fn password(host: &Host, backup: &Definition) -> Result<(), BackupError> {
    let path = host.real_path(&backup.password_file);
    match fs::File::open(&path) {
        Ok(_) => Ok(()),
        Err(error) => Err(BackupError::NoPassword {
            repository: backup.shown_repository(),
            source: Box::new(read_error(&path, error)),
        }),
    }
}

pub(super) fn is_there(path: &Path) -> Result<bool, BackupError> {
    path.try_exists().map_err(|source| unreadable(path, source))
}

fn unreadable(path: &Path, source: io::Error) -> BackupError {
    BackupError::File(read_error(path, source))
}

fn read_error(path: &Path, source: io::Error) -> FileError {
    FileError {
        action: "read",
        path: path.to_owned(),
        kind: FileErrorKind::Io(source),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_is_made_only_where_there_is_an_empty_place_in_a_directory_that_is_there() {
        let directory = tempfile::tempdir().unwrap();
        let repository = directory.path().join("disk/repo");
        let error = in_directory(&repository).unwrap_err();
        assert!(matches!(error, BackupError::NoDirectory { .. }), "{error}");
        fs::create_dir(directory.path().join("disk")).unwrap();
        let room = Found::Room(repository.clone());
        assert_eq!(in_directory(&repository).unwrap(), room);
        fs::create_dir(&repository).unwrap();
        assert_eq!(in_directory(&repository).unwrap(), room);
        fs::File::create(repository.join("keys")).unwrap();
        let error = in_directory(&repository).unwrap_err();
        assert!(
            matches!(error, BackupError::NotARepository { .. }),
            "{error}"
        );
        fs::File::create(repository.join("config")).unwrap();
        assert_eq!(in_directory(&repository).unwrap(), Found::Repository);
    }

    #[test]
    fn a_place_that_is_not_mounted_is_no_place() {
        use super::super::definition::tests::HOME;
        let directory = tempfile::tempdir().unwrap();
        let host = Host::below(directory.path()).unwrap();
        let home: Definition = serde_yaml::from_str(HOME).unwrap();
        fs::create_dir_all(directory.path().join("srv/backup")).unwrap();
        let error = look(&host, &home).unwrap_err();
        assert_eq!(
            error.to_string(),
            "/srv/backup is not mounted, so /srv/backup/chicago-restic-repo is out of reach"
        );
        let unmounted = Definition {
            mount: None,
            ..home
        };
        assert!(matches!(look(&host, &unmounted), Ok(Found::Room(_))));
    }
}
