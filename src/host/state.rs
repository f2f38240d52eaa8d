//! What was found on a machine, as plain values: the input of every decision.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Attributes, Digest, FileMode, GroupName, HostPath, SubIds, UserName};

/// Who owns a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    /// Numeric ids, as the file system has them.
    Ids {
        /// User id.
        uid: u32,
        /// Group id.
        gid: u32,
    },
    /// Below a `--root` without privilege, ownership can be neither set nor told: it never counts as a difference.
    Unknown,
}

/// What is at a path; links are never followed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "found")]
pub enum PathState {
    /// Nothing, or a parent directory is missing.
    Absent,
    /// A regular file.
    File {
        /// SHA-256 of the content.
        content: Digest,
        /// Mode.
        mode: FileMode,
        /// Owner.
        owner: Owner,
        /// Extended attributes that count.
        #[serde(default, skip_serializing_if = "Attributes::is_empty")]
        attributes: Attributes,
    },
    /// A directory.
    Directory {
        /// Mode.
        mode: FileMode,
        /// Owner.
        owner: Owner,
    },
    /// A symbolic link.
    Symlink {
        /// What it points at, verbatim.
        target: String,
    },
    /// A device, socket or FIFO; or a parent that is a link or not a directory.
    Other {
        /// What it is, in words.
        what: String,
    },
}

/// One account, from the passwd and shadow files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountState {
    /// User id.
    pub uid: u32,
    /// Primary group id.
    pub gid: u32,
    /// GECOS.
    pub description: String,
    /// Home directory as written.
    pub home: String,
    /// Shell as written.
    pub shell: String,
    /// Whether the account is locked (`!` before the hash, or expired). `None` if the shadow file cannot be read.
    pub locked: Option<bool>,
    /// Whether it is locked by a `!` before the hash. `None` if the shadow file cannot be read.
    pub password_locked: Option<bool>,
    /// The first day on which it cannot be used, counted from 1970-01-01; `None` if there is none or it cannot be read.
    pub expires: Option<i64>,
    /// SHA-256 of the stored crypt(3) hash; `None` if it cannot be read or there is none.
    pub password_digest: Option<Digest>,
}

/// One group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupState {
    /// Group id.
    pub gid: u32,
    /// Members by name.
    pub members: BTreeSet<String>,
}

/// All accounts and groups of a machine, local files only.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accounts {
    /// Accounts.
    pub users: BTreeMap<UserName, AccountState>,
    /// Groups.
    pub groups: BTreeMap<GroupName, GroupState>,
    /// Subordinate user ids, by the name or number that they are written for.
    pub subuids: BTreeMap<String, Vec<SubIds>>,
    /// Subordinate group ids, likewise.
    pub subgids: BTreeMap<String, Vec<SubIds>>,
}

/// A unit's `ActiveState`, in systemd's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the variants are systemd's own words")]
pub enum ActiveState {
    Active,
    Reloading,
    Inactive,
    Failed,
    Activating,
    Deactivating,
    Maintenance,
    /// A state this build does not know.
    Other,
}

impl ActiveState {
    /// Whether the unit runs or is about to.
    #[must_use]
    pub fn is_up(self) -> bool {
        matches!(self, Self::Active | Self::Reloading | Self::Activating)
    }
}

/// A unit's `UnitFileState`, as far as decisions need it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnitFileState {
    /// `enabled`, `enabled-runtime`.
    Enabled,
    /// `disabled`.
    Disabled,
    /// `masked`, `masked-runtime`.
    Masked,
    /// Masked, and links of the machine's that would enable it are still there: it is enabled once the mask goes.
    EnabledButMasked,
    /// `static`, `indirect`, `generated`, `alias`, `transient`: enabling says nothing.
    Static,
    /// There is no unit file.
    Missing,
}

impl UnitFileState {
    /// Whether nothing can start the unit.
    #[must_use]
    pub fn is_masked(self) -> bool {
        matches!(self, Self::Masked | Self::EnabledButMasked)
    }
}

/// One unit, as PID 1 has it. Below a `--root` only `file` and `fragment` are known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitState {
    /// Activity; `None` where no systemd runs.
    pub active: Option<ActiveState>,
    /// `SubState`, such as `running`, `exited`, `auto-restart`.
    pub sub: String,
    /// Enablement.
    pub file: UnitFileState,
    /// The unit file in force.
    pub fragment: Option<HostPath>,
    /// Whether files changed since PID 1 read them.
    pub needs_reload: bool,
    /// Automatic restarts since the last explicit start.
    pub restarts: u32,
    /// `InvocationID` in hex; empty if it never ran.
    pub invocation: String,
    /// The `Result` property: `success`, `exit-code`, `signal`, …; empty for types that have none.
    pub result: String,
    /// A `Type=oneshot` service without `RemainAfterExit=yes`: after a success it is inactive, and that is right.
    pub oneshot: bool,
}

impl UnitState {
    /// Whether the unit runs or is about to.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.active.is_some_and(ActiveState::is_up)
    }

    /// Whether the unit is down, without having failed.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.active == Some(ActiveState::Inactive)
    }

    /// A unit of which nothing is known but its enablement, as where no systemd runs.
    #[must_use]
    pub fn of_file(file: UnitFileState) -> Self {
        Self {
            active: None,
            sub: String::new(),
            file,
            fragment: None,
            needs_reload: false,
            restarts: 0,
            invocation: String::new(),
            result: String::new(),
            oneshot: false,
        }
    }
}
