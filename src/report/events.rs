//! State changes for the journal, each with its fixed `MESSAGE_ID`; the table is in `docs/events.md`.

use tracing::{error, info, warn};

use super::{DriftSummary, Outcome, Problem, Report};
use crate::activation::Hold;

/// The tracing target of every event of this module.
pub(super) const TARGET: &str = "steadfast::event";

/// A state change of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A generation was activated.
    Activated,
    /// Drift was put right.
    Repaired,
    /// An activation failed and the host is back at the generation before.
    RolledBack,
    /// The revision to go to failed before and is held back.
    HeldBack,
    /// Trust refused a revision.
    Refused,
    /// A pass failed before anything was changed.
    Failed,
    /// A rollback failed; nothing is done automatically any more.
    Stuck,
    /// A pass succeeded after some that had not.
    Recovered,
    /// The host differs from its active generation.
    DriftFound,
    /// It no longer does.
    DriftGone,
    /// Somebody paused the host, or a path of it.
    HoldBegun,
    /// A pause or a hold ended, by somebody or by itself.
    HoldEnded,
    /// An entry that was put right again and again is left alone for a while.
    Contended,
}

impl Event {
    /// Every event.
    pub const ALL: [Self; 13] = [
        Self::Activated,
        Self::Repaired,
        Self::RolledBack,
        Self::HeldBack,
        Self::Refused,
        Self::Failed,
        Self::Stuck,
        Self::Recovered,
        Self::DriftFound,
        Self::DriftGone,
        Self::HoldBegun,
        Self::HoldEnded,
        Self::Contended,
    ];

    /// The `MESSAGE_ID`; never changes its meaning.
    #[must_use]
    pub const fn message_id(self) -> &'static str {
        match self {
            Self::Activated => "b073ee660c1642d99393802a5d16427e",
            Self::Repaired => "964421808979425eae746584f591987f",
            Self::RolledBack => "ad4aa14255004f63a75fe1c727b5a7b9",
            Self::HeldBack => "c707f594403442878db3526233934f18",
            Self::Refused => "9b1d6b83b6054fbe867b27c45fb6cde7",
            Self::Failed => "a9838a0a065c4fb2b7fc8cec2759d7ab",
            Self::Stuck => "f2356b3962da49bbb02f25c05f058510",
            Self::Recovered => "209ba1819b804d63ab7c73680efdaf76",
            Self::DriftFound => "06aebc88d88843c7ad1270f7cdd4f1ec",
            Self::DriftGone => "85efea07d8ef41468a330d7c26b2fc87",
            Self::HoldBegun => "9c13108f88ed46449f159c845c6b83dd",
            Self::HoldEnded => "8622a78f954345c482a29dda082e8339",
            Self::Contended => "f072e9824c7548eda32721be47821587",
        }
    }

    /// The message, as the journal shows it.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::Activated => "generation activated",
            Self::Repaired => "drift put right",
            Self::RolledBack => "activation rolled back",
            Self::HeldBack => "revision held back: it failed before",
            Self::Refused => "revision refused",
            Self::Failed => "pass failed, nothing was changed",
            Self::Stuck => "rollback failed, a human must look",
            Self::Recovered => "pass succeeded again",
            Self::DriftFound => "drift found",
            Self::DriftGone => "drift gone",
            Self::HoldBegun => "changes held by a person",
            Self::HoldEnded => "hold ended",
            Self::Contended => "repairs contended, left alone for a while",
        }
    }

    /// What `now` means to a journal whose last word was `before`: a state that lasts is told once.
    #[must_use]
    pub fn of_pass(before: Option<&Report>, now: &Report) -> Option<Self> {
        let event = match now.outcome {
            Outcome::Activated => return Some(Self::Activated),
            Outcome::Repaired => return Some(Self::Repaired),
            Outcome::RolledBack => return Some(Self::RolledBack),
            Outcome::NothingToDo => {
                let failing = before.is_some_and(|before| {
                    matches!(
                        before.outcome,
                        Outcome::Failed | Outcome::Refused | Outcome::Stuck
                    )
                });
                return failing.then_some(Self::Recovered);
            }
            // The pause itself was told when it began.
            Outcome::Paused | Outcome::PutOff => return None,
            Outcome::KnownBad => Self::HeldBack,
            Outcome::Refused => Self::Refused,
            Outcome::Failed => Self::Failed,
            Outcome::Stuck => Self::Stuck,
        };
        let same = before.is_some_and(|before| match now.outcome {
            Outcome::Stuck => now.is_still_stuck(before) && !now.is_reminder(before),
            _ => {
                before.outcome == now.outcome
                    && before.problem == now.problem
                    && before.revision == now.revision
            }
        });
        (!same).then_some(event)
    }

    /// What the scan `now` means after the scan `before`.
    #[must_use]
    pub fn of_scan(before: Option<&DriftSummary>, now: &DriftSummary) -> Option<Self> {
        let before = before.map_or(&[][..], |before| &before.items);
        match (before, &now.items[..]) {
            ([], []) => None,
            (_, []) => Some(Self::DriftGone),
            (before, now) => (before != now).then_some(Self::DriftFound),
        }
    }
}

