//! Inputs: what `fleet.yml` declares, and what `fleet.lock` says it is pinned to.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::fleet::{FleetFile, fleet_file};
use super::stock::{Status, load};
use crate::config::error::{ConfigError, ConfigErrors};
use crate::config::files::FileTable;
use crate::config::reader::{Fields, Reader};
use crate::config::vocabulary::{INPUT, LOCK, LOCKED};
use crate::config::yaml::{Entry, Node, Place};
use crate::host::Digest;
use crate::source::{Address, CommitId, InputName, Pin, Remote, RepoPath, Snapshot};

/// The version of `fleet.lock`.
const LOCK_VERSION: u32 = 1;
const MODULES: &str = "modules";

/// Inputs by name, each where it is declared.
pub(super) type Declared = BTreeMap<InputName, Input>;

/// An input as `fleet.yml` has it.
#[derive(Debug, Clone)]
pub(super) struct Input {
    place: Place,
    remote: Remote,
    branch: Option<String>,
    directory: String,
    signers: Vec<String>,
}

/// An input as `fleet.yml` and `fleet.lock` have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputUse {
    /// Its name.
    pub name: InputName,
    /// Where it is.
    pub remote: Remote,
    /// Its branch; the remote's `HEAD` when absent.
    pub branch: Option<String>,
    /// Its folder of modules.
    pub directory: String,
    /// Public keys of those who may sign its commits.
    pub signers: Vec<String>,
    /// What it is locked to, if it is, and at this address and branch.
    pub locked: Option<Locked>,
}

/// An entry of `fleet.lock`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locked {
    /// Where it was found.
    pub url: String,
    /// On which branch; the remote's `HEAD` when absent.
    pub branch: Option<String>,
    /// The commit.
    pub commit: CommitId,
    /// SHA-256 over its files.
    pub tree: Digest,
}

/// What both files say, and what is wrong with them.
pub(super) struct Said {
    pub(super) variables: Option<Node>,
    pub(super) declared: Declared,
    locked: BTreeMap<InputName, (Place, Locked)>,
    pub(super) errors: Vec<ConfigError>,
}

/// The inputs of a repository, locked or not, whatever else is wrong with `fleet.lock`.
///
/// # Errors
/// [`ConfigErrors`] if `fleet.yml` is wrong.
pub fn inputs(snapshot: &Snapshot) -> Result<Vec<InputUse>, ConfigErrors> {
    let mut files = FileTable::default();
    let (_, fleet, errors) = fleet_of(snapshot, &mut files);
    if let Some(errors) = ConfigErrors::of_run(errors, snapshot) {
        return Err(errors);
    }
    let (_, locked, _) = lock_of(snapshot, &mut files);
    let uses = fleet.inputs.into_iter().map(|(name, input)| {
        let locked = locked.get(&name).map(|(_, locked)| locked.clone());
        let locked = locked.filter(|locked| input.is_locked_as(locked));
        InputUse {
            name,
            remote: input.remote,
            branch: input.branch,
            directory: input.directory,
            signers: input.signers,
            locked,
        }
    });
    Ok(uses.collect())
}

/// What a repository's inputs are pinned to, to be fetched before its hosts are resolved.
///
/// Empty if something is wrong with `fleet.yml` or `fleet.lock`: resolving says what.
#[must_use]
pub fn pins(snapshot: &Snapshot) -> Vec<Pin> {
    let said = read(snapshot, &mut FileTable::default());
    if !said.errors.is_empty() {
        return Vec::new();
    }
    let mut locked = said.locked;
    let pins = said.declared.into_iter().filter_map(|(name, input)| {
        let (_, locked) = locked.remove(&name)?;
        Some(Pin {
            name,
            remote: input.remote,
            branch: input.branch,
            directory: input.directory,
            signers: input.signers,
            commit: locked.commit,
            tree: locked.tree,
        })
    });
    pins.collect()
}

