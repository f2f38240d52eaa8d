//! The top of a host file.

use crate::config::error::ConfigError;
use crate::config::host::{Enforcement, HostConfig, HostName};
use crate::config::reader::{Fields, Reader};
use crate::config::repository::Repository;
use crate::config::yaml::{self, Node};
use crate::source::RepoPath;

/// The keys a host file may have.
const KEYS: [&str; 16] = [
    "description",
    "platform",
    "drift",
    "hostname",
    "timezone",
    "sysctls",
    "packages",
    "groups",
    "users",
    "files",
    "directories",
    "symlinks",
    "units",
    "secrets",
    "templates",
    "health",
];

/// Keys that the format has a plan for and this version does not read, with what to do until it does.
const LATER: [(&str, &str); 3] = [
    ("profiles", "write out here what the profiles would say"),
    ("modules", "write out here what the modules would say"),
    (
        "backend",
        "leave it out: the back end of this version is the native one",
    ),
];

/// Turns one host file into a [`HostConfig`], keeping every error.
pub(in crate::config) struct HostParser<'a> {
    pub(super) reader: Reader,
    pub(super) repository: Repository<'a>,
    pub(super) config: HostConfig,
}

impl<'a> HostParser<'a> {
    pub(in crate::config) fn new(
        name: HostName,
        file: RepoPath,
        repository: Repository<'a>,
    ) -> Self {
        Self {
            reader: Reader::new(file),
            repository,
            config: HostConfig::empty(name),
        }
    }

    /// Reads the file. The configuration is complete only if there are no errors.
    pub(in crate::config) fn parse(mut self, content: &[u8]) -> (HostConfig, Vec<ConfigError>) {
        let loaded = yaml::load(content);
        for error in loaded.errors {
            self.reader.yaml_error(error);
        }
        if let Some(root) = &loaded.root {
            self.host(root);
        }
        (self.config, self.reader.into_errors())
    }

    fn host(&mut self, root: &Node) {
        let Some(entries) = self.reader.entries(root, "the keys of a host file") else {
            return;
        };
        for entry in entries {
            let key = entry.key.text.as_str();
            match LATER.iter().find(|(later, _)| *later == key) {
                Some((_, fix)) => {
                    let message = format!("this version does not know `{key}` yet");
                    self.reader.error(entry.key.place, message).fix = Some((*fix).to_owned());
                }
                None => self.reader.known_key(&entry.key, "a host file", &KEYS),
            }
        }
        let fields = Fields::over(entries);
        if let Some(node) = fields.get("drift") {
            self.config.drift = self.enforcement(node).unwrap_or_default();
        }
        self.machine(fields);
        if let Some(node) = fields.get("groups") {
            self.groups(node);
        }
        if let Some(node) = fields.get("users") {
            self.users(node);
        }
        if let Some(node) = fields.get("files") {
            self.files(node);
        }
        if let Some(node) = fields.get("directories") {
            self.directories(node);
        }
        if let Some(node) = fields.get("symlinks") {
            self.symlinks(node);
        }
        if let Some(node) = fields.get("units") {
            self.units(node);
        }
        if let Some(node) = fields.get("secrets") {
            self.secrets(node);
        }
        if let Some(node) = fields.get("templates") {
            self.templates(node);
        }
        if let Some(node) = fields.get("health") {
            self.health(node);
        }
    }

    pub(super) fn enforcement(&mut self, node: &Node) -> Option<Enforcement> {
        let words = [
            ("report", Enforcement::Report),
            ("enforce", Enforcement::Enforce),
        ];
        self.reader.one_of(node, &words)
    }
}
