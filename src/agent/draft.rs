//! The report of a pass while the pass is under way.

use std::time::Instant;

use crate::activation::Notice;
use crate::generation::GenerationNumber;
use crate::health::Verdict;
use crate::host::clock;
use crate::report::{Change, Outcome, Problem, Report, Trigger, Unavailable};
use crate::source::{Revision, Signer};

use super::Settings;

/// What is known so far.
pub(super) struct Draft {
    started: Instant,
    trigger: Trigger,
    pub(super) revision: Option<Revision>,
    pub(super) signer: Option<Signer>,
    pub(super) generation: Option<GenerationNumber>,
    pub(super) changes: Vec<Change>,
    pub(super) notices: Vec<Notice>,
    pub(super) secrets: Vec<String>,
    pub(super) unavailable: Vec<Unavailable>,
    pub(super) health: Vec<Verdict>,
    /// Whether the activation was cut off.
    pub(super) interrupted: bool,
    /// Whether a remote answered, or none was asked.
    pub(super) answered: bool,
}

/// A pass that ends before its end.
pub(super) struct Stop {
    pub(super) outcome: Outcome,
    pub(super) problem: Problem,
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        Self {
            outcome: Outcome::Failed,
            problem,
        }
    }
}

impl Draft {
    pub(super) fn trigger(&self) -> Trigger {
        self.trigger
    }

    pub(super) fn new(trigger: Trigger) -> Self {
        Self {
            started: Instant::now(),
            trigger,
            revision: None,
            signer: None,
            generation: None,
            changes: Vec::new(),
            notices: Vec::new(),
            secrets: Vec::new(),
            unavailable: Vec::new(),
            health: Vec::new(),
            interrupted: false,
            answered: true,
        }
    }

    pub(super) fn finish(self, settings: &Settings, ended: Result<Outcome, Stop>) -> Report {
        let (outcome, problem) = match ended {
            Ok(outcome) => (outcome, None),
            Err(stop) => (stop.outcome, Some(stop.problem)),
        };
        Report {
            version: 1,
            host: settings.host.clone(),
            at_secs: clock::now_secs(),
            took_ms: u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX),
            trigger: self.trigger,
            revision: self.revision,
            signer: self.signer,
            generation: self.generation,
            outcome,
            changes: self.changes,
            notices: self.notices,
            secrets: self.secrets,
            unavailable: self.unavailable,
            health: self.health,
            problem,
        }
    }
}
