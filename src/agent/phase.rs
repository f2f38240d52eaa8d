//! What the agent is doing: one enum with its data inside, one total transition function. Drawn in `docs/agent.md`.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::report::Trigger;

/// Longest wait after repeated failures.
const LONGEST_WAIT: Duration = Duration::from_mins(15);

/// What the agent is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "phase")]
pub enum AgentPhase {
    /// Waiting for the next poll, a scan, or somebody.
    Idle {
        /// Passes in a row that reached no remote; each doubles the wait.
        failures: u32,
    },
    /// A pass is under way. What arrives meanwhile waits for it.
    Working {
        /// What set the pass off.
        trigger: Trigger,
        /// Passes in a row before it that reached no remote.
        failures: u32,
        /// What set off the pass that follows it.
        next: Option<Trigger>,
    },
}

/// What happened to the agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AgentEvent {
    /// A pass is wanted.
    Wanted(Trigger),
    /// The pass under way ended.
    Ended(Contact),
}

/// Whether the pass reached a remote. Only silence backs off: the fix for a bad revision is a new one, and asking for
/// it is cheap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contact {
    /// A remote answered.
    Made,
    /// No remote answered.
    Failed,
    /// No remote was asked: the pass looked at the host alone.
    NotTried,
}

impl AgentPhase {
    /// The phase after `event`. Total: an event that means nothing in a phase leaves it as it is.
    #[must_use]
    pub fn after(self, event: AgentEvent) -> Self {
        match (self, event) {
            (Self::Idle { failures }, AgentEvent::Wanted(trigger)) => Self::Working {
                trigger,
                failures,
                next: None,
            },
            (
                Self::Working {
                    trigger,
                    failures,
                    next,
                },
                AgentEvent::Wanted(wanted),
            ) => Self::Working {
                trigger,
                failures,
                next: Some(more_urgent(next, wanted)),
            },
            (Self::Working { failures, next, .. }, AgentEvent::Ended(contact)) => {
                let failures = match contact {
                    Contact::Made => 0,
                    Contact::Failed => failures.saturating_add(1),
                    Contact::NotTried => failures,
                };
                match next {
                    Some(trigger) => Self::Working {
                        trigger,
                        failures,
                        next: None,
                    },
                    None => Self::Idle { failures },
                }
            }
            (idle @ Self::Idle { .. }, AgentEvent::Ended(_)) => idle,
        }
    }

    /// How long an idle agent waits before it polls: the interval, doubled for every failure in a row, at most a
    /// quarter of an hour (or the interval, where that is longer). `jitter` between 0 and 1 spreads hosts over a tenth of the wait.
    #[must_use]
    pub fn wait(&self, interval: Duration, jitter: f64) -> Duration {
        let failures = match self {
            Self::Idle { failures } | Self::Working { failures, .. } => *failures,
        };
        let doubled = interval.saturating_mul(1 << failures.min(16));
        doubled
            .min(LONGEST_WAIT.max(interval))
            .mul_f64(1.0 + jitter.clamp(0.0, 1.0) / 10.0)
    }
}

/// Of two waiting triggers the one that does more stays: a person outranks a change, a change a timer.
fn more_urgent(waiting: Option<Trigger>, wanted: Trigger) -> Trigger {
    let rank = |trigger| match trigger {
        Trigger::Manual => 4,
        Trigger::Watch => 3,
        Trigger::Start => 2,
        Trigger::Poll => 1,
        Trigger::Drift => 0,
    };
    waiting
        .filter(|waiting| rank(*waiting) >= rank(wanted))
        .unwrap_or(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_arrives_during_a_pass_waits_for_it_and_the_most_urgent_wins() {
        let phase = AgentPhase::Idle { failures: 0 }
            .after(AgentEvent::Wanted(Trigger::Poll))
            .after(AgentEvent::Wanted(Trigger::Manual))
            .after(AgentEvent::Wanted(Trigger::Drift))
            .after(AgentEvent::Ended(Contact::Made));
        assert_eq!(
            phase,
            AgentPhase::Working {
                trigger: Trigger::Manual,
                failures: 0,
                next: None
            }
        );
        let phase = phase.after(AgentEvent::Ended(Contact::Made));
        assert_eq!(phase, AgentPhase::Idle { failures: 0 });
    }

    #[test]
    fn silence_doubles_the_wait_up_to_a_bound_and_contact_ends_it() {
        let minute = Duration::from_mins(1);
        let mut phase = AgentPhase::Idle { failures: 0 };
        let mut waits = Vec::new();
        for _ in 0..8 {
            waits.push(phase.wait(minute, 0.0).as_secs());
            phase = phase
                .after(AgentEvent::Wanted(Trigger::Poll))
                .after(AgentEvent::Ended(Contact::Failed));
        }
        assert_eq!(waits, [60, 120, 240, 480, 900, 900, 900, 900]);
        let phase = phase
            .after(AgentEvent::Wanted(Trigger::Drift))
            .after(AgentEvent::Ended(Contact::NotTried));
        assert_eq!(
            phase.wait(minute, 0.0).as_secs(),
            900,
            "a look at the host says nothing"
        );
        let phase = phase
            .after(AgentEvent::Wanted(Trigger::Poll))
            .after(AgentEvent::Ended(Contact::Made));
        assert_eq!(phase.wait(minute, 0.0), minute);
        assert_eq!(phase.wait(minute, 1.0), Duration::from_secs(66));
    }
}
