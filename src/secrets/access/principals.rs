//! Everybody who has a key: hosts by their folders, people by their anchors.

use std::collections::{BTreeMap, BTreeSet};

use super::usage::Usage;
use crate::identity::Recipient;
use crate::secrets::repository::{RecipientNames, Repository, host_of_key_file};

/// Who has which keys.
#[derive(Debug, Clone, Default)]
pub struct Principals {
    hosts: BTreeMap<String, BTreeSet<String>>,
    people: BTreeMap<String, BTreeSet<String>>,
    by_key: BTreeMap<String, Reader>,
}

/// Somebody who can read a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reader {
    /// What kind of reader it is.
    pub kind: ReaderKind,
    /// The host's folder, the person's anchor, or the key itself where no name is known.
    pub name: String,
}

/// What kind of reader somebody is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReaderKind {
    /// A key with an anchor or a comment that is no host's.
    Person,
    /// A key of a host of this repository.
    Host,
    /// A key that nothing names.
    Unknown,
}

impl Principals {
    /// Everybody that `.sops.yaml` and the folders of hosts name.
    #[must_use]
    pub fn of(repository: &Repository, usage: &Usage) -> Self {
        let mut found = Self::default();
        for host in usage.hosts.keys() {
            found.hosts.entry(host.clone()).or_default();
        }
        for file in repository.files() {
            let Some(host) = host_of_key_file(&file) else {
                continue;
            };
            // A key file that cannot be read names no key; what uses the host says so.
            let text = repository.read(&file).ok().flatten().unwrap_or_default();
            let names = RecipientNames::default().with_host(host, &String::from_utf8_lossy(&text));
            let keys = names.iter().map(|(key, _)| key.to_owned());
            found.hosts.entry(host.to_owned()).or_default().extend(keys);
        }
        found.add_named(repository.names());
        found.index();
        found
    }

    fn add_named(&mut self, names: &RecipientNames) {
        for (key, name) in names.iter() {
            let host = self
                .hosts
                .keys()
                .find(|host| is_anchor_of(name, host))
                .cloned();
            match host {
                Some(host) => {
                    self.hosts.entry(host).or_default().insert(key.to_owned());
                }
                None if self.hosts.values().any(|keys| keys.contains(key)) => {}
                None => {
                    let keys = self.people.entry(name.to_owned()).or_default();
                    keys.insert(key.to_owned());
                }
            }
        }
    }

    fn index(&mut self) {
        for (kind, all) in [
            (ReaderKind::Person, &self.people),
            (ReaderKind::Host, &self.hosts),
        ] {
            for (name, keys) in all {
                for key in keys {
                    let name = name.clone();
                    self.by_key.insert(key.clone(), Reader { kind, name });
                }
            }
        }
    }

    /// The hosts, with their keys; a host whose key nobody knows has none.
    #[must_use]
    pub fn hosts(&self) -> &BTreeMap<String, BTreeSet<String>> {
        &self.hosts
    }

    /// Everybody else who has a name, with their keys.
    #[must_use]
    pub fn people(&self) -> &BTreeMap<String, BTreeSet<String>> {
        &self.people
    }

    /// Who has the key `text`, a recipient as a file has it.
    #[must_use]
    pub fn reader(&self, text: &str) -> Reader {
        let unknown = |name: String| Reader {
            kind: ReaderKind::Unknown,
            name,
        };
        match Recipient::parse(text) {
            Ok(recipient) => {
                let known = self.by_key.get(&recipient.key()).cloned();
                known.unwrap_or_else(|| unknown(recipient.short()))
            }
            Err(_other_kind) => unknown(text.to_owned()),
        }
    }
}

/// Whether `anchor` is what people call the key of `host`: its name, or that behind `host_` or `server_`.
pub(super) fn is_anchor_of(anchor: &str, host: &str) -> bool {
    let bare = ["host_", "host-", "server_", "server-"]
        .iter()
        .find_map(|prefix| anchor.strip_prefix(prefix));
    anchor == host || bare == Some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_known_by_the_anchors_that_people_give_it() {
        for anchor in ["dallas", "host_dallas", "host-dallas", "server_dallas"] {
            assert!(is_anchor_of(anchor, "dallas"), "{anchor}");
        }
        for anchor in ["admin_dallas", "dallas2", "host_", "hostdallas"] {
            assert!(!is_anchor_of(anchor, "dallas"), "{anchor}");
        }
    }
}
