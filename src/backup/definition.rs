//! What is backed up where: `/etc/steadfast/backups/NAME.yml`.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Deserializer};

use crate::host::{FileError, Host, HostPath, UnitName, durable, duration};
use crate::name::checked_name;

/// Where the definitions are.
pub const DEFINITIONS: &str = "/etc/steadfast/backups";
/// Longest definition that is read.
const LIMIT_BYTES: u64 = 1024 * 1024;

checked_name!(
    /// The name of a backup, `home`: a part of its files' and its units' names, and the tag of its snapshots.
    BackupName, "name of a backup", |text| {
        if !text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit()) {
            return Err("must begin with a lower-case letter or a digit");
        }
        if text.len() > 64 {
            return Err("must be at most 64 bytes");
        }
        if !text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-".contains(&b)) {
            return Err("may contain only lower-case letters, digits, `_` and `-`");
        }
        Ok(())
    }
);

/// One backup, as its file says.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// Its name: that of the file.
    #[serde(skip, default = "unnamed")]
    pub name: BackupName,
    /// Where the repository is, as restic takes it: a path, or `rest:https://…`, `sftp:…`, `s3:…`.
    #[serde(default)]
    pub repository: Option<String>,
    /// A file that holds the repository's address, where that has credentials in it.
    #[serde(default)]
    pub repository_file: Option<HostPath>,
    /// The file that holds the repository's password.
    pub password_file: HostPath,
    /// The host's name in snapshots, which stays the same on a new machine.
    pub host: String,
    /// What is backed up.
    pub paths: Vec<HostPath>,
    /// What is left out, as patterns of restic.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// Which snapshots are kept.
    #[serde(default)]
    pub keep: Keep,
    /// What must be mounted for the repository to be there.
    #[serde(default)]
    pub mount: Option<HostPath>,
    /// How old the newest snapshot may be.
    #[serde(deserialize_with = "span")]
    pub overdue_after: Duration,
    /// Whether other file systems below the paths are left out.
    #[serde(default)]
    pub one_file_system: bool,
    /// Further options of every call of restic.
    #[serde(default)]
    pub options: Vec<String>,
    /// Further options of `restic backup`.
    #[serde(default)]
    pub backup_options: Vec<String>,
    /// Variables that restic gets; none of them is a secret.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// The service that runs it.
    pub service: UnitName,
    /// The timer that starts the service.
    pub timer: UnitName,
}

/// How many snapshots are kept of each span of time; nothing is removed if all are 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Keep {
    /// The last ones, whenever they were made.
    pub last: u32,
    /// The last one of as many hours.
    pub hourly: u32,
    /// The last one of as many days.
    pub daily: u32,
    /// The last one of as many weeks.
    pub weekly: u32,
    /// The last one of as many months.
    pub monthly: u32,
    /// The last one of as many years.
    pub yearly: u32,
}

impl Keep {
    /// The options of `restic forget`; empty if nothing is to be removed.
    pub(super) fn options(self) -> Vec<String> {
        [
            ("last", self.last),
            ("hourly", self.hourly),
            ("daily", self.daily),
            ("weekly", self.weekly),
            ("monthly", self.monthly),
            ("yearly", self.yearly),
        ]
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(span, count)| format!("--keep-{span}={count}"))
        .collect()
    }
}

impl Definition {
    /// The repository's address for messages: that of a file is not shown.
    #[must_use]
    pub fn shown_repository(&self) -> String {
        match (&self.repository, &self.repository_file) {
            (Some(address), _) => address.clone(),
            (None, Some(file)) => format!("the repository of {file}"),
            (None, None) => "no repository".to_owned(),
        }
    }

    /// The directory of a repository that is one, as a path of the host.
    #[must_use]
    pub fn directory(&self) -> Option<HostPath> {
        let address = self.repository.as_deref()?;
        HostPath::new(address.strip_prefix("local:").unwrap_or(address)).ok()
    }

    /// Checks what serde cannot.
    fn check(self) -> Result<Self, &'static str> {
        match (&self.repository, &self.repository_file) {
            (None, None) => return Err("one of `repository` and `repository_file` must be there"),
            (Some(_), Some(_)) => {
                return Err("`repository` and `repository_file` are one too many");
            }
            (Some(address), None) if has_credentials(address) => {
                return Err(
                    "`repository` has a password in it, which every user of the machine could read; keep the address in a \
                     secret and name its file as `repository_file`",
                );
            }
            _ => {}
        }
        if self.paths.is_empty() {
            return Err("`paths` is empty");
        }
        Ok(self)
    }
}

