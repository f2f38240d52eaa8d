//! `users/NAME.yml`.

use super::blocks::blocks;
use crate::config::error::ConfigError;
use crate::config::reader::Reader;
use crate::config::vocabulary::{PERSON, USER, keys};
use crate::config::yaml::{Entry, Key, Node, Place, Value};
use crate::host::UserName;

/// A person as their file has them.
#[derive(Debug, Clone)]
pub(in crate::config) struct Person {
    /// The beginning of the file.
    pub(in crate::config) place: Place,
    /// The keys of the account.
    pub(in crate::config) account: Node,
    /// What comes with them.
    pub(in crate::config) config: Vec<Node>,
    pub(in crate::config) errors: Vec<ConfigError>,
}

impl Person {
    /// Reads the file of a person.
    pub(super) fn read(
        name: &UserName,
        place: Place,
        root: Option<&Node>,
        mut reader: Reader,
    ) -> Self {
        let mut account = Vec::new();
        let mut config = Vec::new();
        let mut home = None;
        if let Some(root) = root {
            let mut known = keys(USER);
            known.extend(keys(PERSON).into_iter().filter(|key| *key != "home"));
            for entry in reader
                .entries(root, "the keys of an account")
                .unwrap_or_default()
            {
                if entry.key.text == "config" {
                    config = blocks(Some(&entry.value), &mut reader);
                } else if entry.key.text == "home" && matches!(entry.value.value, Value::Map(_)) {
                    home = Some(home_of(name, entry));
                } else {
                    reader.known_key(&entry.key, "the file of a person", &known);
                    if known.contains(&entry.key.text.as_str()) {
                        account.push(entry.clone());
                    }
                }
            }
        }
        config.extend(home);
        Self {
            place,
            account: Node::new(place, Value::Map(account)),
            config,
            errors: reader.into_errors(),
        }
    }
}

/// A map under `home` is short for `config: { home: { NAME: … } }`; a path there is the account's directory.
fn home_of(name: &UserName, home: &Entry) -> Node {
    let account = Entry {
        key: Key {
            text: name.to_string(),
            place: home.key.place,
        },
        value: home.value.clone(),
    };
    let homes = Entry {
        key: home.key.clone(),
        value: Node::new(home.value.place, Value::Map(vec![account])),
    };
    Node::new(home.value.place, Value::Map(vec![homes]))
}
