//! What became of an order to move a unit.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The result of one systemd job, in systemd's words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobResult {
    /// It was done.
    Done,
    /// Another job took its place.
    Canceled,
    /// The unit took longer than its own timeout.
    Timeout,
    /// The unit failed.
    Failed,
    /// Something the unit requires failed.
    Dependency,
    /// There was nothing to do in the state the unit was in.
    Skipped,
    /// Another result: `assert`, `unsupported`, `invalid`, `collected`, `once`, `frozen`.
    Other(String),
    /// Not over when our own patience was: the job goes on.
    Overdue {
        /// How long it was waited for.
        secs: u64,
    },
    /// Below a root nothing runs, so nothing was moved.
    NotRun,
}

impl JobResult {
    /// Whether the unit is where it should be, as far as the job can tell. A service may still crash a moment later.
    #[must_use]
    pub fn is_success(&self) -> bool {
        matches!(self, Self::Done | Self::Skipped | Self::NotRun)
    }

    pub(super) fn from_word(word: &str) -> Self {
        match word {
            "done" => Self::Done,
            "canceled" => Self::Canceled,
            "timeout" => Self::Timeout,
            "failed" => Self::Failed,
            "dependency" => Self::Dependency,
            "skipped" => Self::Skipped,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl fmt::Display for JobResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => f.write_str("done"),
            Self::Canceled => f.write_str("canceled"),
            Self::Timeout => f.write_str("timeout"),
            Self::Failed => f.write_str("failed"),
            Self::Dependency => f.write_str("dependency"),
            Self::Skipped => f.write_str("skipped"),
            Self::Other(word) => f.write_str(word),
            Self::Overdue { secs } => write!(f, "not over after {secs} s"),
            Self::NotRun => f.write_str("not run below a root"),
        }
    }
}

/// What is asked of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Start,
    Stop,
    Restart,
    Reload,
}

impl Order {
    pub(super) fn verb(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Restart => "restart",
            Self::Reload => "reload",
        }
    }
}
