//! The manifest: what a host is to be, with nothing in it that depends on when or where it was built.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Lenience, UnitRules};
use crate::config::{Enforcement, HostName, OnConflict};
use crate::health::Check;
use crate::host::{
    Digest, FileMode, GroupName, HostPath, KernelModule, LocaleName, PackageName, SubIds, UnitId,
    UnitName, UserName,
};
use crate::secrets::{SecretName, SecretSpec, TemplateName, TemplateSpec, UnitTriggers};
use crate::source::RepoPath;

/// The version of the manifest format that this build writes.
pub const MANIFEST_VERSION: u32 = 1;

/// Where unit files of ours go.
pub(super) const UNIT_DIRECTORY: &str = "/etc/systemd/system";
/// Where those of an account go, below its home.
pub(super) const HOME_UNIT_DIRECTORY: &str = ".config/systemd/user";

/// The complete typed content of a generation.
///
/// Everything on disk is in `paths`, whatever resource it came from: unit files, drop-ins, enablement links, authorized
/// keys, `/etc/hostname`. The other maps hold what is not a file. Where each entry was written, the revision and the
/// signer are in the [`Provenance`](super::Provenance), so that a comment added to a host file gives the same digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Format version, [`MANIFEST_VERSION`].
    pub version: u32,
    /// The host.
    pub host: HostName,
    /// Running host name to set.
    pub hostname: Option<String>,
    /// Running kernel parameters, by dotted name.
    pub sysctls: BTreeMap<String, String>,
    /// Locales that must be generated.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub locales: BTreeSet<LocaleName>,
    /// Kernel modules that must be loaded, or built in.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub kernel_modules: BTreeSet<KernelModule>,
    /// Packages that must be installed.
    pub packages: BTreeSet<PackageName>,
    /// Those of `packages` that upgrades leave at their version.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub holds: BTreeSet<PackageName>,
    /// Groups that must exist.
    pub groups: BTreeMap<GroupName, GroupEntry>,
    /// Accounts that must exist.
    pub users: BTreeMap<UserName, UserEntry>,
    /// Everything on disk.
    pub paths: BTreeMap<HostPath, PathEntry>,
    /// Units with a state, or with a definition of ours.
    pub units: BTreeMap<UnitId, UnitEntry>,
    /// File systems to mount, by mount point. Their units are in `units`, and those units' files in `paths`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub mounts: BTreeMap<HostPath, MountEntry>,
    /// Programs with arguments that judge the new content of a file before anything changes; `{file}` stands for it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub validators: BTreeMap<HostPath, Vec<String>>,
    /// What of a path may differ from its entry.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub lenience: BTreeMap<HostPath, Lenience>,
    /// Secrets to install.
    pub secrets: BTreeMap<SecretName, SecretSpec>,
    /// Templates to render.
    pub templates: BTreeMap<TemplateName, TemplateSpec>,
    /// Ciphertext of every secret file used, as objects.
    pub secret_files: BTreeMap<RepoPath, Digest>,
    /// Declared checks.
    pub health: Vec<Check>,
    /// Drift policy of everything that is not a path.
    pub drift: Enforcement,
}

impl Manifest {
    /// The manifest that asks for nothing: what a host is rolled back to when it had no generation before.
    #[must_use]
    pub fn empty(host: HostName) -> Self {
        Self {
            version: MANIFEST_VERSION,
            host,
            hostname: None,
            sysctls: BTreeMap::new(),
            locales: BTreeSet::new(),
            kernel_modules: BTreeSet::new(),
            packages: BTreeSet::new(),
            holds: BTreeSet::new(),
            groups: BTreeMap::new(),
            users: BTreeMap::new(),
            paths: BTreeMap::new(),
            units: BTreeMap::new(),
            mounts: BTreeMap::new(),
            validators: BTreeMap::new(),
            lenience: BTreeMap::new(),
            secrets: BTreeMap::new(),
            templates: BTreeMap::new(),
            secret_files: BTreeMap::new(),
            health: Vec::new(),
            drift: Enforcement::Report,
        }
    }
}

impl Manifest {
    /// The manifest in its one spelling: fields in the order of the struct, keys sorted, no white space.
    ///
    /// # Panics
    /// Never: every key of a manifest is text, and every value has a JSON form.
    #[must_use]
    pub fn canonical(&self) -> Vec<u8> {
        serde_json::to_vec(self)
            .expect("every key of a manifest is text and every value has a JSON form")
    }

    /// Every directory that its paths and mounts need: those above each path, and each mount point with those above it.
    #[must_use]
    pub fn directories(&self) -> BTreeSet<HostPath> {
        let paths = self.paths.keys().flat_map(HostPath::ancestors);
        let points = self
            .mounts
            .keys()
            .flat_map(|point| point.ancestors().chain([point.clone()]));
        paths.chain(points).collect()
    }

    /// The mount that a unit is of.
    #[must_use]
    pub fn mount_of(&self, unit: &UnitId) -> Option<&MountEntry> {
        self.mounts
            .values()
            .find(|mount| UnitId::from(mount.unit.clone()) == *unit)
    }

