//! A new config repository: the example fleet, as a person wants it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::example::{EXAMPLE, PERSON, PERSON_EMAIL, PERSON_KEY, PERSON_NAME};
use super::new_secrets::{self, NewSecretsError};
use crate::config::{Colour, FileKind, HostName, schema};
use crate::generation::{CheckRequest, Checked, check, excerpts};
use crate::host::{FileError, FileMode, UserName, durable};
use crate::identity::Recipient;
use crate::source::{RepoPath, Snapshot};

const FILE_MODE: FileMode = FileMode::from_bits(0o644);
const FOLDER_MODE: FileMode = FileMode::from_bits(0o755);

/// The person whose repository it is.
#[derive(Debug, Clone)]
pub struct Founder {
    /// The account that they have on hosts.
    pub user: UserName,
    /// Their name.
    pub name: String,
    /// Their address.
    pub email: String,
    /// What they log in with: an SSH public key, one line.
    pub ssh_key: String,
    /// What opens secrets for them.
    pub recipient: Recipient,
}

/// The files of a new repository.
#[derive(Debug)]
pub struct NewRepository {
    files: BTreeMap<RepoPath, Vec<u8>>,
    /// Its hosts, each with the digest of what it is to be.
    pub checked: Checked,
    /// What is wrong with it, as text with source lines: nothing, unless a name or an address is stranger than any test.
    pub wrong: Vec<String>,
    /// Secrets that the person has to put in, as key paths.
    pub to_fill_in: Vec<String>,
}

/// A repository that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum NewRepositoryError {
    /// A host that the example does not have.
    #[error("the example has no host `{host}`")]
    NoHost {
        /// Which.
        host: HostName,
    },
    /// Its secrets.
    #[error("cannot make the secrets of the new repository")]
    Secrets(#[from] Box<NewSecretsError>),
    /// A file or folder of it.
    #[error(transparent)]
    File(#[from] Box<FileError>),
    /// There is something already.
    #[error("{} is not empty", .0.display())]
    NotEmpty(std::path::PathBuf),
    /// The folder cannot be looked at.
    #[error("cannot look into {}", path.display())]
    Unreadable {
        /// The folder.
        path: std::path::PathBuf,
        /// Why not.
        source: std::io::Error,
    },
}

impl NewRepositoryError {
    /// How to go on.
    #[must_use]
    pub fn fix(&self) -> Option<String> {
        match self {
            Self::NoHost { .. } => {
                let hosts = example_hosts();
                let names: Vec<&str> = hosts.iter().map(|(host, _)| host.as_str()).collect();
                Some(format!(
                    "its hosts are {}; `steadfast host add` adds others",
                    names.join(", ")
                ))
            }
            Self::NotEmpty(_) => Some("name a folder that is not there yet".to_owned()),
            Self::File(error) => error.hint(),
            Self::Secrets(_) | Self::Unreadable { .. } => None,
        }
    }
}

/// The hosts of the example, each with its description.
#[must_use]
pub fn example_hosts() -> Vec<(HostName, String)> {
    let hosts = EXAMPLE.iter().filter_map(|(path, text)| {
        let host = path.strip_prefix("hosts/")?.strip_suffix("/host.yml")?;
        let described = text
            .lines()
            .find_map(|line| line.strip_prefix("description: "));
        Some((
            HostName::new(host).ok()?,
            described.unwrap_or_default().to_owned(),
        ))
    });
    hosts.collect()
}

/// The example with these `hosts`, for `founder`: their account, their key, secrets that nobody else has.
///
/// # Errors
/// [`NewRepositoryError`].
///
/// # Panics
/// Never: the names of the example's files are usable, which a test holds.
pub fn new_repository(
    founder: &Founder,
    hosts: &BTreeSet<HostName>,
) -> Result<NewRepository, NewRepositoryError> {
    let known: BTreeSet<HostName> = example_hosts().into_iter().map(|(host, _)| host).collect();
    if let Some(host) = hosts.difference(&known).next() {
        return Err(NewRepositoryError::NoHost { host: host.clone() });
    }
    let mut files: BTreeMap<RepoPath, Vec<u8>> = BTreeMap::new();
    let mut add = |path: &str, text: String| {
        let path = RepoPath::new(path).expect("files of the example have usable names");
        files.insert(path, text.into_bytes());
    };
    for (path, text) in EXAMPLE {
        let host = path
            .strip_prefix("hosts/")
            .and_then(|rest| rest.split('/').next());
        if host.is_some_and(|host| !hosts.iter().any(|wanted| wanted.as_str() == host)) {
            continue;
        }
        let path = path.replace(&format!("{PERSON}.yml"), &format!("{}.yml", founder.user));
        add(&path, made_theirs(text, founder));
    }
    for kind in FileKind::ALL {
        add(
            &format!(".schema/{}.json", kind.as_str()),
            format!("{:#}\n", schema(kind)),
        );
    }
    add(".sops.yaml", rules(founder));
    let secrets = new_secrets::sealed(&founder.user, &founder.recipient).map_err(Box::new)?;
    add(new_secrets::FILE, secrets);
    let snapshot = Snapshot::in_memory(files.clone());
    let request = CheckRequest {
        host: None,
        verifier: None,
        watcher: &|_step| {},
    };
    let checked = check(&snapshot, request);
    Ok(NewRepository {
        wrong: excerpts(&checked.errors, &snapshot, Colour::Ansi),
        files,
        checked,
        to_fill_in: new_secrets::to_fill_in(&founder.user),
    })
}

/// A text of the example, with the person in the place of the example's.
fn made_theirs(text: &str, founder: &Founder) -> String {
    let mut theirs = String::with_capacity(text.len());
    for line in text
        .lines()
        .filter(|line| !line.contains("DEMO-KEYS-NOT-SECRET"))
    {
        let line = line
            .replace(PERSON_KEY, &in_yaml(&founder.ssh_key))
            .replace(PERSON_EMAIL, &in_yaml(&founder.email))
            // A colon would end the field of the passwd file that has the name.
            .replace(PERSON_NAME, &in_yaml(&founder.name.replace(':', "")));
        theirs.push_str(&with_word(&line, PERSON, founder.user.as_str()));
        theirs.push('\n');
    }
    theirs
}

/// `line` with another word in the place of `word`; part of a word is left alone.
fn with_word(line: &str, word: &str, other: &str) -> String {
    let mut parts = line.split(word);
    let mut changed = parts.next().unwrap_or_default().to_owned();
    let in_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '-');
    for part in parts {
        let inside = in_word(changed.chars().next_back()) || in_word(part.chars().next());
        changed.push_str(if inside { word } else { other });
        changed.push_str(part);
    }
    changed
}

