//! What `steadfast status` says, put together from the state file, the store and the running agent.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DriftSummary, FailedRevision, NextBootStatus, Report};
use crate::activation::{Hold, Remains};
use crate::config::HostName;
use crate::drift::Contended;
use crate::generation::GenerationNumber;
use crate::host::Digest;
use crate::source::{CommitId, Revision, Signer};

/// The version of the status format that this build writes.
pub const STATUS_VERSION: u32 = 1;

/// A host at a glance: `status --json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Status {
    /// Format version, 1.
    pub version: u32,
    /// When this was put together, seconds since 1970-01-01T00:00:00Z.
    pub at_secs: i64,
    /// The host.
    pub host: HostName,
    /// The config repository, as configured; without credentials.
    pub repository: Option<String>,
    /// The branch that is followed.
    pub branch: Option<String>,
    /// The agent.
    pub agent: AgentStatus,
    /// The generation in force; absent on a host that never had one.
    pub generation: Option<ActiveGeneration>,
    /// The newest revision that trust accepted.
    pub accepted: Option<CommitId>,
    /// What the next boot does about generations; absent if nothing.
    #[serde(default)]
    pub next_boot: Option<NextBootStatus>,
    /// A transaction that is not over: an activation that is under way, or one that is stuck.
    pub transaction: Option<OpenTransaction>,
    /// How the last pass ended.
    pub last: Option<Report>,
    /// Revisions that were rolled back and are not tried again, oldest first.
    pub failed: Vec<FailedRevision>,
    /// What the last drift scan found; absent if there was none yet.
    pub drift: Option<DriftSummary>,
    /// What somebody keeps from being changed: everything where `path` is absent.
    pub holds: Vec<Hold>,
    /// What is not put right for now, because something on the host keeps changing it.
    #[serde(default)]
    pub contended: Vec<Contended>,
}

/// The generation in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ActiveGeneration {
    /// Its number.
    pub number: GenerationNumber,
    /// Its digest.
    pub digest: Digest,
    /// The revision it was built from.
    pub revision: Revision,
    /// Who signed the revision.
    pub signer: Option<Signer>,
    /// When it was stored, seconds since 1970-01-01T00:00:00Z.
    pub created_secs: i64,
}

/// A transaction that is not over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OpenTransaction {
    /// Its phase, in words: `applying`, `rolling back`, `stuck`.
    pub phase: String,
    /// Why, where the phase has a reason.
    pub reason: Option<String>,
    /// Until when a person has to confirm it by `steadfast reconcile confirm`, seconds since 1970-01-01T00:00:00Z; absent
    /// where nobody is waited for.
    #[serde(default)]
    pub confirm_until_secs: Option<i64>,
    /// Where it is stuck: what could not be taken back, step by step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remains: Vec<Remains>,
}

/// Whether an agent answers on this host's control socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum AgentStatus {
    /// It answers.
    Running(LiveAgent),
    /// Nothing listens.
    NotRunning,
    /// It could not be asked.
    Unknown {
        /// Why.
        reason: String,
    },
}

/// What the running agent says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LiveAgent {
    /// Its process id.
    pub pid: u32,
    /// Version of the program it runs.
    pub version: String,
    /// When it started, seconds since 1970-01-01T00:00:00Z.
    pub started_secs: i64,
    /// What it is doing, in words: `waiting`, `fetching`, `activating`.
    pub phase: String,
    /// When it will look at the repository next, seconds since 1970-01-01T00:00:00Z.
    pub next_poll_secs: Option<i64>,
    /// Passes that failed in a row, and so how far it has backed off.
    pub failures_in_a_row: u32,
}
