//! Counts what comes in, and stops it at the limits.

use std::fmt;
use std::io::{self, Read};
use std::time::{Duration, Instant};

use super::Limits;
use crate::source::FetchErrorKind;

/// Bytes and time of one exchange.
pub(super) struct Meter {
    limits: Limits,
    started: Instant,
    received_bytes: u64,
}

/// A limit that was reached; travels inside an [`io::Error`].
#[derive(Debug, Clone, Copy)]
pub(super) enum LimitReached {
    Bytes(u64),
    Time(Duration),
}

impl LimitReached {
    pub(super) fn kind(self) -> FetchErrorKind {
        match self {
            Self::Bytes(limit) => FetchErrorKind::TooLarge {
                limit,
                unit: "bytes",
            },
            Self::Time(limit) => FetchErrorKind::TimedOut { limit },
        }
    }
}

impl fmt::Display for LimitReached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind().fmt(f)
    }
}

impl std::error::Error for LimitReached {}

impl Meter {
    pub(super) fn start(limits: Limits) -> Self {
        Self {
            limits,
            started: Instant::now(),
            received_bytes: 0,
        }
    }

    pub(super) fn limits(&self) -> Limits {
        self.limits
    }

    /// What is left of the time limit.
    pub(super) fn time_left(&self) -> Result<Duration, LimitReached> {
        self.limits
            .time
            .checked_sub(self.started.elapsed())
            .filter(|left| !left.is_zero())
            .ok_or(LimitReached::Time(self.limits.time))
    }

    /// Adds `bytes` that came in.
    pub(super) fn count(&mut self, bytes: usize) -> Result<(), LimitReached> {
        self.received_bytes = self.received_bytes.saturating_add(bytes as u64);
        if self.received_bytes > self.limits.received_bytes {
            return Err(LimitReached::Bytes(self.limits.received_bytes));
        }
        self.time_left().map(drop)
    }
}

/// A reader under a [`Meter`].
pub(super) struct Metered<'a, R> {
    pub(super) inner: R,
    pub(super) meter: &'a mut Meter,
}

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer);
        self.meter
            .count(count.as_ref().copied().unwrap_or(0))
            .map_err(io::Error::other)?;
        count
    }
}
