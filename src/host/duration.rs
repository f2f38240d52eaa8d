//! Times as people write them, wherever they do: in a repository, in settings, on a command line.

use std::time::Duration;

/// The time that `text` says: numbers with their units, `250ms`, `30s`, `5m` or `5min`, `1h30m`, `1d 12h`.
///
/// `None` for anything else: a number without a unit, a fraction, a sign, more than fits in 64 bits of milliseconds.
/// systemd understands all of these as well.
#[must_use]
pub fn duration(text: &str) -> Option<Duration> {
    let mut total_ms: u64 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let (number, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?);
        let unit_end = after.find(|c: char| !c.is_ascii_alphabetic());
        let (unit, next) = after.split_at(unit_end.unwrap_or(after.len()));
        let unit_ms = match unit {
            "ms" => 1,
            "s" => 1000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return None,
        };
        let ms = number.parse::<u64>().ok()?.checked_mul(unit_ms)?;
        total_ms = total_ms.checked_add(ms)?;
        // A space may stand between two parts, and nowhere else.
        rest = match next.strip_prefix(' ') {
            Some("") => return None,
            Some(part) => part,
            None => next,
        };
    }
    (!text.is_empty()).then(|| Duration::from_millis(total_ms))
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn durations_say_their_unit() {
        for (text, ms) in [
            ("250ms", Some(250)),
            ("30s", Some(30_000)),
            ("5m", Some(300_000)),
            ("10min", Some(600_000)),
            ("1h", Some(3_600_000)),
            ("1m30s", Some(90_000)),
            ("1h 30min", Some(5_400_000)),
            ("2d", Some(172_800_000)),
            ("0s", Some(0)),
            ("", None),
            (" ", None),
            ("30", None),
            ("s", None),
            ("3 s", None),
            ("3s ", None),
            (" 3s", None),
            ("3s  4s", None),
            ("-3s", None),
            ("1.5h", None),
            ("3M", None),
            ("99999999999999999999s", None),
            ("9999999999999999999s", None),
        ] {
            let found = duration(text).map(|found| found.as_millis());
            assert_eq!(found, ms, "{text:?}");
        }
    }
}
