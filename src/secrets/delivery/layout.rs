//! Where installed secrets are: `/run/secrets` → `secrets.d/N`, with templates in `rendered/`.

use std::collections::BTreeMap;

use super::{OpenedSecrets, RenderError, SecretName, SecretSpec, TemplateName, TemplateSpec};
use crate::host::{
    Accounts, FileError, FileMode, GroupName, Host, HostPath, Owner, Ownership, PathState, UserName,
};
use crate::identity::Plaintext;

/// Everything that shall be installed.
#[derive(Clone, Copy)]
#[expect(
    missing_debug_implementations,
    reason = "plaintext must not be printable"
)]
pub struct SecretSet<'a> {
    /// The secrets of the generation.
    pub secrets: &'a BTreeMap<SecretName, SecretSpec>,
    /// The templates of the generation.
    pub templates: &'a BTreeMap<TemplateName, TemplateSpec>,
    /// Their values.
    pub opened: &'a OpenedSecrets,
}

/// A secret or template of a set.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Which<'a> {
    Secret(&'a SecretName),
    Template(&'a TemplateName),
}

/// One file of a set.
pub(super) struct Entry<'a> {
    pub(super) which: Which<'a>,
    pub(super) owner: &'a UserName,
    pub(super) group: &'a GroupName,
    pub(super) mode: FileMode,
    /// `None` if a secret in it did not open.
    pub(super) value: Option<Value<'a>>,
}

/// The bytes of a file: a secret's own, or a template's that were just rendered.
pub(super) enum Value<'a> {
    Opened(&'a Plaintext),
    Rendered(Plaintext),
}

impl Value<'_> {
    pub(super) fn plaintext(&self) -> &Plaintext {
        match self {
            Value::Opened(value) => value,
            Value::Rendered(value) => value,
        }
    }
}

impl Which<'_> {
    /// The path below a set's directory.
    pub(super) fn place(&self) -> String {
        match self {
            Which::Secret(name) => name.as_str().to_owned(),
            Which::Template(name) => format!("rendered/{name}"),
        }
    }
}

impl SecretSet<'_> {
    pub(super) fn is_empty(&self) -> bool {
        self.secrets.is_empty() && self.templates.is_empty()
    }

    /// Every file of the set, with its bytes.
    ///
    /// # Errors
    /// [`RenderError`] if a template names a secret that is not among the set's.
    pub(super) fn entries(&self) -> Result<Vec<Entry<'_>>, (TemplateName, RenderError)> {
        let mut entries = Vec::with_capacity(self.secrets.len() + self.templates.len());
        for (name, spec) in self.secrets {
            entries.push(Entry {
                which: Which::Secret(name),
                owner: &spec.owner,
                group: &spec.group,
                mode: spec.mode,
                value: self.opened.value(name).map(Value::Opened),
            });
        }
        for (name, spec) in self.templates {
            let value = match super::render(spec, self.opened) {
                Ok(text) => Some(Value::Rendered(text)),
                Err(error) if self.secrets.contains_key(&error.secret) => None,
                Err(error) => return Err((name.clone(), error)),
            };
            entries.push(Entry {
                which: Which::Template(name),
                owner: &spec.owner,
                group: &spec.group,
                mode: spec.mode,
                value,
            });
        }
        Ok(entries)
    }
}

/// The link that services use.
pub(super) fn link() -> HostPath {
    constant("/run/secrets")
}

/// The directory of all sets.
pub(super) fn sets() -> HostPath {
    constant("/run/secrets.d")
}

/// The directory of set `number`.
pub(super) fn set(number: u64) -> HostPath {
    constant(&format!("/run/secrets.d/{number}"))
}

/// What the link of set `number` says.
pub(super) fn link_target(number: u64) -> String {
    format!("secrets.d/{number}")
}

fn constant(path: &str) -> HostPath {
    // The texts above are host paths whatever the number is; a test looks at them.
    HostPath::new(path).expect("a constant host path")
}

/// A file of a set. Names are checked and at most 255 bytes long, so that this is always a host path.
pub(super) fn file_in(set: &HostPath, place: &str) -> HostPath {
    set.join(place).expect("a checked name below a host path")
}

/// The set that `/run/secrets` shows; `None` if there is no link, or one that is not ours.
pub(super) fn current(host: &Host) -> Result<Option<u64>, FileError> {
    Ok(match host.look(&link())? {
        PathState::Symlink { target } => number_of(&target),
        _ => None,
    })
}

/// Reads `secrets.d/N`, also written with a leading `/run/`.
fn number_of(target: &str) -> Option<u64> {
    let relative = target.strip_prefix("/run/").unwrap_or(target);
    relative.strip_prefix("secrets.d/")?.parse().ok()
}

/// The numbers of all sets that are there, current or not.
pub(super) fn numbers(host: &Host) -> Result<Vec<u64>, FileError> {
    let names = host.list(&sets())?.unwrap_or_default();
    Ok(names.iter().filter_map(|name| name.parse().ok()).collect())
}

/// The owner of an entry as ids; the name that is missing otherwise.
///
/// `root` is id 0 also where there is no passwd file yet, below a fresh `--root`.
pub(super) fn owner_of(
    host: &Host,
    accounts: &Accounts,
    entry: &Entry<'_>,
) -> Result<Owner, String> {
    if host.ownership() == Ownership::Ignored {
        return Ok(Owner::Unknown);
    }
    let uid = match accounts.users.get(entry.owner) {
        Some(account) => account.uid,
        None if entry.owner.as_str() == "root" => 0,
        None => return Err(format!("user `{}`", entry.owner)),
    };
    let gid = match accounts.groups.get(entry.group) {
        Some(group) => group.gid,
        None if entry.group.as_str() == "root" => 0,
        None => return Err(format!("group `{}`", entry.group)),
    };
    Ok(Owner::Ids { uid, gid })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_of_ours_are_recognised() {
        assert_eq!(number_of("secrets.d/12"), Some(12));
        assert_eq!(number_of("/run/secrets.d/3"), Some(3));
        assert_eq!(number_of("/etc/secrets.d/3"), None);
        assert_eq!(number_of("secrets.d/x"), None);
        assert_eq!(set(u64::MAX).parent(), Some(sets()));
        assert_eq!(link().file_name(), "secrets");
    }
}
