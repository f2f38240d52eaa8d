//! When to look at the host because something changed: soon, but not all the time.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// What changes at once is looked at once.
const GATHER: Duration = Duration::from_millis(100);
/// This many looks come as soon as they are asked for,
const BURST: usize = 5;
/// within this time; under fire there is one look in five seconds.
const WINDOW: Duration = Duration::from_secs(25);

/// The looks that somebody's changes asked for.
#[derive(Debug, Default)]
pub(super) struct Pace {
    due: Option<Instant>,
    /// When the last few began.
    begun: VecDeque<Instant>,
}

impl Pace {
    /// Something changed at `now`.
    pub(super) fn noticed(&mut self, now: Instant) {
        let soon = now + GATHER;
        let allowed = match self.begun.front() {
            Some(first) if self.begun.len() == BURST => soon.max(*first + WINDOW),
            _ => soon,
        };
        self.due.get_or_insert(allowed);
    }

    /// When the next look is due.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Whether a look is due at `now`, which then counts as begun.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        if self.due.is_none_or(|due| due > now) {
            return false;
        }
        self.due = None;
        if self.begun.len() == BURST {
            self.begun.pop_front();
        }
        self.begun.push_back(now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_looked_at_after_a_tenth_of_a_second_and_many_at_once_are_one_look() {
        let now = Instant::now();
        let mut pace = Pace::default();
        assert!(!pace.take(now));
        for ms in 0..50 {
            pace.noticed(now + Duration::from_millis(ms));
        }
        assert_eq!(pace.due(), Some(now + GATHER));
        assert!(!pace.take(now + GATHER / 2));
        assert!(pace.take(now + GATHER));
        assert_eq!(pace.due(), None);
    }

    #[test]
    fn under_fire_there_is_one_look_in_five_seconds_and_peace_brings_the_speed_back() {
        let start = Instant::now();
        let mut pace = Pace::default();
        let looks = |pace: &mut Pace, from: Duration, ticks: u32| {
            let ticks = (0..ticks).map(|tick| start + from + Duration::from_millis(10) * tick);
            let mut looks = 0;
            for now in ticks {
                pace.noticed(now);
                looks += u32::from(pace.take(now));
            }
            looks
        };
        let minute = looks(&mut pace, Duration::ZERO, 6000);
        assert!((12..=15).contains(&minute), "{minute} looks in a minute");
        let later = Duration::from_mins(5);
        assert_eq!(looks(&mut pace, later, 100), 5, "five in a second");
    }
}
