//! What is said about a machine as a whole, typed: language, keyboard, names, packages and where they come from.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::Located;
use crate::host::{HostPath, LocaleName};
use crate::name::checked_name;
use crate::source::RepoPath;

checked_name!(
    /// The name of a package repository: the name of its files in `/etc/apt/sources.list.d` and `/etc/apt/keyrings`.
    RepositoryName, "name of a package repository", |text| {
        if text.is_empty() || text.len() > 64 {
            return Err("must be 1 to 64 characters");
        }
        if !text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit()) {
            return Err("must begin with a lower-case letter or a digit");
        }
        if !text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-".contains(&b)) {
            return Err("may contain only lower-case letters, digits, `_` and `-`");
        }
        Ok(())
    }
);

/// Language and formats of programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocaleConfig {
    /// `LANG`.
    pub lang: LocaleName,
    /// Further locales to generate.
    pub generate: BTreeSet<LocaleName>,
    /// `LC_TIME` and the like; `LANGUAGE` has languages of its own.
    pub settings: BTreeMap<String, String>,
}

impl LocaleConfig {
    /// Every locale that has to be generated: what is named anywhere, without those that the C library has in itself.
    #[must_use]
    pub fn generated(&self) -> BTreeSet<LocaleName> {
        let settings = self.settings.iter().filter(|(key, _)| *key != "LANGUAGE");
        settings
            .filter_map(|(_, value)| LocaleName::new(value.as_str()).ok())
            .chain(self.generate.iter().cloned())
            .chain([self.lang.clone()])
            .filter(|locale| !locale.is_built_in())
            .collect()
    }
}

/// The keyboard, in XKB terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeymapConfig {
    /// `us`, or several: `us,de`.
    pub layout: String,
    /// `intl`.
    pub variant: Option<String>,
    /// `pc105` when absent.
    pub model: Option<String>,
    /// `ctrl:nocaps`, …
    pub options: Vec<String>,
    /// Key map of the text console; the first layout when absent.
    pub console: Option<String>,
}

/// Where names are looked up: `/etc/resolv.conf`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResolvConfig {
    /// Servers, in order.
    pub nameservers: Vec<IpAddr>,
    /// Domains that short names are tried in.
    pub search: Vec<String>,
    /// `edns0`, `timeout:1`, …
    pub options: Vec<String>,
}

/// A package to have installed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PackageConfig {
    /// Kept at its version by upgrades.
    pub hold: bool,
}

/// Where packages come from, beyond what the host has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AptConfig {
    /// Repositories by name.
    pub repositories: BTreeMap<RepositoryName, Located<AptRepository>>,
    /// Preferences, in file order.
    pub pins: Vec<Located<AptPin>>,
}

/// A package repository, in the terms of sources.list(5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AptRepository {
    /// `deb`, `deb-src`.
    pub types: Vec<String>,
    /// Where it is.
    pub uris: Vec<String>,
    /// `bookworm`; of a flat repository a path that ends with `/`.
    pub suites: Vec<String>,
    /// `main`; none for a flat repository.
    pub components: Vec<String>,
    /// `amd64`; the host's when empty.
    pub architectures: Vec<String>,
    /// What signs it.
    pub key: RepositoryKey,
}

/// The key that a package repository is signed with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RepositoryKey {
    /// A file of the config repository, armored or not.
    File(RepoPath),
    /// A keyring that is on the host.
    Host(HostPath),
}

/// A preference, in the terms of `apt_preferences(5)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AptPin {
    /// Packages, with `*` and the like.
    pub packages: Vec<String>,
    /// What is preferred: `version 5:27.*`, `release a=stable`, `origin download.docker.com`.
    pub pin: String,
    /// How much.
    pub priority: i16,
}
