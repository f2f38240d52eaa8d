//! The output of deciding: steps, in order.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Notice;
use crate::generation::{GroupEntry, PathEntry, PathKind, UserEntry};
use crate::host::{
    Arriving, GroupName, HostPath, KernelModule, Linger, LocaleName, PackageName, PathState,
    UnitId, UserName,
};
use crate::secrets::SecretState;

/// Ordered steps, and what people should know about them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// What to do, in this order.
    pub steps: Vec<Step>,
    /// What is not done, and why.
    pub notices: Vec<Notice>,
}

impl Plan {
    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// One readable line per step.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.steps.iter().map(Step::describe).collect()
    }
}

/// One change to a machine. Each can be carried out twice, or after half of it was carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "step")]
#[expect(
    missing_docs,
    reason = "the fields are the nouns of the generation; see there"
)]
pub enum Step {
    /// Stop a unit with the definition it was started with.
    StopUnit { unit: UnitId, why: String },
    /// Fetch the lists of package sources that changed; of all if none is named.
    UpdatePackageLists { sources: BTreeSet<HostPath> },
    /// Let upgrades have packages again that we held.
    ReleasePackages { packages: BTreeSet<PackageName> },
    /// Install packages in one run of the package manager.
    InstallPackages {
        packages: BTreeSet<PackageName>,
        /// What comes, as far as it is known; what came, once it is there.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        arriving: BTreeMap<PackageName, Arriving>,
    },
    /// Keep packages at their version.
    HoldPackages { packages: BTreeSet<PackageName> },
    /// Remove packages that we installed, with what came with them.
    RemovePackages { packages: BTreeSet<PackageName> },
    /// Make a group.
    CreateGroup { group: GroupName, entry: GroupEntry },
    /// Make an account.
    CreateUser { user: UserName, entry: UserEntry },
    /// Change an account.
    ModifyUser {
        user: UserName,
        entry: UserEntry,
        changes: Vec<String>,
        /// What it said before, for the way back; unknown in plans of older versions.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        found: Option<FoundAccount>,
    },
    /// Lock an account that is no longer wanted. Accounts are never deleted, nor their ids given away.
    LockUser { user: UserName },
    /// Make a new set of secrets and flip `/run/secrets` to it.
    InstallSecrets { changes: Vec<SecretChange> },
    /// Make or change a file, directory or link.
    WritePath {
        path: HostPath,
        entry: PathEntry,
        change: PathChange,
        found: PathState,
    },
    /// Remove a file or link, or a directory if it is empty.
    RemovePath { path: HostPath, found: PathState },
    /// Bring back what was there before Steadfast.
    RestoreOriginal { path: HostPath, found: PathState },
    /// Set the running host name.
    SetHostname { hostname: String, found: String },
    /// Set a running kernel parameter.
    SetSysctl {
        key: String,
        value: String,
        found: String,
    },
    /// Load a kernel module.
    LoadModule { module: KernelModule },
    /// Generate locales that are missing.
    GenerateLocales { locales: BTreeSet<LocaleName> },
    /// Start the services of an account without a login, or let them end.
    SetLinger { user: UserName, linger: Linger },
    /// Let systemd read its unit files again.
    ReloadManager {
        /// The account whose systemd it is; the machine's when left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        account: Option<UserName>,
    },
    /// Let `NetworkManager` read its connections again, and bring up those of these interfaces.
    ReloadConnections { up: BTreeSet<String> },
    /// Enable a unit of the distribution.
    EnableUnit { unit: UnitId },
    /// Disable a unit of the distribution.
    DisableUnit { unit: UnitId },
    /// Reload a unit.
    ReloadUnit { unit: UnitId, why: String },
    /// Restart a unit.
    RestartUnit { unit: UnitId, why: String },
    /// Restart a unit that a package brought and started before our files were there, if it did.
    CatchUpUnit { unit: UnitId, why: String },
    /// Start a unit.
    StartUnit { unit: UnitId, why: String },
}

/// What an account said that an entry may leave alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundAccount {
    /// GECOS.
    pub description: String,
    /// Login shell as written.
    pub shell: String,
}

/// What a [`Step::WritePath`] does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PathChange {
    /// Nothing is there yet.
    Create,
    /// Ours, with the content of an earlier generation.
    Update,
    /// Ours, but changed by somebody else: the drifted content is kept as an object, then replaced.
    Repair,
    /// Not ours: the original is kept and comes back when the entry goes.
    Backup,
    /// Not ours, and taken over without keeping it.
    Adopt,
    /// Only owner, group or mode.
    Metadata,
}

