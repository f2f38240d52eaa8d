//! What is installed, compared with what should be: states only, never a value or a digest of one.

use std::collections::{BTreeMap, BTreeSet};

use super::install::InstallError;
use super::layout::{self, Entry, SecretSet, Which};
use super::{SecretName, SecretState, TemplateName};
use crate::host::{Accounts, FileErrorKind, Host, HostPath, Owner, PathState};
use crate::identity::Plaintext;

/// The installed secrets of a host, compared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InstalledSecrets {
    /// Every secret of the set.
    pub secrets: BTreeMap<SecretName, SecretState>,
    /// Every template of the set.
    pub templates: BTreeMap<TemplateName, SecretState>,
    /// Files below `/run/secrets` that no secret or template names.
    pub stale: BTreeSet<String>,
}

impl InstalledSecrets {
    /// Whether installing would change nothing. A value that did not open is left as it is.
    #[must_use]
    pub fn is_current(&self) -> bool {
        let settled =
            |state: &SecretState| matches!(state, SecretState::Current | SecretState::Unknown);
        self.stale.is_empty()
            && self.secrets.values().all(settled)
            && self.templates.values().all(settled)
    }
}

/// Compares what is installed with what should be, in constant time per value. Changes nothing.
///
/// # Errors
/// [`InstallError`] if something cannot be looked at: unreadable is not missing.
pub fn observe(
    host: &Host,
    set: &SecretSet<'_>,
    accounts: &Accounts,
) -> Result<InstalledSecrets, InstallError> {
    let mut installed = InstalledSecrets::default();
    let current = layout::current(host)?.map(layout::set);
    let entries = set
        .entries()
        .map_err(|(template, source)| InstallError::UnknownSecret { template, source })?;
    let mut wanted = BTreeSet::new();
    for entry in &entries {
        let place = entry.which.place();
        let state = match &current {
            Some(directory) => {
                let file = layout::file_in(directory, &place);
                compare(host, &file, entry, accounts)?
            }
            None if entry.value.is_none() => SecretState::Unknown,
            None => SecretState::Missing,
        };
        match entry.which {
            Which::Secret(name) => installed.secrets.insert(name.clone(), state),
            Which::Template(name) => installed.templates.insert(name.clone(), state),
        };
        wanted.insert(place);
    }
    if let Some(directory) = &current {
        let mut found = BTreeSet::new();
        list_files(host, directory, "", &mut found)?;
        installed.stale = found.difference(&wanted).cloned().collect();
    }
    Ok(installed)
}

fn compare(
    host: &Host,
    file: &HostPath,
    entry: &Entry<'_>,
    accounts: &Accounts,
) -> Result<SecretState, InstallError> {
    let Some(value) = &entry.value else {
        return Ok(SecretState::Unknown);
    };
    let (mode, owner) = match host.look(file)? {
        PathState::Absent => return Ok(SecretState::Missing),
        PathState::File { mode, owner, .. } => (mode, owner),
        _ => return Ok(SecretState::Different),
    };
    let expected = value.plaintext();
    // One byte more than expected, so that a longer file is told apart without reading all of it.
    let content = match host.read_file(file, expected.len() as u64 + 1) {
        Ok(Some(content)) => Plaintext::new(content),
        Ok(None) => return Ok(SecretState::Missing),
        Err(error) if matches!(error.kind, FileErrorKind::TooLarge { .. }) => {
            return Ok(SecretState::Different);
        }
        Err(error) => return Err(error.into()),
    };
    if !expected.same_as(content.expose()) {
        return Ok(SecretState::Different);
    }
    // An account that is still to be made owns nothing yet.
    let same_owner = match layout::owner_of(host, accounts, entry) {
        Ok(Owner::Unknown) => true,
        Ok(wanted) => wanted == owner,
        Err(_missing) => false,
    };
    Ok(if mode == entry.mode && same_owner {
        SecretState::Current
    } else {
        SecretState::Metadata
    })
}

/// Every file below `directory`, as paths relative to the set.
fn list_files(
    host: &Host,
    directory: &HostPath,
    prefix: &str,
    found: &mut BTreeSet<String>,
) -> Result<(), InstallError> {
    for name in host.list(directory)?.unwrap_or_default() {
        let Ok(path) = directory.join(&name) else {
            continue;
        };
        let place = format!("{prefix}{name}");
        match host.look(&path)? {
            PathState::Directory { .. } => {
                list_files(host, &path, &format!("{place}/"), found)?;
            }
            PathState::Absent => {}
            _ => {
                found.insert(place);
            }
        }
    }
    Ok(())
}
