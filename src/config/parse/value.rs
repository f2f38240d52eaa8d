//! Values with a notation of their own.

use crate::config::yaml::Node;

use super::HostParser;

/// Longest time a duration may say: a day.
const MAX_MS: u64 = 24 * 60 * 60 * 1000;

/// Milliseconds of `250ms`, `30s`, `5m`, `1h` or `1m30s`; `None` if it is not a duration of at most a day.
pub(in crate::config) fn duration_ms(text: &str) -> Option<u64> {
    let mut total: u64 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let number_end = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, after) = rest.split_at(number_end);
        let unit_end = after
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(after.len());
        let (unit, next) = after.split_at(unit_end);
        let unit_ms = match unit {
            "ms" => 1,
            "s" => 1000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            _ => return None,
        };
        let ms = number.parse::<u64>().ok()?.checked_mul(unit_ms)?;
        total = total.checked_add(ms)?;
        rest = next;
    }
    (!text.is_empty() && total <= MAX_MS).then_some(total)
}

impl HostParser<'_> {
    /// A duration of at least a millisecond and at most a day.
    pub(super) fn duration(&mut self, node: &Node) -> Option<u64> {
        let text = self.reader.text(node)?;
        match duration_ms(text) {
            Some(ms) if ms > 0 => Some(ms),
            _ => {
                let bare = text.bytes().all(|b| b.is_ascii_digit()) && !text.is_empty();
                let fix = bare.then(|| format!("say the unit: `{text}s`"));
                let wanted = "a duration such as `250ms`, `30s` or `5m`, at most a day,";
                self.reader.wrong_type(node, wanted).fix = fix;
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::duration_ms;

    #[test]
    fn durations_say_their_unit() {
        for (text, ms) in [
            ("250ms", Some(250)),
            ("30s", Some(30_000)),
            ("5m", Some(300_000)),
            ("1h", Some(3_600_000)),
            ("1m30s", Some(90_000)),
            ("10min", Some(600_000)),
            ("24h", Some(86_400_000)),
            ("25h", None),
            ("", None),
            ("30", None),
            ("s", None),
            ("3 s", None),
            ("-3s", None),
            ("3d", None),
            ("99999999999999999999s", None),
        ] {
            assert_eq!(duration_ms(text), ms, "{text:?}");
        }
    }
}
