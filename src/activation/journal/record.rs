//! What is written down, and how a line of it is told from half a line.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::super::{Notice, Phase, Plan, Way};
use crate::generation::GenerationNumber;
use crate::health::Verdict;
use crate::host::{Digest, HostPath, PackageName, PathState};

/// The version of `plan.json` that this build writes and reads.
pub(super) const RECORD_VERSION: u32 = 1;

/// How many hex digits of the SHA-256 of a line stand before it.
const CHECKSUM_DIGITS: usize = 16;

/// The number of a transaction; only grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TransactionId(u64);

impl TransactionId {
    pub(super) const FIRST: Self = Self(1);

    pub(super) fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// The number, without the zeros before it.
    #[must_use]
    pub fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Display for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08}", self.0)
    }
}

/// A text that is not the number of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is not a number; `steadfast reconcile log` lists the transactions")]
pub struct NotATransaction;

impl FromStr for TransactionId {
    type Err = NotATransaction;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self).map_err(|_number| NotATransaction)
    }
}

/// What was decided: everything that finishing the transaction needs besides the generations themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Format version.
    pub version: u32,
    /// The transaction.
    pub id: TransactionId,
    /// When it was prepared, seconds since 1970-01-01T00:00:00Z.
    pub begun_secs: i64,
    /// The generation it goes to.
    pub target: GenerationNumber,
    /// The generation it comes from; `None` on a host that has none.
    pub previous: Option<GenerationNumber>,
    /// The steps.
    pub plan: Plan,
    /// Whether the steps were carried out before this boot, as they were where a generation was only tried until then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub done_before_boot: bool,
}

impl Record {
    /// A record that is not yet numbered.
    #[must_use]
    pub fn new(
        begun_secs: i64,
        target: GenerationNumber,
        previous: Option<GenerationNumber>,
        plan: Plan,
    ) -> Self {
        Self {
            version: RECORD_VERSION,
            id: TransactionId::FIRST,
            begun_secs,
            target,
            previous,
            plan,
            done_before_boot: false,
        }
    }

    /// The same, of steps that were carried out before this boot.
    #[must_use]
    pub fn done_before_boot(self) -> Self {
        Self {
            done_before_boot: true,
            ..self
        }
    }
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "entry")]
pub enum Entry {
    /// The plan is on disk.
    Begun {
        /// The SHA-256 of `plan.json`.
        plan: Digest,
    },
    /// The transaction entered a phase.
    Phase(Phase),
    /// A step is about to be carried out.
    StepBegun {
        /// Which way.
        way: Way,
        /// Its place in the plan that way, from 0.
        index: usize,
    },
    /// A step is done.
    StepDone {
        /// Which way.
        way: Way,
        /// Its place in the plan that way, from 0.
        index: usize,
    },
    /// A step failed.
    StepFailed {
        /// Which way.
        way: Way,
        /// Its place in the plan that way, from 0.
        index: usize,
        /// Why.
        reason: String,
        /// How a person could put it right, where that is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hint: Option<String>,
    },
    /// The plan back, a line per step.
    PlannedBack {
        /// The lines.
        steps: Vec<String>,
    },
    /// The drifted version of a file was kept before it was put right.
    Kept {
        /// The path.
        path: HostPath,
        /// The object.
        object: Digest,
        /// What else it was: owner, mode, attributes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        state: Option<PathState>,
    },
    /// Packages came, each with its version.
    Installed {
        /// The versions.
        packages: BTreeMap<PackageName, String>,
    },
    /// A probe answered.
    Probed {
        /// What it said.
        verdict: Verdict,
    },
    /// A person confirmed.
    Confirmed {
        /// How they came here.
        by: String,
    },
}

/// Something that happened, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Its place in the journal, from 0.
    #[serde(default)]
    pub seq: u64,
    /// When it was written down, seconds since 1970-01-01T00:00:00Z. Only to be read: nothing is decided by it.
    pub at_secs: i64,
    /// What is worth knowing since the line before, and stops nothing. A version that does not know of it reads past it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Notice>,
    /// The boot in which it was written down, as the kernel names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot: Option<String>,
    /// What happened.
    #[serde(flatten)]
    pub entry: Entry,
}

impl Line {
    fn is_phase(&self) -> bool {
        matches!(self.entry, Entry::Phase(_))
    }
}

/// What a journal holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Decoded {
    /// The whole lines.
    pub(super) lines: Vec<Line>,
    /// How many bytes they take.
    pub(super) whole_bytes: u64,
    /// What follows them.
    pub(super) tail: Tail,
}

/// What follows the last whole line.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tail {
    #[default]
    Nothing,
    /// The line that was being written when the power went.
    Torn,
    /// A phase after a line that is not whole. All that comes before a phase is on disk before the phase is, so no power cut
    /// does that.
    Damaged,
}

impl Decoded {
    /// Whether a line was written in another boot than `boot`.
    pub(super) fn is_older_than(&self, boot: Option<&str>) -> bool {
        let mut boots = self.lines.iter().filter_map(|line| line.boot.as_deref());
        boots.any(|written| boot.is_some_and(|boot| boot != written))
    }

    pub(super) fn entries(self) -> Vec<Entry> {
        self.lines.into_iter().map(|line| line.entry).collect()
    }
}

/// A line: checksum, space, JSON, line break. Its length is where it ends; the checksum tells half a line from a whole one.
pub(super) fn encode(line: &Line) -> String {
    // Strings, numbers and lists of them: nothing here that JSON cannot hold.
    let json = serde_json::to_string(line).unwrap_or_default();
    format!("{} {json}\n", checksum(json.as_bytes()))
}

/// The lines up to the first that is not whole, or not the next one.
pub(super) fn decode(text: &[u8]) -> Decoded {
    let mut decoded = Decoded::default();
    for text in text.split_inclusive(|byte| *byte == b'\n') {
        let line = match decode_line(text) {
            Some(line) if decoded.tail == Tail::Nothing && follows(&line, &decoded.lines) => {
                decoded.lines.push(line);
                decoded.whole_bytes += text.len() as u64;
                continue;
            }
            line => line.or_else(|| swallowed(text)),
        };
        if line.is_some_and(|line| line.is_phase()) {
            decoded.tail = Tail::Damaged;
            break;
        }
        decoded.tail = Tail::Torn;
    }
    decoded
}

/// Lines of versions that did not count them all have number 0.
fn follows(line: &Line, before: &[Line]) -> bool {
    line.seq == 0 || line.seq == before.len() as u64
}

/// A whole line at the end of one that is not: the break between the two is what is damaged.
fn swallowed(text: &[u8]) -> Option<Line> {
    let begins = (1..text.len()).filter(|at| text[*at..].starts_with(b" {"));
    begins
        .filter_map(|space| space.checked_sub(CHECKSUM_DIGITS))
        .find_map(|at| decode_line(&text[at..]))
}

fn decode_line(line: &[u8]) -> Option<Line> {
    let line = line.strip_suffix(b"\n")?;
    let (sum, json) = line.split_at_checked(CHECKSUM_DIGITS)?;
    let json = json.strip_prefix(b" ")?;
    if checksum(json).as_bytes() != sum {
        return None;
    }
    serde_json::from_slice(json).ok()
}

fn checksum(json: &[u8]) -> String {
    let mut text = hex::encode(Sha256::digest(json));
    text.truncate(CHECKSUM_DIGITS);
    text
}
