//! Who can read what: every secret file with those who can open it, and the hosts that use it.

use std::collections::{BTreeMap, BTreeSet};

use super::plan::shape_of;
use super::principals::{Principals, Reader, ReaderKind};
use super::survey::{Asked, Sealed, Seen, State, survey};
use super::usage::Usage;
use crate::host::Watcher;
use crate::secrets::repository::Repository;
use crate::source::RepoPath;

/// Who can read what.
#[derive(Debug, Clone)]
pub struct AccessTable {
    /// Every secret file, in path order.
    pub files: Vec<FileAccess>,
    /// Everybody who has a name.
    pub principals: Principals,
}

/// Who can read one file.
#[derive(Debug, Clone)]
pub struct FileAccess {
    /// The file.
    pub file: RepoPath,
    /// Those who can open it, people first.
    pub readers: BTreeSet<Reader>,
    /// How many key groups are needed together, of how many, if the file has several.
    pub groups: Option<(u8, usize)>,
    /// Whether these are exactly those that `.sops.yaml` names; nothing if no usable rule is for the file.
    pub matches_rule: Option<bool>,
    /// Its values, with what uses them.
    pub values: Vec<ValueUse>,
    /// Why nobody can tell, if the file cannot be read.
    pub trouble: Option<String>,
}

/// One value of a file, and who uses it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueUse {
    /// Where in the file, outermost key first.
    pub key: Vec<String>,
    /// What hosts call it, with those hosts.
    pub used: BTreeMap<String, BTreeSet<String>>,
}

/// What somebody asks about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// Everything.
    All,
    /// One file.
    File(RepoPath),
    /// One host.
    Host(String),
    /// One person.
    Person(String),
    /// A secret: what hosts call it, or its key path in a file.
    Secret(String),
}

/// Tells who can read what. No key is needed.
#[must_use]
pub fn who(repository: &Repository, usage: &Usage, watcher: Watcher<'_>) -> AccessTable {
    let principals = Principals::of(repository, usage);
    let mut uses: BTreeMap<&RepoPath, BTreeMap<&[String], ValueUse>> = BTreeMap::new();
    for (host, secret) in usage.secrets() {
        let of_file = uses.entry(&secret.file).or_default();
        let value = of_file.entry(&secret.key).or_insert_with(|| ValueUse {
            key: secret.key.clone(),
            used: BTreeMap::new(),
        });
        let hosts = value.used.entry(secret.name.clone()).or_default();
        hosts.insert(host.to_owned());
    }
    let seen = survey(repository, &repository.candidates(), Asked::ByRule, watcher);
    let files = seen.into_iter().filter_map(|Seen { file, state }| {
        let (sealed, trouble) = match state {
            State::Sealed(sealed) => (Some(sealed), None),
            State::InTheClear => (
                None,
                Some("it is not encrypted: everybody can read it".to_owned()),
            ),
            State::Broken(error) => (None, Some(error.to_string())),
            State::Unreadable(error) => (None, Some(error.to_string())),
            State::Other | State::Missing => return None,
        };
        let in_use = uses.get(&file);
        let mut access = FileAccess {
            readers: BTreeSet::new(),
            groups: None,
            matches_rule: None,
            values: in_use
                .map(|used| used.values().cloned().collect())
                .unwrap_or_default(),
            trouble,
            file,
        };
        if let Some(sealed) = sealed {
            access.fill(repository, &principals, &sealed);
        }
        Some(access)
    });
    AccessTable {
        files: files.collect(),
        principals,
    }
}

impl FileAccess {
    fn fill(&mut self, repository: &Repository, principals: &Principals, sealed: &Sealed) {
        let keys = sealed.sealed.keys();
        let texts = keys.recipients().map(|it| it.as_str().to_owned());
        let texts = texts.chain(keys.others().map(ToString::to_string));
        self.readers = texts.map(|text| principals.reader(&text)).collect();
        let (groups, needed) = shape_of(&keys);
        self.groups = needed.map(|needed| (needed, groups.len()));
        let wanted = repository.rules().keys_of(&self.file).ok();
        self.matches_rule = wanted.map(|wanted| shape_of(&wanted) == shape_of(&keys));
        for key in sealed.sealed.key_paths() {
            if !self.values.iter().any(|value| value.key == key) {
                let used = BTreeMap::new();
                self.values.push(ValueUse { key, used });
            }
        }
        self.values.sort_by(|a, b| a.key.cmp(&b.key));
    }

    /// The names of the readers of one kind.
    pub fn names(&self, kind: ReaderKind) -> impl Iterator<Item = &str> {
        let of_kind = self
            .readers
            .iter()
            .filter(move |reader| reader.kind == kind);
        of_kind.map(|reader| reader.name.as_str())
    }

    /// Every host that uses a value of the file.
    #[must_use]
    pub fn used_by(&self) -> BTreeSet<&str> {
        let hosts = self
            .values
            .iter()
            .flat_map(|value| value.used.values().flatten());
        hosts.map(String::as_str).collect()
    }

    /// Whether `name` is among those who can open it.
    #[must_use]
    pub fn is_read_by(&self, kind: ReaderKind, name: &str) -> bool {
        self.names(kind).any(|reader| reader == name)
    }
}

impl AccessTable {
    /// What `text` names: a host, a person, or a secret. Files are found by whoever knows the working directory.
    #[must_use]
    pub fn subject(&self, text: &str) -> Option<Subject> {
        if self.principals.hosts().contains_key(text) {
            return Some(Subject::Host(text.to_owned()));
        }
        if self.principals.people().contains_key(text) {
            return Some(Subject::Person(text.to_owned()));
        }
        let anchored = self
            .principals
            .hosts()
            .keys()
            .find(|host| super::principals::is_anchor_of(text, host));
        if let Some(host) = anchored {
            return Some(Subject::Host(host.clone()));
        }
        let named = |value: &ValueUse| value.is_called(text);
        let found = self.files.iter().any(|file| file.values.iter().any(named));
        found.then(|| Subject::Secret(text.to_owned()))
    }

    /// Everything that `subject` could have been.
    #[must_use]
    pub fn known(&self) -> Vec<String> {
        let hosts = self
            .principals
            .hosts()
            .keys()
            .chain(self.principals.people().keys());
        let files = self.files.iter().map(|file| file.file.to_string());
        hosts.cloned().chain(files).collect()
    }

    /// The part of the table that is about `subject`: for a host or a person the files that they can open, and those
    /// that they use and cannot; for a secret its files, with its value alone.
    #[must_use]
    pub fn about(&self, subject: &Subject) -> Vec<FileAccess> {
        let files = self.files.iter();
        match subject {
            Subject::All => self.files.clone(),
            Subject::File(file) => files.filter(|it| it.file == *file).cloned().collect(),
            Subject::Host(host) => files
                .filter(|it| {
                    it.is_read_by(ReaderKind::Host, host) || it.used_by().contains(host.as_str())
                })
                .cloned()
                .collect(),
            Subject::Person(name) => files
                .filter(|it| it.is_read_by(ReaderKind::Person, name))
                .cloned()
                .collect(),
            Subject::Secret(text) => files
                .filter_map(|file| {
                    let mut file = file.clone();
                    file.values.retain(|value| value.is_called(text));
                    (!file.values.is_empty()).then_some(file)
                })
                .collect(),
        }
    }
}

impl ValueUse {
    /// Whether `text` is the value's key path, or what a host calls it.
    #[must_use]
    pub fn is_called(&self, text: &str) -> bool {
        self.key.join("/") == text || self.used.contains_key(text)
    }
}
