//! Instants as the format writes them: RFC 3339, up to nanoseconds, with the offset they were given in.

use std::fmt;

/// A date and time with its offset from UTC, kept as written rather than as a point in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Instant {
    year: u16,
    month: u8,
    day: u8,
    hour: u8,
    minute: u8,
    second: u8,
    nanos: u32,
    offset_minutes: i16,
}

impl Instant {
    /// Reads strict RFC 3339: two-digit fields, capital `T` and `Z`.
    pub(super) fn parse_rfc3339(text: &str) -> Option<Self> {
        let digits_at = |range: std::ops::Range<usize>| {
            text.as_bytes()
                .get(range)
                .is_some_and(|part| part.iter().all(u8::is_ascii_digit))
        };
        let strict = digits_at(0..4)
            && digits_at(5..7)
            && digits_at(8..10)
            && digits_at(11..13)
            && digits_at(14..16)
            && digits_at(17..19)
            && text.as_bytes()[10] == b'T'
            && !text.contains(',');
        if strict { Self::parse_yaml(text) } else { None }
    }

    /// Reads the forms that go-yaml takes for a timestamp: `Y-M-DTh:m:s[.f]ZONE`, `Y-M-D h:m:s[.f]`, `Y-M-D`.
    pub(super) fn parse_yaml(text: &str) -> Option<Self> {
        let mut rest = Fields(text.as_bytes());
        let year = rest.digits(4, 4)?;
        rest.literal(b'-')?;
        let month = rest.digits(1, 2)?;
        rest.literal(b'-')?;
        let day = rest.digits(1, 2)?;
        let mut instant = Self {
            year: u16::try_from(year).ok()?,
            month: u8::try_from(month).ok()?,
            day: u8::try_from(day).ok()?,
            hour: 0,
            minute: 0,
            second: 0,
            nanos: 0,
            offset_minutes: 0,
        };
        if rest.0.is_empty() {
            return instant.checked();
        }
        let zoned = match rest.next()? {
            b'T' | b't' => true,
            b' ' => {
                rest.skip_blanks();
                false
            }
            _ => return None,
        };
        instant.hour = u8::try_from(rest.digits(1, 2)?).ok()?;
        rest.literal(b':')?;
        instant.minute = u8::try_from(rest.digits(1, 2)?).ok()?;
        rest.literal(b':')?;
        instant.second = u8::try_from(rest.digits(1, 2)?).ok()?;
        instant.nanos = rest.fraction()?;
        if zoned {
            instant.offset_minutes = rest.zone()?;
        }
        if rest.0.is_empty() {
            instant.checked()
        } else {
            None
        }
    }

    /// The same instant to the second, as it is used for the associated data of the MAC.
    pub(super) fn without_fraction(mut self) -> Self {
        self.nanos = 0;
        self
    }

    fn checked(self) -> Option<Self> {
        let leap = self.year.is_multiple_of(4)
            && (!self.year.is_multiple_of(100) || self.year.is_multiple_of(400));
        let days = match self.month {
            2 if leap => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return None,
        };
        let fits = (1..=days).contains(&self.day)
            && self.hour < 24
            && self.minute < 60
            && self.second < 60;
        fits.then_some(self)
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
            self.year, self.month, self.day, self.hour, self.minute, self.second
        )?;
        if self.nanos != 0 {
            let digits = format!("{:09}", self.nanos);
            write!(f, ".{}", digits.trim_end_matches('0'))?;
        }
        if self.offset_minutes == 0 {
            return f.write_str("Z");
        }
        let sign = if self.offset_minutes < 0 { '-' } else { '+' };
        let minutes = self.offset_minutes.unsigned_abs();
        write!(f, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn literal(&mut self, expected: u8) -> Option<()> {
        (self.next()? == expected).then_some(())
    }

    fn skip_blanks(&mut self) {
        while let Some((b' ', rest)) = self.0.split_first() {
            self.0 = rest;
        }
    }

    fn digits(&mut self, fewest: usize, most: usize) -> Option<u32> {
        let count = self
            .0
            .iter()
            .take(most)
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        if count < fewest {
            return None;
        }
        let (digits, rest) = self.0.split_at(count);
        self.0 = rest;
        std::str::from_utf8(digits).ok()?.parse().ok()
    }

    /// Nanoseconds after `.` or `,`; what follows the ninth digit is cut off.
    fn fraction(&mut self) -> Option<u32> {
        let Some(b'.' | b',') = self.0.first() else {
            return Some(0);
        };
        let digits = self.0[1..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        if digits == 0 {
            return None;
        }
        let nanos = (0..9).fold(0, |sum, place| {
            let digit = if place < digits {
                self.0[1 + place] - b'0'
            } else {
                0
            };
            sum * 10 + u32::from(digit)
        });
        self.0 = &self.0[1 + digits..];
        Some(nanos)
    }

    fn zone(&mut self) -> Option<i16> {
        let sign = match self.next()? {
            b'Z' => return Some(0),
            b'+' => 1,
            b'-' => -1,
            _ => return None,
        };
        let hours = i16::try_from(self.digits(2, 2)?).ok()?;
        self.literal(b':')?;
        let minutes = i16::try_from(self.digits(2, 2)?).ok()?;
        (hours <= 24 && minutes < 60).then_some(sign * (hours * 60 + minutes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc3339_is_strict_and_rendered_without_needless_digits() {
        for (text, expected) in [
            ("2020-01-02T03:04:05Z", Some("2020-01-02T03:04:05Z")),
            ("2020-01-02T03:04:05.250Z", Some("2020-01-02T03:04:05.25Z")),
            ("2020-01-02T03:04:05+00:00", Some("2020-01-02T03:04:05Z")),
            (
                "2020-01-02T03:04:05-02:30",
                Some("2020-01-02T03:04:05-02:30"),
            ),
            ("2020-01-02t03:04:05Z", None),
            ("2020-01-02T03:04:05z", None),
            ("2020-1-02T03:04:05Z", None),
            ("2020-02-30T03:04:05Z", None),
            ("2020-01-02T03:04:60Z", None),
            ("2020-01-02", None),
            ("", None),
        ] {
            let read = Instant::parse_rfc3339(text).map(|instant| instant.to_string());
            assert_eq!(read.as_deref(), expected, "{text}");
        }
    }
}
