//! The clock: the one place that reads the time of day. Deciding never asks; it is told.

use jiff::Timestamp;

/// Now, in UTC.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the clock")]
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// Seconds since 1970-01-01 UTC.
#[must_use]
pub fn now_secs() -> i64 {
    now().as_second()
}

/// Now as RFC 3339 text in UTC with whole seconds, `2026-03-01T12:00:00Z`.
#[must_use]
pub fn now_rfc3339() -> String {
    rfc3339(now_secs())
}

/// `secs` since 1970 as RFC 3339 text in UTC, `2026-03-01T12:00:00Z`.
#[must_use]
pub fn rfc3339(secs: i64) -> String {
    // Out of jiff's range (years -9999 to 9999) is clamped: this is text for people and for sops' `lastmodified`.
    let stamp = Timestamp::from_second(secs).unwrap_or(if secs < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    });
    stamp.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The id of this boot, which no other boot has; `None` where the kernel does not tell.
#[must_use]
pub fn boot_id() -> Option<String> {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(id.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_utc_with_whole_seconds() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(1_772_366_400), "2026-03-01T12:00:00Z");
        assert!(rfc3339(i64::MAX).starts_with("9999-12-"));
    }

    #[test]
    fn the_clock_is_past_the_day_it_was_written() {
        assert!(now_secs() > 1_700_000_000);
        assert_eq!(now_rfc3339().len(), "2026-03-01T12:00:00Z".len());
    }
}
