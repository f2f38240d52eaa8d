//! Values with a notation of their own.

use crate::config::yaml::Node;
use crate::host::duration;

use super::HostParser;

/// Longest time a duration may say: a day.
const MAX_MS: u64 = 24 * 60 * 60 * 1000;

/// Milliseconds of a [`duration`] of at least one and at most a day.
pub(in crate::config) fn duration_ms(text: &str) -> Option<u64> {
    let ms = u64::try_from(duration(text)?.as_millis()).ok()?;
    (1..=MAX_MS).contains(&ms).then_some(ms)
}

impl HostParser<'_> {
    /// A duration of at least a millisecond and at most a day.
    pub(super) fn duration(&mut self, node: &Node) -> Option<u64> {
        let text = self.reader.text(node)?;
        let duration = duration_ms(text);
        if duration.is_none() {
            let bare = text.bytes().all(|b| b.is_ascii_digit()) && !text.is_empty();
            let fix = bare.then(|| format!("say the unit: `{text}s`"));
            let wanted = "a duration such as `250ms`, `30s` or `5m`, at most a day,";
            self.reader.wrong_type(node, wanted).fix = fix;
        }
        duration
    }
}

#[cfg(test)]
mod tests {
    use super::duration_ms;

    #[test]
    fn a_duration_is_at_least_a_millisecond_and_at_most_a_day() {
        for (text, ms) in [
            ("1ms", Some(1)),
            ("10m", Some(600_000)),
            ("10min", Some(600_000)),
            ("24h", Some(86_400_000)),
            ("1d", Some(86_400_000)),
            ("0s", None),
            ("25h", None),
            ("3d", None),
        ] {
            assert_eq!(duration_ms(text), ms, "{text:?}");
        }
    }
}
