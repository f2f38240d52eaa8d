//! Spans of time, in the one unit that a person would use.

const UNITS: [(i64, &str); 5] = [
    (86_400 * 365, "year"),
    (86_400, "day"),
    (3_600, "hour"),
    (60, "minute"),
    (1, "second"),
];

/// How long before `now_secs` `then_secs` was, or how long after it: `2 hours ago`, `in 40 seconds`, `now`.
pub(in crate::cli) fn ago(then_secs: i64, now_secs: i64) -> String {
    let span = now_secs.saturating_sub(then_secs);
    match largest_unit(span.saturating_abs()) {
        None => "now".to_owned(),
        Some(text) if span > 0 => format!("{text} ago"),
        Some(text) => format!("in {text}"),
    }
}

fn largest_unit(secs: i64) -> Option<String> {
    let (size, unit) = UNITS.into_iter().find(|(size, _)| secs >= *size)?;
    let count = secs / size;
    let plural = if count == 1 { "" } else { "s" };
    Some(format!("{count} {unit}{plural}"))
}

/// How long something took: `80 ms`, `2.3 s`, `4 min 5 s`.
pub(in crate::cli) fn took(millis: u64) -> String {
    match millis {
        0..1_000 => format!("{millis} ms"),
        1_000..60_000 => format!("{}.{} s", millis / 1_000, millis % 1_000 / 100),
        _ => format!("{} min {} s", millis / 60_000, millis % 60_000 / 1_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_told_in_their_largest_unit() {
        let table = [
            (0, "now"),
            (1, "1 second ago"),
            (59, "59 seconds ago"),
            (60, "1 minute ago"),
            (7_300, "2 hours ago"),
            (86_400 * 400, "1 year ago"),
            (-40, "in 40 seconds"),
        ];
        for (span, text) in table {
            assert_eq!(ago(1_000_000_000 - span, 1_000_000_000), text);
        }
        assert_eq!(took(80), "80 ms");
        assert_eq!(took(2_345), "2.3 s");
        assert_eq!(took(245_000), "4 min 5 s");
    }
}
