//! What a host file says, typed: the resolved configuration of one host.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

mod network;
mod services;

pub use network::{
    InterfaceConfig, InterfaceName, IpPrefix, MountConfig, NetworkConfig, NetworkManager,
    RouteConfig, WireguardConfig, WireguardKey, WireguardPeer,
};
pub use services::{FirewallConfig, QuadletConfig, QuadletName, SshdConfig};

use super::Located;
use super::system::{AptConfig, KeymapConfig, LocaleConfig, PackageConfig, ResolvConfig};
use crate::health::Check;
use crate::host::{
    FileMode, GroupName, HostPath, InvalidName, KernelModule, PackageName, SubIds, UnitName,
    UserName,
};
use crate::name::checked_name;
use crate::secrets::{SecretName, TemplateName, UnitTriggers};
use crate::source::RepoPath;

checked_name!(
    /// The name of a host: its folder in `hosts/`. One or more DNS labels in lower case.
    HostName, "host name", |text| {
        if text.is_empty() || text.len() > 253 {
            return Err("must be 1 to 253 characters");
        }
        for label in text.split('.') {
            if label.is_empty() || label.len() > 63 || label.starts_with('-') || label.ends_with('-') {
                return Err("each label must be 1 to 63 characters and not begin or end with `-`");
            }
            if !label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
                return Err("may contain only lower-case letters, digits, `-` and `.`");
            }
        }
        Ok(())
    }
);

/// What the agent does about drift of an entry: `report` (default), `enforce` or `adopt`.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Enforcement {
    /// Show it; leave it until somebody runs `reconcile now` or the entry changes.
    #[default]
    Report,
    /// Put it right at the next scan.
    Enforce,
    /// Take what somebody made of a file, its owner and its mode as right, until the entry changes. What is gone or of
    /// another type is reported, and so is drift of what is no file.
    Adopt,
}

/// What of a file or directory may differ from its entry without being drift.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ignored {
    /// The mode.
    pub mode: bool,
    /// Owner and group.
    pub owner: bool,
    /// The content.
    pub content: bool,
    /// Lines that one of these regular expressions matches.
    pub lines: Vec<String>,
}

/// What happens to a file that is there already and is not ours: an error unless the entry says otherwise.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnConflict {
    /// Refuse the plan before anything changes.
    #[default]
    Refuse,
    /// Take it over; its content is not kept.
    Adopt,
    /// Take it over; the original is kept and comes back when the entry goes.
    Backup,
}

/// Everything one host should be, resolved from the repository at one revision. Files are named, not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostConfig {
    /// The host.
    pub name: HostName,
    /// What it is for, in words.
    pub description: Option<String>,
    /// What it runs on.
    pub platform: Option<Platform>,
    /// Policy for entries that do not set their own.
    pub drift: Enforcement,
    /// Static host name.
    pub hostname: Option<Located<String>>,
    /// Time zone, `Europe/Berlin`.
    pub timezone: Option<Located<String>>,
    /// Kernel parameters by dotted name.
    pub sysctls: BTreeMap<String, Located<String>>,
    /// Language and formats.
    pub locale: Option<Located<LocaleConfig>>,
    /// The keyboard.
    pub keymap: Option<Located<KeymapConfig>>,
    /// Kernel modules to have loaded.
    pub kernel_modules: BTreeMap<KernelModule, Located<()>>,
    /// Names of other machines, by address.
    pub hosts: BTreeMap<IpAddr, Located<Vec<String>>>,
    /// Where names are looked up.
    pub resolv: Option<Located<ResolvConfig>>,
    /// Where packages come from, beyond what the host has.
    pub apt: AptConfig,
    /// Packages to have installed.
    pub packages: BTreeMap<PackageName, Located<PackageConfig>>,
    /// Groups to have.
    pub groups: BTreeMap<GroupName, Located<GroupConfig>>,
    /// Accounts to have.
    pub users: BTreeMap<UserName, Located<UserConfig>>,
    /// Regular files.
    pub files: BTreeMap<HostPath, Located<FileConfig>>,
    /// Directories.
    pub directories: BTreeMap<HostPath, Located<DirectoryConfig>>,
    /// Symbolic links.
    pub symlinks: BTreeMap<HostPath, Located<SymlinkConfig>>,
    /// systemd units.
    pub units: BTreeMap<UnitName, Located<UnitConfig>>,
    /// Secrets to install.
    pub secrets: BTreeMap<SecretName, Located<SecretConfig>>,
    /// Texts with secrets in them.
    pub templates: BTreeMap<TemplateName, Located<TemplateConfig>>,
    /// What only the home directories of accounts have. Files, secrets and the like of a home are among those of the
    /// host, with the account as their owner.
    pub homes: BTreeMap<UserName, Located<HomeConfig>>,
    /// File systems by mount point.
    pub mounts: BTreeMap<HostPath, Located<MountConfig>>,
    /// Interfaces and tunnels.
    pub network: NetworkConfig,
    /// Settings of the SSH server.
    pub sshd: Option<Located<SshdConfig>>,
    /// The packet filter.
    pub firewall: Option<Located<FirewallConfig>>,
    /// Podman quadlets.
    pub containers: BTreeMap<QuadletName, Located<QuadletConfig>>,
    /// Declared checks, in file order.
    pub health: Vec<Located<Check>>,
}

