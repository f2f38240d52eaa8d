//! The plan: ordered, typed steps from what is observed to what a generation says. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::generation::{GroupEntry, PathEntry, UserEntry};
use crate::host::{
    Accounts, GroupName, HostPath, PackageName, PathState, UnitName, UnitState, UserName,
};
use crate::secrets::{SecretName, SecretState, TemplateName};

/// Everything a plan is decided from, found on one machine at one time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observed {
    /// Accounts and groups.
    pub accounts: Accounts,
    /// Every path that the old or the new generation names, and their parent directories.
    pub paths: BTreeMap<HostPath, PathState>,
    /// Every unit that the old or the new generation names.
    pub units: BTreeMap<UnitName, UnitState>,
    /// Installed packages among those named. `None` where there is no package manager to ask.
    pub packages: Option<BTreeSet<PackageName>>,
    /// Running host name; `None` below a `--root`.
    pub hostname: Option<String>,
    /// Running kernel parameters among those named; absent if the kernel has none of that name.
    pub sysctls: BTreeMap<String, String>,
    /// Installed secrets among those named, compared with the values that should be there.
    pub secrets: BTreeMap<SecretName, SecretState>,
    /// Rendered templates among those named.
    pub templates: BTreeMap<TemplateName, SecretState>,
    /// Files below `/run/secrets` that no secret or template names.
    pub stale_secrets: BTreeSet<String>,
}

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
    StopUnit { unit: UnitName, why: String },
    /// Install packages in one run of the package manager.
    InstallPackages { packages: BTreeSet<PackageName> },
    /// Make a group.
    CreateGroup { group: GroupName, entry: GroupEntry },
    /// Make an account.
    CreateUser { user: UserName, entry: UserEntry },
    /// Change an account.
    ModifyUser {
        user: UserName,
        entry: UserEntry,
        changes: Vec<String>,
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
    SetHostname { hostname: String },
    /// Set a running kernel parameter.
    SetSysctl { key: String, value: String },
    /// Let systemd read its unit files again.
    ReloadManager,
    /// Enable a unit of the distribution.
    EnableUnit { unit: UnitName },
    /// Disable a unit of the distribution.
    DisableUnit { unit: UnitName },
    /// Reload a unit.
    ReloadUnit { unit: UnitName, why: String },
    /// Restart a unit.
    RestartUnit { unit: UnitName, why: String },
    /// Start a unit.
    StartUnit { unit: UnitName, why: String },
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

/// Something a plan leaves alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Notice {
    /// What it is about: a path, a unit, an account.
    pub subject: String,
    /// What is not done, and why.
    pub text: String,
}

/// Which drift an activation puts right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Held {
    /// None is held: somebody asked for the host to be put right.
    Nothing,
    /// Entries with the policy `report` that the generation did not change stay as they are.
    Reported,
}

/// A path that is in the way and that nobody said may be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize)]
#[error("{path} is in the way: {found}")]
pub struct Conflict {
    /// The path.
    pub path: HostPath,
    /// What is there.
    pub found: String,
    /// How to go on.
    pub hint: String,
}

/// Every conflict of a plan; nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} path(s) on the host are in the way; nothing was changed", .0.len())]
pub struct Conflicts(pub Vec<Conflict>);
