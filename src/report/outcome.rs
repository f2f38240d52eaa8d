//! The report of one pass.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Change, Problem};
use crate::activation::Notice;
use crate::config::HostName;
use crate::generation::GenerationNumber;
use crate::health::Verdict;
use crate::source::{Revision, Signer};

/// Exit codes of the program, documented in `docs/exit-codes.md`.
pub mod exit {
    /// Done, or nothing to do.
    pub const DONE: u8 = 0;
    /// Failed; the host is as it was.
    pub const FAILED: u8 = 1;
    /// The command line is wrong.
    pub const USAGE: u8 = 2;
    /// Drift was found.
    pub const DRIFT: u8 = 3;
    /// The activation was rolled back, or the revision is known to be bad.
    pub const ROLLED_BACK: u8 = 4;
    /// The revision was refused by trust.
    pub const REFUSED: u8 = 5;
    /// A rollback failed; nothing is done automatically any more.
    pub const STUCK: u8 = 6;
    /// Somebody paused this host; nothing was changed.
    pub const PAUSED: u8 = 7;
}

/// The report of one pass: `reconcile now --json`, the state file, the control socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// Format version, 1.
    pub version: u32,
    /// The host.
    pub host: HostName,
    /// When the pass ended, seconds since 1970-01-01T00:00:00Z.
    pub at_secs: i64,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// What set it off.
    pub trigger: Trigger,
    /// The revision it was about; absent when none could be fetched.
    pub revision: Option<Revision>,
    /// Who signed it, where signatures are required.
    pub signer: Option<Signer>,
    /// The generation in force after the pass; absent on a host that never had one.
    pub generation: Option<GenerationNumber>,
    /// How it ended.
    pub outcome: Outcome,
    /// What was changed, in order; what would be, in a dry run.
    pub changes: Vec<Change>,
    /// What was left alone, and why.
    pub notices: Vec<Notice>,
    /// Secrets in place after the pass, by name.
    pub secrets: Vec<String>,
    /// Secrets that are not there.
    pub unavailable: Vec<Unavailable>,
    /// Health after the pass, when it was asked.
    pub health: Vec<Verdict>,
    /// What went wrong.
    pub problem: Option<Problem>,
}

/// What set a pass off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// A person, through `reconcile now`.
    Manual,
    /// The poll interval.
    Poll,
    /// A change of a local repository.
    Watch,
    /// The periodic drift scan.
    Drift,
    /// The start of the agent.
    Start,
}

/// How a pass ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The host is what the revision says already.
    NothingToDo,
    /// A generation was activated and is healthy.
    Activated,
    /// Drift from the active generation was put right.
    Repaired,
    /// The activation failed, and the host is back at the generation before.
    RolledBack,
    /// The revision failed before and is not tried again until it changes or `reconcile retry`.
    KnownBad,
    /// Trust refused the revision; nothing was changed.
    Refused,
    /// Something failed before anything was changed.
    Failed,
    /// A rollback failed. A human must look.
    Stuck,
    /// Somebody paused this host: what there was to do is told and not done.
    Paused,
    /// It is done at the next boot, as somebody asked.
    PutOff,
}

/// How long a host may be stuck before the journal is told again.
const REMINDER_SECS: u64 = 60 * 60;

impl Report {
    /// Whether the host is stuck for the reasons for which it was stuck at the end of the pass `before`. The pass that
    /// came to it and those that find it say so in other words.
    pub(super) fn is_still_stuck(&self, before: &Self) -> bool {
        let causes = |report: &Self| report.problem.as_ref().map(|one| one.causes.clone());
        self.is_stuck_as(before) && causes(self) == causes(before)
    }

    /// Whether the host has been stuck for so long since `before`, the last report that was kept, that it is told again.
    #[must_use]
    pub fn is_reminder(&self, before: &Self) -> bool {
        self.is_stuck_as(before) && self.at_secs.abs_diff(before.at_secs) >= REMINDER_SECS
    }

    fn is_stuck_as(&self, before: &Self) -> bool {
        self.outcome == Outcome::Stuck && before.outcome == Outcome::Stuck
    }
}

impl Outcome {
    /// The exit code of a command that ended so.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::NothingToDo | Self::Activated | Self::Repaired | Self::PutOff => exit::DONE,
            Self::RolledBack | Self::KnownBad => exit::ROLLED_BACK,
            Self::Refused => exit::REFUSED,
            Self::Failed => exit::FAILED,
            Self::Stuck => exit::STUCK,
            Self::Paused => exit::PAUSED,
        }
    }
}

/// A secret that is not there, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unavailable {
    /// The secret.
    pub name: String,
    /// Why.
    pub cause: String,
    /// How to fix it.
    pub fix: Option<String>,
}