/// `fleet.lock` with these entries.
#[must_use]
pub fn lock_text(locked: &BTreeMap<InputName, Locked>) -> String {
    let mut text = format!(
        "# Written by `steadfast inputs update`. Not to be changed by hand.\nversion: {LOCK_VERSION}\ninputs:\n"
    );
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    for (name, entry) in locked {
        // Writing to a text does not fail.
        let _ = writeln!(text, "  {name}:\n    url: {}", quoted(&entry.url));
        if let Some(branch) = &entry.branch {
            let _ = writeln!(text, "    branch: {}", quoted(branch));
        }
        let _ = writeln!(
            text,
            "    commit: \"{}\"\n    tree: \"{}\"",
            entry.commit, entry.tree
        );
    }
    text
}

/// Reads both files and compares them.
pub(super) fn read(snapshot: &Snapshot, files: &mut FileTable) -> Said {
    let (_, fleet, mut errors) = fleet_of(snapshot, files);
    let (there, locked, wrong) = lock_of(snapshot, files);
    let lock_is_good = wrong.is_empty();
    errors.extend(wrong);
    if lock_is_good {
        compare(&fleet.inputs, (there, &locked), files, &mut errors);
    }
    Said {
        variables: fleet.variables,
        declared: fleet.inputs,
        locked,
        errors,
    }
}

fn fleet_of(snapshot: &Snapshot, files: &mut FileTable) -> (bool, FleetFile, Vec<ConfigError>) {
    let (root, mut reader) = root_of("fleet.yml", snapshot, files);
    let there = root.is_some();
    let fleet = root
        .map(|root| fleet_file(&root, &mut reader))
        .unwrap_or_default();
    (there, fleet, reader.into_errors())
}

type Entries = BTreeMap<InputName, (Place, Locked)>;

fn lock_of(snapshot: &Snapshot, files: &mut FileTable) -> (bool, Entries, Vec<ConfigError>) {
    let (root, mut reader) = root_of("fleet.lock", snapshot, files);
    let there = root.is_some();
    let locked = root
        .map(|root| lock_file(&root, &mut reader))
        .unwrap_or_default();
    let mut errors = reader.into_errors();
    for error in &mut errors {
        error.fix = Some(
            "write it anew: `steadfast inputs update`; after a merge, take either side first"
                .to_owned(),
        );
    }
    (there, locked, errors)
}

fn root_of(name: &str, snapshot: &Snapshot, files: &mut FileTable) -> (Option<Node>, Reader) {
    let path = RepoPath::new(name).expect("a path written in the program is a path");
    let there = snapshot.paths().any(|known| *known == path);
    if !there {
        return (None, Reader::new(files.clone()));
    }
    let file = files.add(path.clone());
    let mut reader = Reader::new(files.clone());
    match load(snapshot, &path, file, &mut reader) {
        Status::Read(root) => (root, reader),
        Status::Missing => (None, reader),
    }
}

/// Where the two files differ: then the lock is of another time.
fn compare(
    declared: &Declared,
    (there, locked): (bool, &Entries),
    files: &FileTable,
    errors: &mut Vec<ConfigError>,
) {
    for (name, input) in declared {
        let origin = files.origin(input.place);
        let update = format!("run `steadfast inputs update {name}`, and commit fleet.lock");
        match locked.get(name) {
            None => {
                let cause = if there {
                    "fleet.lock does not have it"
                } else {
                    "there is no fleet.lock"
                };
                let error =
                    ConfigError::new(format!("the input `{name}` is not locked to a commit"));
                errors.push(error.at(&origin).cause(cause).fix(update));
            }
            Some((place, locked)) if !input.is_locked_as(locked) => {
                let error = ConfigError::new(format!(
                    "the input `{name}` is locked at another address or branch"
                ));
                errors.push(
                    error
                        .at(&origin)
                        .related(&files.origin(*place), "it is locked here")
                        .fix(update),
                );
            }
            Some(_) => {}
        }
    }
    for (name, (place, _)) in locked {
        if !declared.contains_key(name) {
            let error = ConfigError::new(format!(
                "fleet.lock has the input `{name}`, which fleet.yml does not declare"
            ));
            errors.push(
                error
                    .at(&files.origin(*place))
                    .fix("run `steadfast inputs update`, and commit fleet.lock"),
            );
        }
    }
}

impl Input {
    fn is_locked_as(&self, locked: &Locked) -> bool {
        self.remote.as_str() == locked.url && self.branch == locked.branch
    }
}