/// One secret or template of a [`Step::InstallSecrets`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct SecretChange {
    /// The secret's name; a template's is prefixed with `rendered/`.
    pub name: String,
    /// What was found; `None` if it is being removed.
    pub found: Option<SecretState>,
}

impl Step {
    /// The step with the versions that came, where it installed packages.
    #[must_use]
    pub(crate) fn with_what_came(mut self, came: &BTreeMap<PackageName, String>) -> Self {
        if let Self::InstallPackages { arriving, .. } = &mut self {
            for (name, version) in came {
                let planned = arriving.remove(name);
                let one = Arriving {
                    version: version.clone(),
                    replaces: planned.and_then(|one| one.replaces),
                };
                arriving.insert(name.clone(), one);
            }
        }
        self
    }

    /// What the step is about, stable from one plan to the next: `file /etc/motd`, `unit app.service`.
    #[must_use]
    pub fn subject(&self) -> String {
        match self {
            Self::StopUnit { unit, .. }
            | Self::EnableUnit { unit }
            | Self::DisableUnit { unit }
            | Self::ReloadUnit { unit, .. }
            | Self::RestartUnit { unit, .. }
            | Self::CatchUpUnit { unit, .. }
            | Self::StartUnit { unit, .. } => format!("unit {unit}"),
            Self::UpdatePackageLists { .. } => "package lists".to_owned(),
            Self::InstallPackages { .. }
            | Self::ReleasePackages { .. }
            | Self::HoldPackages { .. }
            | Self::RemovePackages { .. } => "packages".to_owned(),
            Self::LoadModule { module } => format!("kernel module {module}"),
            Self::GenerateLocales { .. } => "locales".to_owned(),
            Self::CreateGroup { group, .. } => format!("group {group}"),
            Self::SetLinger { user, .. }
            | Self::CreateUser { user, .. }
            | Self::ModifyUser { user, .. }
            | Self::LockUser { user } => format!("user {user}"),
            Self::InstallSecrets { .. } => "secrets".to_owned(),
            Self::WritePath { path, entry, .. } => format!("{} {path}", noun(&entry.kind)),
            Self::RemovePath { path, found } | Self::RestoreOriginal { path, found } => {
                format!("{} {path}", found_noun(found))
            }
            Self::SetHostname { .. } => "hostname".to_owned(),
            Self::SetSysctl { key, .. } => format!("sysctl {key}"),
            Self::ReloadConnections { .. } => "NetworkManager".to_owned(),
            Self::ReloadManager { account: None } => "systemd".to_owned(),
            Self::ReloadManager {
                account: Some(account),
            } => format!("systemd of {account}"),
        }
    }

