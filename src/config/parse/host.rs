//! The top of what is said about a host.

use std::collections::BTreeMap;

use super::credentials::Credentials;
use super::of::Of;
use crate::config::error::ConfigError;
use crate::config::files::FileTable;
use crate::config::host::{Enforcement, HostConfig, HostName};
use crate::config::reader::{Fields, Reader};
use crate::config::repository::Repository;
use crate::config::system::PackageConfig;
use crate::config::yaml::Node;
use crate::host::PackageName;

/// Turns what is said about one host, merged, into a [`HostConfig`], keeping every error.
pub(in crate::config) struct HostParser<'a> {
    pub(super) reader: Reader,
    pub(super) repository: &'a Repository<'a>,
    pub(super) config: HostConfig,
    /// What is said about each package by a map; `None` while only its name is there.
    pub(super) packages_said: BTreeMap<PackageName, Option<PackageConfig>>,
    /// What services take, until it becomes drop-ins.
    pub(super) credentials: Credentials,
}

impl<'a> HostParser<'a> {
    pub(in crate::config) fn new(
        name: HostName,
        files: FileTable,
        repository: &'a Repository<'a>,
    ) -> Self {
        Self {
            reader: Reader::new(files),
            repository,
            config: HostConfig::empty(name),
            packages_said: BTreeMap::new(),
            credentials: Credentials::new(),
        }
    }

    /// Reads the tree, whose top keys were checked. The configuration is complete only if there are no errors.
    pub(in crate::config) fn parse(mut self, root: &Node) -> (HostConfig, Vec<ConfigError>) {
        self.host(root);
        (self.config, self.reader.into_errors())
    }

    fn host(&mut self, root: &Node) {
        let Some(entries) = self.reader.entries(root, "the keys of a host file") else {
            return;
        };
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
            self.files(node, Of::Host);
        }
        if let Some(node) = fields.get("directories") {
            self.directories(node, Of::Host);
        }
        if let Some(node) = fields.get("symlinks") {
            self.symlinks(node, Of::Host);
        }
        if let Some(node) = fields.get("units") {
            self.units(node);
        }
        if let Some(node) = fields.get("mounts") {
            self.mounts(node);
        }
        if let Some(node) = fields.get("network") {
            self.network(node);
        }
        if let Some(entry) = fields.entry("sshd") {
            self.sshd(entry);
        }
        if let Some(entry) = fields.entry("firewall") {
            self.firewall(entry);
        }
        if let Some(node) = fields.get("containers") {
            self.containers(node);
        }
        if let Some(node) = fields.get("secrets") {
            self.secrets(node, Of::Host);
        }
        if let Some(node) = fields.get("templates") {
            self.templates(node, Of::Host);
        }
        self.deliver_credentials();
        // After the accounts, which say where their homes are.
        if let Some(node) = fields.get("home") {
            self.homes(node);
        }
        if let Some(node) = fields.get("health") {
            self.health(node);
        }
    }

    pub(super) fn enforcement(&mut self, node: &Node) -> Option<Enforcement> {
        let words = [
            ("report", Enforcement::Report),
            ("enforce", Enforcement::Enforce),
            ("adopt", Enforcement::Adopt),
        ];
        self.reader.one_of(node, &words)
    }
}
