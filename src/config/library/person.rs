//! `users/NAME.yml`.

use super::blocks::blocks;
use crate::config::error::ConfigError;
use crate::config::reader::Reader;
use crate::config::vocabulary::{PERSON, USER, keys};
use crate::config::yaml::{Node, Place, Value};

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
    pub(super) fn read(place: Place, root: Option<&Node>, mut reader: Reader) -> Self {
        let mut account = Vec::new();
        let mut config = Vec::new();
        if let Some(root) = root {
            let known: Vec<&str> = keys(USER).into_iter().chain(keys(PERSON)).collect();
            for entry in reader
                .entries(root, "the keys of an account")
                .unwrap_or_default()
            {
                if entry.key.text == "config" {
                    config = blocks(Some(&entry.value), &mut reader);
                } else {
                    reader.known_key(&entry.key, "the file of a person", &known);
                    if known.contains(&entry.key.text.as_str()) {
                        account.push(entry.clone());
                    }
                }
            }
        }
        Self {
            place,
            account: Node::new(place, Value::Map(account)),
            config,
            errors: reader.into_errors(),
        }
    }
}
