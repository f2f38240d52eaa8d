//! Files that lie where nobody reads them: a host without its `host.yml`, `module.yaml`, a folder whose name is none.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::{ConfigError, HostName, Severity};
use crate::source::{RepoPath, Snapshot};

/// A kind of thing that has a folder of its own, with a file in it that says what it is.
struct Kind {
    folder: &'static str,
    file: &'static str,
    noun: &'static str,
}

const KINDS: [Kind; 2] = [
    Kind {
        folder: "hosts",
        file: "host.yml",
        noun: "host",
    },
    Kind {
        folder: "modules",
        file: "module.yml",
        noun: "module",
    },
];

/// What looks like a host, a module or a person and is none.
pub(super) fn stray(snapshot: &Snapshot) -> Vec<(Severity, ConfigError)> {
    let mut found = Vec::new();
    for kind in &KINDS {
        folders(kind, snapshot, &mut found);
    }
    for path in snapshot.paths() {
        misspelt_files(path, &mut found);
    }
    links(snapshot, &mut found);
    found
}

fn folders(kind: &Kind, snapshot: &Snapshot, found: &mut Vec<(Severity, ConfigError)>) {
    let mut folders: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for path in snapshot.paths() {
        if let Some(below) = path.as_str().strip_prefix(kind.folder)
            && let Some((name, rest)) = below.trim_start_matches('/').split_once('/')
        {
            folders.entry(name).or_default().insert(rest);
        }
    }
    let Kind { folder, file, noun } = kind;
    for (name, files) in folders {
        if files.contains(file) {
            // A module's name is checked where modules are read.
            if *noun == "host"
                && let Err(invalid) = HostName::new(name)
            {
                let error = ConfigError::new(invalid.to_string())
                    .cause(format!(
                        "{folder}/{name}/{file} is there, and no host comes of it"
                    ))
                    .fix(format!("rename the folder {folder}/{name}"));
                found.push((Severity::Error, error));
            }
            continue;
        }
        let written = files.iter().find(|other| is_nearly(other, file));
        found.push(if let Some(other) = written {
            let error = ConfigError::new(format!("`{folder}/{name}/{other}` is not read"))
                .cause(format!("what makes a {noun} is called {file}, exactly"))
                .fix(format!("rename it to {folder}/{name}/{file}"));
            (Severity::Error, error)
        } else {
            let error = ConfigError::new(format!("`{folder}/{name}` is no {noun}"))
                .cause(format!("there is no {folder}/{name}/{file}"))
                .fix("add that file, or move the folder elsewhere");
            (Severity::Warning, error)
        });
    }
}

/// Whether somebody who wrote `other` meant `file`: another ending, or capitals.
fn is_nearly(other: &str, file: &str) -> bool {
    let other = other.to_lowercase();
    let stem = file.trim_end_matches(".yml");
    other == file || other == format!("{stem}.yaml") || other == format!("{stem}s.yml")
}

/// `users/anna.yaml`, `fleet.yaml`, `hosts/web/disk.yaml` and the like.
fn misspelt_files(path: &RepoPath, found: &mut Vec<(Severity, ConfigError)>) {
    let text = path.as_str();
    let lower = text.to_lowercase();
    let person = text
        .strip_prefix("users/")
        .is_some_and(|name| !name.contains('/') && name.strip_suffix(".yaml").is_some());
    let disk = text
        .strip_prefix("hosts/")
        .and_then(|below| below.strip_suffix("/disk.yaml"))
        .is_some_and(|host| !host.contains('/'));
    let meant = if person || disk {
        format!("{}.yml", text.trim_end_matches(".yaml"))
    } else if text != "fleet.yml" && matches!(lower.as_str(), "fleet.yml" | "fleet.yaml") {
        "fleet.yml".to_owned()
    } else if text == ".sops.yml" {
        ".sops.yaml".to_owned()
    } else {
        return;
    };
    let error =
        ConfigError::new(format!("`{text}` is not read")).fix(format!("rename it to {meant}"));
    found.push((Severity::Error, error));
}

/// Links and the like in the place of a file that would be read.
fn links(snapshot: &Snapshot, found: &mut Vec<(Severity, ConfigError)>) {
    for skipped in snapshot.skipped() {
        let path = skipped.path.as_str();
        let is_ours = |folder: &str, end: &str| path.starts_with(folder) && path.ends_with(end);
        let would_be_read = matches!(
            path,
            "fleet.yml" | ".sops.yaml" | "hosts" | "modules" | "users"
        ) || is_ours("hosts/", "/host.yml")
            || is_ours("modules/", "/module.yml")
            || is_ours("users/", ".yml");
        if would_be_read {
            let error = ConfigError::new(format!("`{path}` is not read"))
                .cause(format!("it is {}", skipped.reason))
                .fix("put what it stands for in its place");
            found.push((Severity::Error, error));
        }
    }
}
