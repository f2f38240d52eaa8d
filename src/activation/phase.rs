//! The phase machine of a transaction; drawn in `docs/phases.md`.

use serde::{Deserialize, Serialize};

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
    /// A step, a unit or a probe failed.
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
            (Self::Probing, Event::Healthy) => Self::Committed,
            (
                Self::Prepared | Self::Applying | Self::Settling | Self::Probing,
                Event::Failed { reason },
            ) => Self::RollingBack { reason },
            (Self::Prepared, Event::Interrupted) => Self::RolledBack {
                reason: "interrupted before anything was changed".to_owned(),
            },
            (Self::Applying | Self::Settling | Self::Probing, Event::Interrupted) => {
                Self::RollingBack {
                    reason: "interrupted".to_owned(),
                }
            }
            (Self::RollingBack { reason }, Event::Applied) => Self::RolledBack { reason },
            (Self::RollingBack { reason }, Event::Failed { reason: second }) => Self::Stuck {
                reason: format!("{reason}; then the rollback failed: {second}"),
            },
            (Self::Stuck { reason }, Event::Retried) => Self::RollingBack { reason },
            (phase, _) => phase,
        }
    }

    /// Whether the transaction is over.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        matches!(self, Self::Committed | Self::RolledBack { .. })
    }
}
