//! What differs, for people and for machines.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::activation::{Hold, Notice};
use crate::config::{Enforcement, HostName};
use crate::generation::GenerationNumber;
use crate::host::{HostPath, Trace};

use super::flap::{Contended, FlapGuard};

/// The version of the report that this build writes.
pub(super) const REPORT_VERSION: u32 = 1;

/// What differs between a host and its active generation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DriftReport {
    /// Format version, 1.
    pub version: u32,
    /// The host.
    pub host: HostName,
    /// The generation it was compared with.
    pub generation: GenerationNumber,
    /// What differs, in the order in which it would be put right.
    pub items: Vec<DriftItem>,
    /// What somebody keeps from being put right: everything where `path` is absent.
    pub holds: Vec<Hold>,
    /// What is as it should be although it does not look so: units that wait for a condition of theirs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<Notice>,
}

impl DriftReport {
    /// The report with `holds`, those that are in force.
    #[must_use]
    pub fn with_holds(mut self, holds: Vec<Hold>) -> Self {
        for item in &mut self.items {
            let path = HostPath::new(item.subject.as_str()).ok();
            let covers = |hold: &&Hold| path.as_ref().is_some_and(|path| hold.covers(path));
            item.hold = holds.iter().find(covers).cloned();
        }
        self.holds = holds;
        self
    }

    /// The report with what `guard` leaves alone at `now_secs`.
    #[must_use]
    pub fn with_guard(mut self, guard: &FlapGuard, now_secs: i64) -> Self {
        for item in &mut self.items {
            item.contended = guard.contended(item, now_secs);
        }
        self
    }
}

/// One thing that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DriftItem {
    /// What kind of difference it is.
    pub class: DriftClass,
    /// What it is about: a path, a unit, an account, a package, a secret's name.
    pub subject: String,
    /// What is done about it by itself.
    pub policy: Enforcement,
    /// How it differs, in one line; never a secret value.
    pub detail: String,
    /// Unified diff of a text file, from what should be there to what is.
    pub diff: Option<String>,
    /// What keeps it from being put right, if somebody holds it.
    pub hold: Option<Hold>,
    /// Why it is not put right for now although its policy says so: something on the host keeps changing it.
    #[serde(default)]
    pub contended: Option<Contended>,
    /// When what is at a path was changed last, and whose it is; absent for what is no path.
    #[serde(default)]
    pub trace: Option<Trace>,
}

impl DriftItem {
    /// The path it is about; `None` if it is about something else.
    #[must_use]
    pub fn path(&self) -> Option<HostPath> {
        match self.class {
            DriftClass::Content | DriftClass::Metadata | DriftClass::Missing | DriftClass::Type => {
                HostPath::new(self.subject.as_str()).ok()
            }
            _ => None,
        }
    }

    /// One name for what it is about, however it differs: a file that is edited one time and removed the next is the same
    /// entry.
    #[must_use]
    pub fn entry(&self) -> String {
        match self.class {
            DriftClass::Content
            | DriftClass::Metadata
            | DriftClass::Missing
            | DriftClass::Type
            | DriftClass::UnitState => self.subject.clone(),
            class => format!("{class} {}", self.subject),
        }
    }

    /// Whether its policy says that the agent puts it right, and nobody holds it.
    #[must_use]
    pub fn is_enforced(&self) -> bool {
        self.policy == Enforcement::Enforce && self.hold.is_none()
    }
}

/// A kind of difference.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum DriftClass {
    /// A file has other content, or a link another target.
    Content,
    /// A file or directory has another owner, group or mode.
    Metadata,
    /// A path is gone.
    Missing,
    /// Something of another type is in its place.
    Type,
    /// A unit is running or stopped, enabled or disabled, and should not be.
    UnitState,
    /// An account differs.
    User,
    /// A group differs.
    Group,
    /// A package is gone, or no longer held.
    Package,
    /// An installed secret differs. Its value is never shown.
    Secret,
    /// A running kernel parameter differs.
    Sysctl,
    /// The running host name differs.
    Hostname,
    /// A kernel module is not loaded.
    KernelModule,
    /// A locale is not there.
    Locale,
    /// dpkg or ucf left another version beside a file.
    Residue,
}

impl DriftClass {
    /// Its name in one or two words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Content => "content",
            Self::Metadata => "metadata",
            Self::Missing => "missing",
            Self::Type => "type",
            Self::UnitState => "unit state",
            Self::User => "user",
            Self::Group => "group",
            Self::Package => "package",
            Self::Secret => "secret",
            Self::Sysctl => "sysctl",
            Self::Hostname => "host name",
            Self::KernelModule => "kernel module",
            Self::Locale => "locale",
            Self::Residue => "residue",
        }
    }
}

impl fmt::Display for DriftClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