impl HostConfig {
    /// The configuration of a host whose file says nothing.
    #[must_use]
    pub fn empty(name: HostName) -> Self {
        Self {
            name,
            description: None,
            platform: None,
            drift: Enforcement::default(),
            hostname: None,
            timezone: None,
            sysctls: BTreeMap::new(),
            locale: None,
            keymap: None,
            kernel_modules: BTreeMap::new(),
            hosts: BTreeMap::new(),
            resolv: None,
            apt: AptConfig::default(),
            packages: BTreeMap::new(),
            groups: BTreeMap::new(),
            users: BTreeMap::new(),
            files: BTreeMap::new(),
            directories: BTreeMap::new(),
            symlinks: BTreeMap::new(),
            units: BTreeMap::new(),
            secrets: BTreeMap::new(),
            templates: BTreeMap::new(),
            homes: BTreeMap::new(),
            mounts: BTreeMap::new(),
            network: NetworkConfig::default(),
            sshd: None,
            firewall: None,
            containers: BTreeMap::new(),
            health: Vec::new(),
        }
    }
}

/// What a host runs on, as its file says; nothing is asked of the machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Platform {
    /// `ID` of `/etc/os-release`: `debian`.
    pub os: Option<String>,
    /// `VERSION_ID` of `/etc/os-release`: `13`.
    pub version: Option<String>,
    /// Machine as `uname -m` has it: `x86_64`.
    pub arch: Option<String>,
}

/// Distributions whose packages apt installs.
const DEBIAN_LIKE: [&str; 10] = [
    "debian",
    "ubuntu",
    "raspbian",
    "linuxmint",
    "pop",
    "kali",
    "devuan",
    "neon",
    "elementary",
    "pureos",
];

impl Platform {
    /// The operating system, if it is known and is none of Debian's family: there is no apt, and files of the base
    /// system are elsewhere.
    #[must_use]
    pub fn other_than_debian(&self) -> Option<&str> {
        let os = self.os.as_deref()?;
        (!DEBIAN_LIKE.contains(&os)).then_some(os)
    }
}

/// A group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupConfig {
    /// Fixed group id; chosen by the system when absent.
    pub gid: Option<u32>,
    /// Whether the id is taken from the system range.
    pub system: bool,
}

/// An account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserConfig {
    /// Fixed user id; chosen by the system when absent.
    pub uid: Option<u32>,
    /// Primary group; a group of the same name when absent.
    pub group: Option<GroupName>,
    /// Supplementary groups; others the account is in already are kept.
    pub groups: Vec<GroupName>,
    /// Full name or purpose (GECOS).
    pub description: Option<String>,
    /// Home directory; `/home/NAME` when absent, `/root` for root, `/nonexistent` for a system account.
    pub home: Option<HostPath>,
    /// Login shell; the system's default when absent.
    pub shell: Option<HostPath>,
    /// crypt(3) hash, written out.
    pub password_hash: Option<String>,
    /// Secret that holds the crypt(3) hash.
    pub password_secret: Option<SecretName>,
    /// Lines of `~/.ssh/authorized_keys`, which is then managed as a whole.
    pub ssh_keys: Vec<String>,
    /// Whether it is a system account (no home made, id from the system range).
    pub system: bool,
    /// Whether it may use sudo, through the group that the platform has for it.
    pub admin: bool,
    /// Whether its services run without a login.
    pub linger: bool,
    /// The first day on which nobody can log in with it.
    pub expires: Option<jiff::civil::Date>,
    /// Subordinate ids.
    pub subids: Option<SubIds>,
}

impl UserConfig {
    /// The home directory of the account, which is called `name`.
    ///
    /// # Errors
    /// [`InvalidName`] if the name makes no path.
    pub fn directory(&self, name: &UserName) -> Result<HostPath, InvalidName> {
        match &self.home {
            Some(home) => Ok(home.clone()),
            None if name.as_str() == "root" => HostPath::new("/root"),
            None if self.system => HostPath::new("/nonexistent"),
            None => HostPath::new(format!("/home/{name}")),
        }
    }
}

