//! When a timer goes off.

/// When a timer went off last and goes off next, in seconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TimerState {
    /// The next time by the calendar; `None` if there is none, as when it does not run.
    pub next_secs: Option<i64>,
    /// The last time; `None` if it never did.
    pub last_secs: Option<i64>,
}