/// A definition that cannot be used.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum DefinitionError {
    #[error("this host has no backup")]
    None { directory: PathBuf },
    #[error("there is no backup `{name}`")]
    Unknown {
        name: BackupName,
        known: Vec<BackupName>,
    },
    #[error("this host has several backups: {}", listed(known))]
    Several { known: Vec<BackupName> },
    #[error("cannot list {}", directory.display())]
    List {
        directory: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error(transparent)]
    Unreadable(#[from] FileError),
    #[error("{} is not valid", path.display())]
    Invalid {
        path: PathBuf,
        #[source]
        source: serde_yaml::Error,
    },
    #[error("{} is not valid: {reason}", path.display())]
    Wrong { path: PathBuf, reason: &'static str },
}

impl DefinitionError {
    /// How to go on.
    #[must_use]
    pub fn fix(&self) -> Option<String> {
        Some(match self {
            Self::None { directory } => format!(
                "turn the module `restic-backup` on for this host; it writes to {}",
                directory.display()
            ),
            Self::Unknown { known, .. } if known.is_empty() => {
                "turn the module `restic-backup` on for this host".to_owned()
            }
            Self::Unknown { known, .. } => format!("there is {}", listed(known)),
            Self::Several { .. } => "name the one that is meant".to_owned(),
            Self::List { .. } => "run it as root".to_owned(),
            Self::Unreadable(error) => return error.hint(),
            Self::Invalid { .. } | Self::Wrong { .. } => {
                "the module `restic-backup` writes it: correct its options in the config repository; docs/backup.md has \
                 every key"
                    .to_owned()
            }
        })
    }
}

/// The backups of `host` that are called `wanted`, or every one, in the order of their names.
///
/// # Errors
/// [`DefinitionError`] for the first file that cannot be used; [`DefinitionError::None`] if there is none.
pub fn definitions(host: &Host, wanted: &[BackupName]) -> Result<Vec<Definition>, DefinitionError> {
    let known = names(host)?;
    if known.is_empty() && wanted.is_empty() {
        return Err(DefinitionError::None {
            directory: directory(host),
        });
    }
    if wanted.is_empty() {
        let all = known.iter();
        return all.map(|name| load(&path_of(host, name), name)).collect();
    }
    let wanted = wanted.iter();
    wanted.map(|name| definition(host, Some(name))).collect()
}

/// The backup `name`, or the only one.
///
/// # Errors
/// [`DefinitionError`].
pub fn definition(host: &Host, name: Option<&BackupName>) -> Result<Definition, DefinitionError> {
    let mut known = names(host)?;
    let name = match name {
        Some(name) if known.contains(name) => name.clone(),
        Some(name) => {
            return Err(DefinitionError::Unknown {
                name: name.clone(),
                known,
            });
        }
        None => match known.len() {
            0 => {
                return Err(DefinitionError::None {
                    directory: directory(host),
                });
            }
            1 => known.remove(0),
            _ => return Err(DefinitionError::Several { known }),
        },
    };
    load(&path_of(host, &name), &name)
}

fn directory(host: &Host) -> PathBuf {
    host.root().join(DEFINITIONS.trim_start_matches('/'))
}

fn path_of(host: &Host, name: &BackupName) -> PathBuf {
    directory(host).join(format!("{name}.yml"))
}

/// The names of the files; what is not called like one is none.
fn names(host: &Host) -> Result<Vec<BackupName>, DefinitionError> {
    let directory = directory(host);
    let failed = |source| DefinitionError::List {
        directory: directory.clone(),
        source,
    };
    let entries = match std::fs::read_dir(&directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let file = entry.map_err(failed)?.file_name();
        let stem = file.to_str().and_then(|file| file.strip_suffix(".yml"));
        names.extend(stem.and_then(|stem| BackupName::new(stem).ok()));
    }
    names.sort();
    Ok(names)
}

fn load(path: &Path, name: &BackupName) -> Result<Definition, DefinitionError> {
    let content = durable::read(path, LIMIT_BYTES)?.unwrap_or_default();
    let definition: Definition =
        serde_yaml::from_slice(&content).map_err(|source| DefinitionError::Invalid {
            path: path.to_owned(),
            source,
        })?;
    let definition = Definition {
        name: name.clone(),
        ..definition
    };
    definition.check().map_err(|reason| DefinitionError::Wrong {
        path: path.to_owned(),
        reason,
    })
}

/// `rest:https://user:password@server/`
fn has_credentials(address: &str) -> bool {
    let Some((_, rest)) = address.split_once("://") else {
        return false;
    };
    let authority = rest.split('/').next().unwrap_or_default();
    authority
        .rsplit_once('@')
        .is_some_and(|(user, _)| user.contains(':'))
}

/// `36h` or `8d`; an hour at least.
fn span<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    let wrong = || {
        serde::de::Error::custom(format!(
            "`{text}` is not a span of an hour or more such as `36h` or `8d`"
        ))
    };
    duration(&text)
        .filter(|span| *span >= Duration::from_hours(1))
        .ok_or_else(wrong)
}

fn unnamed() -> BackupName {
    BackupName("unnamed".into())
}

fn listed(names: &[BackupName]) -> String {
    let names: Vec<&str> = names.iter().map(BackupName::as_str).collect();
    names.join(", ")
}

#[cfg(test)]
pub(super) mod tests;
