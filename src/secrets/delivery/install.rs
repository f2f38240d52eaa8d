//! Installing secrets: a whole new set beside the old one, then one rename shows it.

use std::collections::BTreeSet;

use super::layout::{self, Entry, SecretSet};
use super::observe::observe;
use super::{RenderError, SecretName, TemplateName};
use crate::host::memory::MemoryError;
use crate::host::{Accounts, FileError, FileErrorKind, FileMode, Host, HostPath, Owner, Removed};
use crate::identity::Plaintext;

/// Directories of a set can be passed through by everybody and listed by root only.
const DIRECTORY_MODE: FileMode = FileMode::from_bits(0o711);
/// A file that is larger than this is not a secret that was installed here.
const LARGEST_SECRET_BYTES: u64 = 16 * 1024 * 1024;

/// What an installation did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Installed {
    /// Everything was there already, as it should be.
    Unchanged,
    /// A new set was made and is shown.
    Set {
        /// Its number, `/run/secrets.d/N`.
        number: u64,
    },
    /// No secret is wanted any more; all sets are gone.
    Removed,
}

/// Secrets that could not be compared or installed; `/run/secrets` shows what it showed before.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// A file or directory.
    #[error(transparent)]
    File(#[from] FileError),
    /// There is no place in memory.
    #[error(transparent)]
    Memory(#[from] MemoryError),
    /// `/run/secrets` is not a link of ours.
    #[error("{} is not the link to the installed secrets, but {what}", path.display())]
    LinkInTheWay {
        /// The path on this machine.
        path: std::path::PathBuf,
        /// What is there.
        what: String,
    },
    /// Owners that do not exist on this host.
    #[error("{}", missing_accounts(missing))]
    MissingAccounts {
        /// The place of each secret or template, and the account.
        missing: Vec<(String, String)>,
    },
    /// One secret's name is a directory on the way to another.
    #[error(
        "the secrets `{file}` and `{below}` cannot both be installed: `{file}` would be a file and a directory"
    )]
    NameConflict {
        /// The shorter name.
        file: String,
        /// The longer name.
        below: String,
    },
    /// A template with a secret that the generation does not have.
    #[error("the template `{template}` cannot be rendered")]
    UnknownSecret {
        /// The template.
        template: TemplateName,
        /// The secret it names.
        source: RenderError,
    },
}

impl InstallError {
    /// How to go on.
    #[must_use]
    pub fn fix(&self) -> Option<String> {
        match self {
            Self::File(error) => error.hint(),
            Self::Memory(error) => error.hint(),
            Self::LinkInTheWay { path, .. } => Some(format!(
                "stop what made it (sops-nix?), then move {} away",
                path.display()
            )),
            Self::MissingAccounts { .. } => Some(
                "declare the accounts under `users:` and `groups:`, or name other owners"
                    .to_owned(),
            ),
            Self::NameConflict { .. } => Some("rename one of them".to_owned()),
            Self::UnknownSecret { source, .. } => {
                Some(format!("add `{}` under `secrets:`", source.secret))
            }
        }
    }
}

fn missing_accounts(missing: &[(String, String)]) -> String {
    let parts: Vec<String> = missing
        .iter()
        .map(|(place, account)| format!("{account} of `{place}`"))
        .collect();
    format!("this host does not have {}", parts.join(", "))
}

/// Names of which one would have to be a file and a directory at once.
#[must_use]
pub fn conflicting_names<'a>(
    names: impl IntoIterator<Item = &'a SecretName>,
) -> Vec<(&'a SecretName, &'a SecretName)> {
    let names: BTreeSet<&SecretName> = names.into_iter().collect();
    let mut conflicts = Vec::new();
    for below in &names {
        for (position, _) in below.as_str().match_indices('/') {
            if let Some(file) = names
                .iter()
                .find(|name| name.as_str() == &below.as_str()[..position])
            {
                conflicts.push((*file, *below));
            }
        }
    }
    conflicts
}

/// Installs `set`: a new directory below `/run/secrets.d`, on ramfs on the live machine, and `/run/secrets` pointed at
/// it by one rename. The set that was shown before is kept, older ones go.
///
/// Files are made with mode 0600, then get their owner, then their mode. A value that did not open is carried over from
/// the set before, if it is there. Does nothing if everything is as it should be, so that it can be repeated; an empty
/// set removes all sets. Owners are looked up in `accounts`, so accounts come first.
///
/// # Errors
/// [`InstallError`]; services see what they saw before.
pub fn install(
    host: &Host,
    set: &SecretSet<'_>,
    accounts: &Accounts,
) -> Result<Installed, InstallError> {
    check_names(set)?;
    if set.is_empty() {
        return remove_all(host);
    }
    if observe(host, set, accounts)?.is_current() && layout::current(host)?.is_some() {
        return Ok(Installed::Unchanged);
    }
    let entries = set
        .entries()
        .map_err(|(template, source)| InstallError::UnknownSecret { template, source })?;
    let owners = owners_of(host, accounts, &entries)?;
    let previous = layout::current(host)?;
    make_room(host)?;
    let highest = layout::numbers(host)?.into_iter().chain(previous).max();
    let number = highest.map_or(1, |number| number + 1);
    let directory = layout::set(number);
    host.make_directory(&directory, root(host), DIRECTORY_MODE)?;
    let mut made = BTreeSet::from([directory.clone(), layout::sets()]);
    for (entry, owner) in entries.iter().zip(owners) {
        write(host, &directory, entry, owner, previous, &mut made)?;
    }
    host.sync_directories(&made)?;
    show(host, number)?;
    prune(host, &[Some(number), previous])?;
    Ok(Installed::Set { number })
}