    /// The step as one readable line, in the imperative: `update file /etc/motd`.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::StopUnit { unit, why } => format!("stop {unit} ({why})"),
            Self::UpdatePackageLists { sources } if sources.is_empty() => {
                "fetch the package lists".to_owned()
            }
            Self::UpdatePackageLists { sources } => {
                let files = sources.iter().map(HostPath::file_name);
                format!("fetch the package lists of {}", joined(files))
            }
            Self::ReleasePackages { packages } => format!("let upgrades have {}", named(packages)),
            Self::InstallPackages { packages, arriving } => describe_install(packages, arriving),
            Self::HoldPackages { packages } => {
                format!("keep {} at this version", named(packages))
            }
            Self::RemovePackages { packages } => format!("remove {}", named(packages)),
            Self::LoadModule { module } => format!("load kernel module {module}"),
            Self::GenerateLocales { locales } => {
                format!(
                    "generate {}",
                    joined(locales.iter().map(LocaleName::as_str))
                )
            }
            Self::SetLinger { user, linger } => match linger {
                Linger::On => format!("let services of {user} run without a login"),
                Linger::Off => format!("let services of {user} end with its last session"),
            },
            Self::CreateGroup { group, .. } => format!("create group {group}"),
            Self::CreateUser { user, .. } => format!("create user {user}"),
            Self::ModifyUser { user, changes, .. } => {
                format!("change user {user}: {}", changes.join(", "))
            }
            Self::LockUser { user } => format!("lock user {user}"),
            Self::InstallSecrets { changes } => {
                format!(
                    "install secrets: {}",
                    joined(changes.iter().map(change_text))
                )
            }
            Self::WritePath {
                path,
                entry,
                change,
                ..
            } => describe_write(path, &entry.kind, *change),
            Self::RemovePath { path, found } => format!("remove {} {path}", found_noun(found)),
            Self::RestoreOriginal { path, .. } => format!("restore the original {path}"),
            Self::SetHostname { hostname, .. } => format!("set host name to {hostname}"),
            Self::SetSysctl { key, value, .. } => format!("set {key} to {value}"),
            Self::ReloadConnections { up } if up.is_empty() => {
                "let NetworkManager read its connections".to_owned()
            }
            Self::ReloadConnections { up } => format!(
                "let NetworkManager read its connections, and bring up {}",
                joined(up.iter())
            ),
            Self::ReloadManager { account: None } => "let systemd read its unit files".to_owned(),
            Self::ReloadManager {
                account: Some(account),
            } => format!("let the systemd of {account} read its unit files"),
            Self::EnableUnit { unit } => format!("enable {unit}"),
            Self::DisableUnit { unit } => format!("disable {unit}"),
            Self::ReloadUnit { unit, why } => format!("reload {unit} ({why})"),
            Self::RestartUnit { unit, why } => format!("restart {unit} ({why})"),
            Self::CatchUpUnit { unit, why } => {
                format!("restart {unit} if its package has started it ({why})")
            }
            Self::StartUnit { unit, why } => format!("start {unit} ({why})"),
        }
    }

    /// The unit that the step acts on, if it is about one.
    #[must_use]
    pub fn unit(&self) -> Option<&UnitId> {
        match self {
            Self::StopUnit { unit, .. }
            | Self::EnableUnit { unit }
            | Self::DisableUnit { unit }
            | Self::ReloadUnit { unit, .. }
            | Self::RestartUnit { unit, .. }
            | Self::CatchUpUnit { unit, .. }
            | Self::StartUnit { unit, .. } => Some(unit),
            _ => None,
        }
    }

    /// Whether the step queues a start job, after which the unit must stay up.
    #[must_use]
    pub fn brings_up(&self) -> bool {
        matches!(
            self,
            Self::ReloadUnit { .. } | Self::RestartUnit { .. } | Self::StartUnit { .. }
        )
    }
}

fn describe_write(path: &HostPath, kind: &PathKind, change: PathChange) -> String {
    let noun = noun(kind);
    match change {
        PathChange::Create => format!("create {noun} {path}"),
        PathChange::Update => format!("update {noun} {path}"),
        PathChange::Repair => format!("put {noun} {path} right"),
        PathChange::Backup => format!("take over {path}, keeping the original"),
        PathChange::Adopt => format!("take over {path}"),
        PathChange::Metadata => format!("set owner and mode of {path}"),
    }
}

fn named(packages: &BTreeSet<PackageName>) -> String {
    joined(packages.iter().map(PackageName::as_str))
}

/// Names with their versions, then what comes with them.
fn describe_install(
    packages: &BTreeSet<PackageName>,
    arriving: &BTreeMap<PackageName, Arriving>,
) -> String {
    let versioned = |name: &PackageName| match arriving.get(name) {
        Some(one) => format!("{name} {}", one.version),
        None => name.to_string(),
    };
    let others = arriving
        .iter()
        .filter(|(name, _)| !packages.contains(*name));
    let others: Vec<String> = others
        .map(|(name, one)| match &one.replaces {
            None => format!("{name} {}", one.version),
            Some(old) => format!("{name} {old} → {}", one.version),
        })
        .collect();
    let asked = joined(packages.iter().map(versioned));
    if others.is_empty() {
        return format!("install {asked}");
    }
    format!("install {asked}; with {}", others.join(", "))
}

fn change_text(change: &SecretChange) -> String {
    let verb = match change.found {
        None => "removed",
        Some(SecretState::Missing) => "new",
        Some(SecretState::Metadata) => "owner or mode",
        Some(_) => "changed",
    };
    format!("{} ({verb})", change.name)
}

fn joined<T: AsRef<str>>(items: impl Iterator<Item = T>) -> String {
    let mut text = String::new();
    for item in items {
        if !text.is_empty() {
            text.push_str(", ");
        }
        text.push_str(item.as_ref());
    }
    text
}

fn noun(kind: &PathKind) -> &'static str {
    match kind {
        PathKind::File { .. } => "file",
        PathKind::Directory { .. } => "directory",
        PathKind::Symlink { .. } => "link",
    }
}

fn found_noun(found: &PathState) -> &'static str {
    match found {
        PathState::Directory { .. } => "directory",
        PathState::Symlink { .. } => "link",
        _ => "file",
    }
}