/// Tells the journal how a pass ended, if that is news after `before`.
pub fn announce_pass(before: Option<&Report>, now: &Report) {
    let Some(event) = Event::of_pass(before, now) else {
        return;
    };
    let facts = Facts {
        id: event.message_id(),
        host: now.host.as_str(),
        generation: now.generation.map_or_else(String::new, |n| n.to_string()),
        revision: now
            .revision
            .as_ref()
            .map_or("", |revision| revision.commit.as_str()),
        reason: now
            .problem
            .as_ref()
            .map_or_else(String::new, Problem::in_one_line),
    };
    facts.emit(event);
}

/// Tells the journal what a drift scan found, if that is news after `before`.
pub fn announce_scan(
    host: &crate::config::HostName,
    before: Option<&DriftSummary>,
    now: &DriftSummary,
) {
    let Some(event) = Event::of_scan(before, now) else {
        return;
    };
    let facts = Facts {
        id: event.message_id(),
        host: host.as_str(),
        generation: now.generation.map_or_else(String::new, |n| n.to_string()),
        revision: "",
        reason: now.told(),
    };
    facts.emit(event);
}

/// Tells the journal that the flap guard leaves an entry of `host` alone: `reason` says which, until when and against whom.
pub fn announce_contended(
    host: &crate::config::HostName,
    generation: Option<crate::generation::GenerationNumber>,
    reason: String,
) {
    let event = Event::Contended;
    let facts = Facts {
        id: event.message_id(),
        host: host.as_str(),
        generation: generation.map_or_else(String::new, |n| n.to_string()),
        revision: "",
        reason,
    };
    facts.emit(event);
}

/// Tells the journal that `hold` began or ended, as `event` says. `host` is empty where it is not known.
pub fn announce_hold(host: &str, event: Event, hold: &Hold) {
    let what = hold
        .path
        .as_ref()
        .map_or("everything", |path| path.as_str());
    let facts = Facts {
        id: event.message_id(),
        host,
        generation: String::new(),
        revision: "",
        reason: format!("{what} {}", hold.terms()),
    };
    facts.emit(event);
}

/// The fields of an event; the same for each, empty where one does not apply, so that journal filters stay simple.
struct Facts<'a> {
    id: &'static str,
    host: &'a str,
    generation: String,
    revision: &'a str,
    reason: String,
}

/// Expands to one tracing event: levels and messages must be literals there.
macro_rules! tell {
    ($level:ident, $event:expr, $facts:expr) => {
        $level!(
            target: TARGET,
            MESSAGE_ID = $facts.id,
            STEADFAST_HOST = $facts.host,
            STEADFAST_GENERATION = $facts.generation.as_str(),
            STEADFAST_REVISION = $facts.revision,
            STEADFAST_REASON = $facts.reason.as_str(),
            "{}", $event.message()
        )
    };
}

impl Facts<'_> {
    fn emit(&self, event: Event) {
        match event {
            Event::Activated
            | Event::Repaired
            | Event::Recovered
            | Event::DriftGone
            | Event::HoldEnded => {
                tell!(info, event, self);
            }
            Event::HeldBack | Event::DriftFound | Event::HoldBegun | Event::Contended => {
                tell!(warn, event, self);
            }
            Event::RolledBack | Event::Refused | Event::Failed | Event::Stuck => {
                tell!(error, event, self);
            }
        }
    }
}

#[cfg(test)]
mod tests;