/// `text` as a YAML value, inside `{ }` too: in quotes where it must be.
fn in_yaml(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || " .@_-+/=".contains(c);
    let begins = text.starts_with(|c: char| c.is_alphabetic());
    if begins && text.chars().all(plain) && text.trim() == text {
        text.to_owned()
    } else {
        // What JSON calls a string, YAML does.
        serde_json::Value::from(text).to_string()
    }
}

/// `.sops.yaml`: the person opens everything, hosts are still to come.
fn rules(founder: &Founder) -> String {
    format!(
        "\
# Who can open which secret file. `steadfast secrets rekey` makes the files match.
keys:
  # People.
  - &{user} {key}
  # Hosts: `steadfast secrets onboard HOST --ssh-keyscan ADDRESS` adds one.
creation_rules:
  - path_regex: ^secrets/default\\.yml$
    age: [*{user}]
",
        user = founder.user,
        key = founder.recipient.key(),
    )
}

impl NewRepository {
    /// Its files, in path order.
    pub fn files(&self) -> impl Iterator<Item = &RepoPath> {
        self.files.keys()
    }

    /// Writes the files below `directory`, which is not there yet or is empty, and gives `finish` the rest to do. All or
    /// nothing: when something fails, the folder is as it was.
    ///
    /// # Errors
    /// [`NewRepositoryError`], or that of `finish`.
    pub fn write<T, E: From<NewRepositoryError>>(
        &self,
        directory: &Path,
        finish: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let was_there = is_empty_folder(directory)?;
        let written = self.write_files(directory).map_err(E::from);
        let ended = written.and_then(|()| finish());
        if ended.is_err() {
            // The error says what went wrong; what is left behind is the lesser trouble.
            let _ = clear(directory);
            if !was_there {
                let _ = std::fs::remove_dir(directory);
            }
        }
        ended
    }

    fn write_files(&self, directory: &Path) -> Result<(), NewRepositoryError> {
        for (path, content) in &self.files {
            let path = directory.join(path.as_str());
            if let Some(folder) = path.parent() {
                durable::make_directories(folder, FOLDER_MODE).map_err(Box::new)?;
            }
            durable::replace(&path, content, FILE_MODE).map_err(Box::new)?;
        }
        Ok(())
    }
}

/// Whether `directory` is there; one that holds something is refused.
fn is_empty_folder(directory: &Path) -> Result<bool, NewRepositoryError> {
    let unreadable = |source| NewRepositoryError::Unreadable {
        path: directory.to_owned(),
        source,
    };
    match std::fs::read_dir(directory) {
        Ok(mut entries) => match entries.next() {
            None => Ok(true),
            Some(_) => Err(NewRepositoryError::NotEmpty(directory.to_owned())),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(unreadable(error)),
    }
}

/// Removes all that is in a folder which was empty before.
fn clear(directory: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            std::fs::remove_dir_all(entry.path())?;
        } else {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