/// `inputs:` of `fleet.yml`.
pub(super) fn declared(node: &Node, reader: &mut Reader) -> Declared {
    let mut declared = Declared::new();
    for entry in reader.entries(node, "inputs by name").unwrap_or_default() {
        let name = reader.key_name::<InputName>(&entry.key);
        if let Some(input) = input(entry, reader)
            && let Some(name) = name
        {
            declared.insert(name, input);
        }
    }
    declared
}

fn input(entry: &Entry, reader: &mut Reader) -> Option<Input> {
    let fields = reader.fields(&entry.value, "an input", INPUT)?;
    let owner = (entry.key.place, "an input");
    let remote = reader
        .required(fields, "url", owner)
        .and_then(|node| remote(node, reader));
    let branch = match fields.get("branch") {
        Some(node) => Some(reader.line(node)?.to_owned()),
        None => None,
    };
    let directory = match fields.get("directory") {
        Some(node) => reader.name::<RepoPath>(node)?.to_string(),
        None => MODULES.to_owned(),
    };
    Some(Input {
        place: entry.key.place,
        remote: remote?,
        branch,
        directory,
        signers: signers(fields, reader)?,
    })
}

fn remote(node: &Node, reader: &mut Reader) -> Option<Remote> {
    let text = reader.line(node)?;
    match Remote::parse(text) {
        Ok(remote) => match remote.address() {
            Address::Local(path) if !path.is_absolute() => {
                reader
                    .error(node.place, format!("`{text}` is not the same everywhere"))
                    .fix = Some("write an absolute path, `ssh://…` or `https://…`".to_owned());
                None
            }
            _ => Some(remote),
        },
        Err(invalid) => {
            reader.error(node.place, invalid.to_string()).fix =
                Some(invalid.reason.fix().to_owned());
            None
        }
    }
}

fn signers(fields: Fields<'_>, reader: &mut Reader) -> Option<Vec<String>> {
    let Some(node) = fields.get("signers") else {
        return Some(Vec::new());
    };
    let mut signers = Vec::new();
    for item in reader.list(node, "public SSH keys")? {
        let line = reader.line(item)?.trim();
        if ssh_key::PublicKey::from_openssh(line).is_err() {
            reader.error(item.place, "this is not a public SSH key").fix =
                Some("paste the line of a `.pub` file: `ssh-ed25519 AAAA… name`".to_owned());
            return None;
        }
        signers.push(line.to_owned());
    }
    if signers.is_empty() {
        reader
            .error(node.place, "nobody may sign the commits of this input")
            .fix = Some("name a public SSH key, or leave `signers` out".to_owned());
        return None;
    }
    Some(signers)
}

fn lock_file(root: &Node, reader: &mut Reader) -> Entries {
    let mut locked = Entries::new();
    let Some(fields) = reader.fields(root, "fleet.lock", LOCK) else {
        return locked;
    };
    if let Some(node) = fields.get("version")
        && let Some(version) = reader.number(node, u32::MAX)
        && version != LOCK_VERSION
    {
        let message = format!("this version reads version {LOCK_VERSION} of fleet.lock");
        reader.error(node.place, message);
    }
    let Some(node) = fields.get("inputs") else {
        return locked;
    };
    for entry in reader.entries(node, "inputs by name").unwrap_or_default() {
        let name = reader.key_name::<InputName>(&entry.key);
        if let Some(one) = locked_input(entry, reader)
            && let Some(name) = name
        {
            locked.insert(name, (entry.key.place, one));
        }
    }
    locked
}

fn locked_input(entry: &Entry, reader: &mut Reader) -> Option<Locked> {
    let fields = reader.fields(&entry.value, "a locked input", LOCKED)?;
    let owner = (entry.key.place, "a locked input");
    let url = reader.required(fields, "url", owner)?;
    let url = reader.line(url)?.to_owned();
    let branch = match fields.get("branch") {
        Some(node) => Some(reader.line(node)?.to_owned()),
        None => None,
    };
    let commit = reader.required(fields, "commit", owner);
    let commit = commit.and_then(|node| reader.name(node));
    let tree = reader.required(fields, "tree", owner);
    let tree = tree.and_then(|node| reader.name(node));
    Some(Locked {
        url,
        branch,
        commit: commit?,
        tree: tree?,
    })
}