    /// Where the file of a unit of ours is; `None` for one of an account that is not in the manifest.
    #[must_use]
    pub fn unit_file(&self, unit: &UnitId) -> Option<HostPath> {
        let directory = match &unit.account {
            None => HostPath::new(UNIT_DIRECTORY),
            Some(account) => self.users.get(account)?.home.join(HOME_UNIT_DIRECTORY),
        };
        directory.ok()?.join(unit.name.as_str()).ok()
    }

    /// Whether the systemd of an account is to run without a login.
    #[must_use]
    pub fn lingers(&self, account: &UserName) -> bool {
        let path = HostPath::new(format!("/var/lib/systemd/linger/{account}"));
        path.is_ok_and(|path| self.paths.contains_key(&path))
    }

    /// SHA-256 of the canonical spelling.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.canonical())
    }
}

/// A group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupEntry {
    /// Fixed id.
    pub gid: Option<u32>,
    /// From the system range.
    pub system: bool,
}

/// An account. `authorized_keys` is an entry of `paths`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserEntry {
    /// Fixed id.
    pub uid: Option<u32>,
    /// Primary group.
    pub group: GroupName,
    /// Supplementary groups it must be in.
    pub groups: BTreeSet<GroupName>,
    /// GECOS; left alone when absent.
    pub description: Option<String>,
    /// Home directory.
    pub home: HostPath,
    /// Login shell; left alone (or the system's default) when absent.
    pub shell: Option<HostPath>,
    /// crypt(3) hash.
    pub password_hash: Option<String>,
    /// Secret with the crypt(3) hash.
    pub password_secret: Option<SecretName>,
    /// System account.
    pub system: bool,
    /// The first day on which it cannot be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<jiff::civil::Date>,
    /// Subordinate user and group ids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subids: Option<SubIds>,
}

/// One path on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PathEntry {
    /// What is there.
    #[serde(flatten)]
    pub kind: PathKind,
    /// What to do about a foreign file in its place.
    pub on_conflict: OnConflict,
    /// Drift policy.
    pub drift: Enforcement,
    /// Units that act when it changes.
    #[serde(default, skip_serializing_if = "UnitTriggers::is_empty")]
    pub units: UnitTriggers,
}

/// What is at a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum PathKind {
    /// A regular file, a copy of an object.
    File {
        /// The object.
        content: Digest,
        /// Owner by name.
        owner: UserName,
        /// Group by name.
        group: GroupName,
        /// Mode.
        mode: FileMode,
    },
    /// A directory; what else is in it is not ours.
    Directory {
        /// Owner by name.
        owner: UserName,
        /// Group by name.
        group: GroupName,
        /// Mode.
        mode: FileMode,
    },
    /// A symbolic link.
    Symlink {
        /// What it points at, verbatim.
        target: String,
    },
}

/// One unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitEntry {
    /// The unit files of ours that define it, fragment and drop-ins: keys of `paths`. Empty for a unit of the
    /// distribution that is only enabled or started.
    pub definition: BTreeSet<HostPath>,
    /// Enabled or disabled through systemd: only for units of the distribution. Ours are enabled by links in `paths`.
    pub enable: Option<bool>,
    /// Running, stopped, or left as it is.
    pub start: Option<bool>,
    /// What a change of its definition asks for.
    pub on_change: OnChange,
    /// What else its definition says about being moved.
    #[serde(default, skip_serializing_if = "UnitRules::is_empty")]
    pub rules: UnitRules,
    /// Drift policy.
    pub drift: Enforcement,
    /// The file of ours that the unit exists by, when that is no unit file: a quadlet, the configuration of an
    /// instance. Without the file there is no unit, so it stops when the file goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_from: Option<HostPath>,
    /// Whether the host goes on when it does not start: a mount with `nofail`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub may_fail: bool,
}

/// A file system to mount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MountEntry {
    /// What is mounted.
    pub what: String,
    /// Type of the file system.
    #[serde(rename = "type")]
    pub kind: String,
    /// Options, `nofail` among them.
    pub options: Vec<String>,
    /// Its unit.
    pub unit: UnitName,
    /// Whether it is mounted when somebody looks.
    pub automount: bool,
}

impl MountEntry {
    /// Whether other options can be given to it while it is mounted. The kernel refuses most of those of NFS.
    #[must_use]
    pub fn can_be_remounted(&self) -> bool {
        !matches!(self.kind.as_str(), "nfs" | "nfs4")
    }
}

/// What a change of a unit's definition or triggers asks for, from the `X-` keys that NixOS users know.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnChange {
    /// Stop with the old definition, start with the new one (`X-StopIfChanged=true`, the default).
    #[default]
    StopStart,
    /// Restart in place after the files are there (`X-StopIfChanged=false`).
    Restart,
    /// Reload (`X-ReloadIfChanged=true`).
    Reload,
    /// Leave running, and say so (`X-RestartIfChanged=false`).
    Keep,
}