fn check_names(set: &SecretSet<'_>) -> Result<(), InstallError> {
    match conflicting_names(set.secrets.keys()).first() {
        None => Ok(()),
        Some((file, below)) => Err(InstallError::NameConflict {
            file: file.to_string(),
            below: below.to_string(),
        }),
    }
}

/// Everybody who is missing is named before anything is written.
fn owners_of(
    host: &Host,
    accounts: &Accounts,
    entries: &[Entry<'_>],
) -> Result<Vec<Owner>, InstallError> {
    let mut owners = Vec::with_capacity(entries.len());
    let mut missing = Vec::new();
    for entry in entries {
        match layout::owner_of(host, accounts, entry) {
            Ok(owner) => owners.push(owner),
            Err(account) => missing.push((entry.which.place(), account)),
        }
    }
    if missing.is_empty() {
        Ok(owners)
    } else {
        Err(InstallError::MissingAccounts { missing })
    }
}

fn root(host: &Host) -> Owner {
    match host.ownership() {
        crate::host::Ownership::Kept => Owner::Ids { uid: 0, gid: 0 },
        crate::host::Ownership::Ignored => Owner::Unknown,
    }
}

/// Makes `/run/secrets.d`, on ramfs on the live machine, so that no plaintext ever reaches a disk or swap.
fn make_room(host: &Host) -> Result<(), InstallError> {
    let sets = layout::sets();
    host.mount_ramfs(&sets)?;
    host.make_directory(&sets, root(host), DIRECTORY_MODE)?;
    Ok(())
}

fn write(
    host: &Host,
    directory: &HostPath,
    entry: &Entry<'_>,
    owner: Owner,
    previous: Option<u64>,
    made: &mut BTreeSet<HostPath>,
) -> Result<(), InstallError> {
    let place = entry.which.place();
    let carried;
    let value = match (&entry.value, previous) {
        (Some(value), _) => value.plaintext(),
        (None, None) => return Ok(()),
        (None, Some(previous)) => {
            let old = layout::file_in(&layout::set(previous), &place);
            match host.read_file(&old, LARGEST_SECRET_BYTES)? {
                None => return Ok(()),
                Some(content) => {
                    carried = Plaintext::new(content);
                    &carried
                }
            }
        }
    };
    for (position, _) in place.match_indices('/') {
        let parent = layout::file_in(directory, &place[..position]);
        if made.insert(parent.clone()) {
            host.make_directory(&parent, root(host), DIRECTORY_MODE)?;
        }
    }
    let file = layout::file_in(directory, &place);
    host.write_file(&file, value.expose(), owner, entry.mode)?;
    Ok(())
}

/// Points `/run/secrets` at set `number`.
fn show(host: &Host, number: u64) -> Result<(), InstallError> {
    let link = layout::link();
    match host.make_symlink(&link, &layout::link_target(number)) {
        Ok(()) => {}
        Err(error) => {
            return Err(match &error.kind {
                FileErrorKind::InTheWay { what } => InstallError::LinkInTheWay {
                    path: host.real_path(&link),
                    what: (*what).to_string(),
                },
                _ => error.into(),
            });
        }
    }
    if let Some(run) = link.parent() {
        host.sync_directories(&BTreeSet::from([run]))?;
    }
    Ok(())
}

/// Removes all sets but those in `kept`, also half-made ones that a kill left behind.
fn prune(host: &Host, kept: &[Option<u64>]) -> Result<(), InstallError> {
    for number in layout::numbers(host)? {
        if !kept.contains(&Some(number)) {
            remove_tree(host, &layout::set(number))?;
        }
    }
    Ok(())
}

/// Removes sets that a killed process began and did not show.
///
/// # Errors
/// [`InstallError`]; what is shown stays as it is.
pub fn remove_unfinished(host: &Host) -> Result<(), InstallError> {
    let shown = layout::current(host)?;
    for number in layout::numbers(host)? {
        if shown.is_none_or(|shown| number > shown) {
            remove_tree(host, &layout::set(number))?;
        }
    }
    Ok(())
}

fn remove_all(host: &Host) -> Result<Installed, InstallError> {
    let shown = layout::current(host)?.is_some();
    if !shown && layout::numbers(host)?.is_empty() {
        return Ok(Installed::Unchanged);
    }
    if shown {
        host.remove(&layout::link())?;
    }
    prune(host, &[])?;
    Ok(Installed::Removed)
}

fn remove_tree(host: &Host, path: &HostPath) -> Result<(), FileError> {
    if host.remove(path)? == Removed::NotEmpty {
        for name in host.list(path)?.unwrap_or_default() {
            if let Ok(below) = path.join(&name) {
                remove_tree(host, &below)?;
            }
        }
        host.remove(path)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
