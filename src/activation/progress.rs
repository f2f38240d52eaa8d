//! How an activation goes on, for those who watch it.

use serde::{Deserialize, Serialize};

use super::{Notice, Phase};
use crate::health::Verdict;

/// Something that happened in an activation. Names and reasons, never contents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum ActivationEvent {
    /// It is decided what will be done.
    Planned {
        /// Which way.
        way: Way,
        /// A line per step, in order.
        steps: Vec<String>,
        /// What is left alone.
        notices: Vec<Notice>,
    },
    /// The transaction entered a phase; it is on disk.
    Phase {
        /// Which.
        phase: Phase,
    },
    /// A step is being carried out.
    StepBegun {
        /// Which way.
        way: Way,
        /// Its place, from 0.
        index: usize,
        /// How many there are.
        total: usize,
        /// The step in one line.
        text: String,
    },
    /// A step is done.
    StepDone {
        /// Which way.
        way: Way,
        /// Its place, from 0.
        index: usize,
    },
    /// A step failed.
    StepFailed {
        /// Which way.
        way: Way,
        /// Its place, from 0.
        index: usize,
        /// Why.
        reason: String,
    },
    /// The drifted version of a file was kept before it was put right.
    Kept {
        /// The path.
        path: crate::host::HostPath,
        /// The object.
        object: crate::host::Digest,
    },
    /// Units are being watched.
    Watching {
        /// How many.
        units: usize,
        /// For how long, in milliseconds.
        window_ms: u64,
    },
    /// A probe answered.
    Probed {
        /// What it said.
        verdict: Verdict,
    },
}

/// Which way an activation goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// To the new generation.
    Forward,
    /// Back to the one before.
    Back,
}

/// Somebody who watches.
///
/// Told before an act and after it; what it does cannot change how the activation ends.
pub trait Progress {
    /// Takes note of `event`.
    fn tell(&self, event: &ActivationEvent);
}

impl<F: Fn(&ActivationEvent)> Progress for F {
    fn tell(&self, event: &ActivationEvent) {
        self(event);
    }
}

/// Nobody watches.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unwatched;

impl Progress for Unwatched {
    fn tell(&self, _event: &ActivationEvent) {}
}
