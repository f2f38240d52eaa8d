//! Public keys that two have: hosts by their key files, people by the keys in their files.

use std::collections::BTreeMap;

use crate::config::{ConfigError, Mark, Origin, Severity};
use crate::source::{RepoPath, Snapshot};

/// Hosts with one and the same public key: each could open what is meant for the other.
pub(super) fn of_hosts(snapshot: &Snapshot) -> Vec<(Severity, ConfigError)> {
    let is_key =
        |text: &str| text.starts_with("hosts/") && text.ends_with("/ssh_host_ed25519_key.pub");
    shared(snapshot, is_key, |first, second| {
        let error = ConfigError::new("two hosts have the same key")
            .at(second)
            .related(first, "the other host's key is here")
            .cause(
                "each of them could open the secrets of the other, and they cannot be told apart",
            )
            .fix("give one of the machines a new key, or remove the file that is a copy");
        (Severity::Error, error)
    })
}

/// People with one and the same key: whoever has it is both of them.
pub(super) fn of_people(snapshot: &Snapshot) -> Vec<(Severity, ConfigError)> {
    let is_person = |text: &str| text.starts_with("users/") && text.strip_suffix(".yml").is_some();
    shared(snapshot, is_person, |first, second| {
        let error = ConfigError::new("two people have the same key")
            .at(second)
            .related(first, "the other one has it here")
            .cause("whoever holds it can log in as both, and taking it from one leaves it to the other")
            .fix("let each have a key of their own, or remove the one that is a copy");
        (Severity::Warning, error)
    })
}

/// Keys that are in two of the files that `chosen` picks.
fn shared(
    snapshot: &Snapshot,
    chosen: impl Fn(&str) -> bool,
    said: impl Fn(Mark, Mark) -> (Severity, ConfigError),
) -> Vec<(Severity, ConfigError)> {
    let mut seen: BTreeMap<String, (RepoPath, Mark)> = BTreeMap::new();
    let mut found = Vec::new();
    for path in snapshot.paths().filter(|path| chosen(path.as_str())) {
        // A file that cannot be read is refused where it is used.
        let Ok(Some(content)) = snapshot.read(path) else {
            continue;
        };
        for (key, mark) in keys_in(path, &String::from_utf8_lossy(&content)) {
            match seen.get(&key) {
                None => {
                    seen.insert(key, (path.clone(), mark));
                }
                Some((first, first_mark)) if first != path => {
                    found.push(said(first_mark.clone(), mark));
                }
                Some(_) => {}
            }
        }
    }
    found
}

/// The public keys of a text, `TYPE BASE64`, each with the place of its type.
fn keys_in(file: &RepoPath, text: &str) -> Vec<(String, Mark)> {
    let mut keys = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.split(" #").next().unwrap_or_default();
        if line.trim_start().starts_with('#') {
            continue;
        }
        let is_edge = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',' | '[' | ']');
        let words: Vec<&str> = line
            .split(is_edge)
            .filter(|word| !word.is_empty())
            .collect();
        for pair in words.windows(2) {
            let [kind, blob] = pair else { continue };
            // The first field of every key is the length of its type: three zero bytes.
            let is_kind = ["ssh-", "sk-", "ecdsa-"]
                .iter()
                .any(|begin| kind.starts_with(begin));
            if !is_kind || !blob.starts_with("AAAA") {
                continue;
            }
            let before = line.find(kind).map_or("", |at| &line[..at]);
            let small = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
            let origin = Origin {
                file: file.clone(),
                line: small(number + 1),
                column: small(before.chars().count() + 1),
            };
            let length = kind.chars().count() + 1 + blob.chars().count();
            keys.push((format!("{kind} {blob}"), Mark { origin, length }));
        }
    }
    keys
}
