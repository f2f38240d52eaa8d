//! The phase machine of a transaction; drawn in `docs/activation.md`.

use serde::{Deserialize, Serialize};

use super::Awaited;

/// Why a transaction goes back that was found open by a process that did not begin it.
pub(crate) const INTERRUPTED: &str = "interrupted";

/// Where a transaction stands. Written to the journal before the act it announces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "phase")]
pub enum Phase {
    /// The plan is on disk; nothing was changed.
    Prepared,
    /// Steps are being carried out.
    Applying,
    /// All steps are done; units are being watched.
    Settling,
    /// Health is being asked.
    Probing,
    /// Healthy, as far as the host itself can say; a person is to confirm it.
    AwaitingConfirmation {
        /// Since when, and until when.
        awaited: Awaited,
    },
    /// The generation is the current one.
    Committed,
    /// On the way back to the generation before.
    RollingBack {
        /// Why.
        reason: String,
    },
    /// Back at the generation before.
    RolledBack {
        /// Why.
        reason: String,
    },
    /// Neither forward nor back worked; nothing is done automatically any more.
    Stuck {
        /// What failed.
        reason: String,
    },
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The first step is about to be carried out.
    Begun,
    /// Every step, or every step back, succeeded.
    Applied,
    /// Every unit of the plan stayed up.
    Settled,
    /// No required probe got worse.
    Healthy,
    /// No required probe got worse, and a person is asked to confirm that.
    Asked {
        /// Since when, and until when.
        awaited: Awaited,
    },
    /// A person confirmed.
    Confirmed,
    /// A step, a unit or a probe failed, or nobody confirmed.
    Failed {
        /// What and why.
        reason: String,
    },
    /// The transaction was found open by a process that did not begin it.
    Interrupted,
    /// A way back that was interrupted or failed is tried again.
    Retried,
}

impl Phase {
    /// The phase after `event`. Total: an event that means nothing in a phase leaves it as it is.
    #[must_use]
    pub fn after(self, event: Event) -> Self {
        match (self, event) {
            (Self::Prepared, Event::Begun) => Self::Applying,
            (Self::Applying, Event::Applied) => Self::Settling,
            (Self::Settling, Event::Settled) => Self::Probing,
            (Self::Probing, Event::Asked { awaited }) => Self::AwaitingConfirmation { awaited },
            (Self::Probing, Event::Healthy)
            | (Self::AwaitingConfirmation { .. }, Event::Confirmed) => Self::Committed,
            (
                Self::Applying | Self::Settling | Self::Probing | Self::AwaitingConfirmation { .. },
                Event::Failed { reason },
            )
            | (Self::Stuck { reason }, Event::Retried) => Self::RollingBack { reason },
            (Self::Prepared, Event::Interrupted) => Self::RolledBack {
                reason: "interrupted before anything was changed".to_owned(),
            },
            (Self::Applying | Self::Settling | Self::Probing, Event::Interrupted) => {
                Self::RollingBack {
                    reason: INTERRUPTED.to_owned(),
                }
            }
            (Self::AwaitingConfirmation { .. }, Event::Interrupted) => Self::RollingBack {
                reason: "interrupted before anybody confirmed it".to_owned(),
            },
            // A transaction that is only prepared changed nothing: it has no way back to go.
            (Self::Prepared, Event::Failed { reason })
            | (Self::RollingBack { reason }, Event::Applied) => Self::RolledBack { reason },
            (Self::RollingBack { reason }, Event::Failed { reason: second }) => Self::Stuck {
                reason: format!("{reason}; then the rollback failed: {second}"),
            },
            (phase, _) => phase,
        }
    }

    /// Whether the transaction is over.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        matches!(self, Self::Committed | Self::RolledBack { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAWING: &str = include_str!("../../docs/activation.md");

    fn awaited() -> Awaited {
        Awaited {
            boot_id: None,
            applied_ms: 0,
            until_ms: 1,
            until_secs: 1,
        }
    }

    fn phases() -> [Phase; 9] {
        let reason = || "why".to_owned();
        [
            Phase::Prepared,
            Phase::Applying,
            Phase::Settling,
            Phase::Probing,
            Phase::AwaitingConfirmation { awaited: awaited() },
            Phase::Committed,
            Phase::RollingBack { reason: reason() },
            Phase::RolledBack { reason: reason() },
            Phase::Stuck { reason: reason() },
        ]
    }

    fn events() -> [Event; 9] {
        [
            Event::Begun,
            Event::Applied,
            Event::Settled,
            Event::Healthy,
            Event::Asked { awaited: awaited() },
            Event::Confirmed,
            Event::Failed {
                reason: "why".to_owned(),
            },
            Event::Interrupted,
            Event::Retried,
        ]
    }

    fn name(phase: &Phase) -> String {
        let json = serde_json::to_value(phase).unwrap();
        json["phase"].as_str().unwrap().to_owned()
    }

    #[test]
    fn the_drawing_shows_every_phase_and_exactly_the_transitions_there_are() {
        let mut real = std::collections::BTreeSet::new();
        for phase in phases() {
            assert!(
                DRAWING.contains(&format!("| `{}` |", name(&phase))),
                "{phase:?}"
            );
            for event in events() {
                let after = phase.clone().after(event);
                if name(&after) != name(&phase) {
                    real.insert(format!("{} --> {}", name(&phase), name(&after)));
                }
            }
        }
        let drawn = DRAWING
            .lines()
            .filter(|line| line.contains("-->") && !line.contains("[*]"))
            .filter_map(|line| line.split_once(':'))
            .map(|(arrow, _)| arrow.trim().to_owned())
            .filter(|arrow| arrow != "rolling_back --> rolling_back")
            .collect();
        assert_eq!(real, drawn);
    }

    #[test]
    fn only_ends_are_closed_and_nothing_leaves_them() {
        for phase in phases() {
            let is_end = matches!(phase, Phase::Committed | Phase::RolledBack { .. });
            assert_eq!(phase.is_closed(), is_end, "{phase:?}");
            if is_end {
                for event in events() {
                    assert_eq!(phase.clone().after(event), phase);
                }
            }
        }
    }

    #[test]
    fn a_stuck_phase_names_both_failures() {
        let phase = Phase::RollingBack {
            reason: "first".to_owned(),
        };
        let failed = Event::Failed {
            reason: "second".to_owned(),
        };
        assert_eq!(
            phase.after(failed),
            Phase::Stuck {
                reason: "first; then the rollback failed: second".to_owned()
            }
        );
    }
}