/// Where a file's content comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileSource {
    /// Written out in the host file.
    Text(String),
    /// A file of the repository.
    File(RepoPath),
    /// A file of the repository with its expressions evaluated.
    Filled {
        /// The file.
        file: RepoPath,
        /// What came of it.
        text: String,
    },
}

/// A regular file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileConfig {
    /// Content.
    pub source: FileSource,
    /// Owner; `root` when absent.
    pub owner: Option<UserName>,
    /// Group; the owner's group when absent.
    pub group: Option<GroupName>,
    /// Mode; `0644` when absent.
    pub mode: Option<FileMode>,
    /// What to do about a foreign file in its place.
    pub on_conflict: OnConflict,
    /// Drift policy; the host's when absent.
    pub drift: Option<Enforcement>,
    /// Units that act when it changes.
    pub units: UnitTriggers,
    /// A program and its arguments that must end with 0 before the file is put there; empty for none.
    pub validate: Vec<String>,
    /// What may differ.
    pub ignore: Ignored,
}

/// A directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DirectoryConfig {
    /// Owner; `root` when absent.
    pub owner: Option<UserName>,
    /// Group; the owner's group when absent.
    pub group: Option<GroupName>,
    /// Mode; `0755` when absent.
    pub mode: Option<FileMode>,
    /// Drift policy; the host's when absent.
    pub drift: Option<Enforcement>,
    /// What may differ: mode and owner.
    pub ignore: Ignored,
}

/// A symbolic link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SymlinkConfig {
    /// What it points at, verbatim.
    pub target: String,
    /// What to do about a foreign file in its place.
    pub on_conflict: OnConflict,
    /// Drift policy; the host's when absent.
    pub drift: Option<Enforcement>,
}

/// A systemd unit: one of ours (`source`), or one of the distribution's that is enabled, started, masked or extended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnitConfig {
    /// The unit file; `None` for a unit of the distribution.
    pub source: Option<FileSource>,
    /// Drop-ins by file name, `10-limits.conf`.
    pub drop_ins: BTreeMap<String, FileSource>,
    /// Enabled, disabled, or left as it is.
    pub enable: Option<bool>,
    /// Running, stopped, or left as it is.
    pub start: Option<bool>,
    /// Masked.
    pub mask: bool,
    /// What to do about a foreign unit file or drop-in in the place of ours.
    pub on_conflict: OnConflict,
    /// Drift policy; the host's when absent.
    pub drift: Option<Enforcement>,
}

/// A secret to install.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretConfig {
    /// Secret file; `secrets/default.yml` when the entry names none.
    pub file: RepoPath,
    /// Key path inside the file; the parts of the secret's name when the entry names none. Empty for the whole file, as
    /// binary files are.
    pub key: Vec<String>,
    /// Owner; `root` when absent.
    pub owner: Option<UserName>,
    /// Group; the owner's group when absent.
    pub group: Option<GroupName>,
    /// Mode; `0400` when absent.
    pub mode: Option<FileMode>,
    /// Whether the activation goes on without it when it does not open.
    pub optional: bool,
    /// Where a symbolic link to it is.
    pub link: Option<SecretLink>,
    /// Units that act when it changes.
    pub units: UnitTriggers,
}

/// A symbolic link to an installed secret or template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretLink {
    /// Where it is.
    pub path: HostPath,
    /// What to do about a foreign file in its place.
    pub on_conflict: OnConflict,
}

/// A text with `{{ secret("name") }}` placeholders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateConfig {
    /// The text.
    pub source: FileSource,
    /// Owner; `root` when absent.
    pub owner: Option<UserName>,
    /// Group; the owner's group when absent.
    pub group: Option<GroupName>,
    /// Mode; `0400` when absent.
    pub mode: Option<FileMode>,
    /// Where a symbolic link to it is.
    pub link: Option<SecretLink>,
    /// The account in whose home it was written: its placeholders name the secrets of that home first.
    pub home: Option<UserName>,
    /// Units that act when it changes.
    pub units: UnitTriggers,
}

/// What only the home directory of an account has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HomeConfig {
    /// `~/.config/git/config`, in the order of its sections; nothing is written if it is empty.
    pub git: Vec<GitSection>,
    /// Variables of sessions and login shells.
    pub session_variables: BTreeMap<String, Located<String>>,
    /// Units of the account's own systemd.
    pub units: BTreeMap<UnitName, Located<UnitConfig>>,
}

/// A section of git's configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitSection {
    /// `remote`
    pub name: String,
    /// `origin` in `[remote "origin"]`.
    pub subsection: Option<String>,
    /// Keys with their values; a key may be there several times.
    pub settings: Vec<(String, String)>,
}
