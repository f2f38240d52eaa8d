//! From Go's regular expressions to those of the regex crate: every piece is read as Go reads it and written out in a form
//! that has no second meaning.
//!
//! Source: the package `regexp/syntax` of Go, with its flag `Perl`.

use std::fmt::Write as _;

use super::PatternError;

/// Go counts repetitions, and repetitions of repetitions, up to this.
const MOST_REPEATS: u32 = 1000;
/// How deep groups may lie in each other; the regex crate has a similar limit.
const MOST_DEPTH: usize = 200;

/// The same expression for the regex crate.
pub(super) fn translate(pattern: &str) -> Result<String, PatternError> {
    let mut translation = Translation {
        pattern,
        rest: pattern,
        out: String::with_capacity(pattern.len() + 16),
        depth: 0,
    };
    translation.sequence()?;
    if translation.rest.is_empty() {
        Ok(translation.out)
    } else {
        Err(translation.invalid("a `)` closes nothing"))
    }
}

pub(super) struct Translation<'a> {
    pattern: &'a str,
    pub(super) rest: &'a str,
    pub(super) out: String,
    depth: usize,
}

/// What an escape stands for.
pub(super) enum Escape {
    Character(char),
    /// A Perl class, and whether it is negated.
    Class(&'static str, Sign),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    Positive,
    Negative,
}

impl<'a> Translation<'a> {
    pub(super) fn invalid(&self, reason: &str) -> PatternError {
        PatternError::Invalid {
            pattern: self.pattern.to_owned(),
            reason: reason.to_owned(),
        }
    }

    /// What stands between `from`, an earlier rest, and here.
    pub(super) fn differs(&self, from: &str) -> PatternError {
        let part = &from[..from.len() - self.rest.len()];
        PatternError::Differs {
            pattern: self.pattern.to_owned(),
            part: part.to_owned(),
        }
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let mut characters = self.rest.chars();
        let character = characters.next();
        self.rest = characters.as_str();
        character
    }

    pub(super) fn take(&mut self, prefix: &str) -> bool {
        match self.rest.strip_prefix(prefix) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// One character that stands for itself.
    pub(super) fn literal(&mut self, character: char) {
        if character.is_ascii_alphanumeric() || !character.is_ascii() {
            self.out.push(character);
        } else {
            // Writing to a string does not fail.
            let _ = write!(self.out, "\\x{{{:X}}}", u32::from(character));
        }
    }

    /// Everything up to the end or to a `)`, which stays. Gives how often its most repeated part is repeated.
    fn sequence(&mut self) -> Result<u32, PatternError> {
        let mut most = 1;
        while !self.rest.is_empty() && !self.rest.starts_with(')') {
            let repeats = self.piece()?;
            most = most.max(self.repetition(repeats)?);
        }
        Ok(most)
    }

    /// One piece without its repetition.
    fn piece(&mut self) -> Result<u32, PatternError> {
        let start = self.rest;
        match self.next() {
            Some('\\') => self.escaped(start)?,
            Some('[') => self.class(start)?,
            Some('(') => return self.group(start),
            Some(sign @ ('.' | '^' | '$' | '|')) => self.out.push(sign),
            Some('*' | '+' | '?') => {
                return Err(self.invalid("a repetition has nothing to repeat"));
            }
            Some(other) => self.literal(other),
            None => {}
        }
        Ok(1)
    }

    fn escaped(&mut self, start: &'a str) -> Result<(), PatternError> {
        if self.take("A") {
            self.out.push_str("\\A");
        } else if self.take("z") {
            self.out.push_str("\\z");
        } else if self.take("b") {
            self.out.push_str("(?-u:\\b)");
        } else if self.take("Q") {
            let (text, rest) = self.rest.split_once("\\E").unwrap_or((self.rest, ""));
            self.rest = rest;
            if text.is_empty() {
                return Err(self.differs(start));
            }
            text.chars().for_each(|character| self.literal(character));
        } else if self.take("B") || self.take("p") || self.take("P") {
            return Err(self.differs(start));
        } else {
            match self.escape(start)? {
                Escape::Character(character) => self.literal(character),
                Escape::Class(class, Sign::Positive) => {
                    let _ = write!(self.out, "[{class}]");
                }
                Escape::Class(class, Sign::Negative) => {
                    let _ = write!(self.out, "[^{class}]");
                }
            }
        }
        Ok(())
    }

    /// What follows a backslash, in a class or out of it.
    pub(super) fn escape(&mut self, start: &'a str) -> Result<Escape, PatternError> {
        use Sign::{Negative, Positive};
        const SPACES: &str = "\\t\\n\\f\\r ";
        let Some(character) = self.next() else {
            return Err(self.invalid("it ends in a backslash"));
        };
        Ok(Escape::Character(match character {
            'd' => return Ok(Escape::Class("0-9", Positive)),
            'D' => return Ok(Escape::Class("0-9", Negative)),
            'w' => return Ok(Escape::Class("0-9A-Za-z_", Positive)),
            'W' => return Ok(Escape::Class("0-9A-Za-z_", Negative)),
            's' => return Ok(Escape::Class(SPACES, Positive)),
            'S' => return Ok(Escape::Class(SPACES, Negative)),
            'a' => '\u{7}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            'x' => self.hexadecimal(start)?,
            '0' => self.octal(0),
            '1'..='7' if self.rest.starts_with(|c| matches!(c, '0'..='7')) => {
                self.octal(character.to_digit(8).unwrap_or_default())
            }
            other if other.is_ascii() && !other.is_ascii_alphanumeric() => other,
            _ => return Err(self.invalid("it has an escape that sops does not know")),
        }))
    }

    fn octal(&mut self, first: u32) -> char {
        let mut value = first;
        for _ in 0..2 {
            let Some(digit) = self.rest.chars().next().and_then(|c| c.to_digit(8)) else {
                break;
            };
            self.next();
            value = value * 8 + digit;
        }
        // At most 0o777.
        char::from_u32(value).unwrap_or('\0')
    }

    fn hexadecimal(&mut self, start: &'a str) -> Result<char, PatternError> {
        let wrong = |this: &Self| this.invalid("`\\x` needs two digits, or digits in braces");
        let digits = if self.take("{") {
            let (digits, rest) = self.rest.split_once('}').ok_or_else(|| wrong(self))?;
            self.rest = rest;
            digits
        } else {
            let digits = self.rest.get(..2).ok_or_else(|| wrong(self))?;
            self.rest = &self.rest[2..];
            digits
        };
        let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit());
        let significant = digits.trim_start_matches('0');
        let value = u32::from_str_radix(
            if significant.is_empty() {
                "0"
            } else {
                significant
            },
            16,
        )
        .ok()
        .filter(|value| is_number && *value <= 0x10_ffff)
        .ok_or_else(|| wrong(self))?;
        // Half of a surrogate pair: in no text that is UTF-8.
        char::from_u32(value).ok_or_else(|| self.differs(start))
    }

    /// A group: plain, named, or with flags.
    fn group(&mut self, start: &'a str) -> Result<u32, PatternError> {
        self.depth += 1;
        if self.depth > MOST_DEPTH {
            return Err(self.invalid("its groups lie too deep in each other"));
        }
        if self.take("?P<") || self.take("?<") {
            self.name()?;
            self.out.push_str("(?:");
        } else if self.take("?") {
            let Some(end) = self.rest.find([':', ')']) else {
                return Err(self.invalid("a group is not closed"));
            };
            let flags = &self.rest[..end];
            let (on, off) = flags.split_once('-').unwrap_or((flags, ""));
            let known = |flags: &str| flags.chars().all(|flag| "imsU".contains(flag));
            if !known(on) || !known(off) || flags.ends_with('-') {
                return Err(self.invalid("a group has flags that sops does not know"));
            }
            let flags = once_each(on, off);
            self.rest = &self.rest[end..];
            if self.take(")") {
                self.depth -= 1;
                if flags.is_empty() || self.rest.starts_with(['*', '+', '?', '{']) {
                    return Err(self.differs(start));
                }
                let _ = write!(self.out, "(?{flags})");
                return Ok(1);
            }
            self.next();
            let _ = write!(self.out, "(?{flags}:");
        } else {
            self.out.push_str("(?:");
        }
        let repeats = self.sequence()?;
        if !self.take(")") {
            return Err(self.invalid("a group is not closed"));
        }
        self.depth -= 1;
        self.out.push(')');
        Ok(repeats)
    }

    fn name(&mut self) -> Result<(), PatternError> {
        let (name, rest) = self.rest.split_once('>').unwrap_or_default();
        let is_name = !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !is_name {
            return Err(self.invalid("the name of a group is not one"));
        }
        self.rest = rest;
        Ok(())
    }

    /// `*`, `+`, `?` or `{…}` after a piece that is itself repeated `inner` times. A second one is an error, as in Go.
    fn repetition(&mut self, inner: u32) -> Result<u32, PatternError> {
        let Some((sign, most)) = self.repetition_sign()? else {
            return Ok(inner);
        };
        let total = inner.saturating_mul(most.unwrap_or(1));
        if total > MOST_REPEATS {
            return Err(self.invalid("it repeats something more than 1000 times"));
        }
        self.out.push_str(&sign);
        if self.take("?") {
            self.out.push('?');
        }
        match self.repetition_sign()? {
            None => Ok(total),
            Some(_) => Err(self.invalid("it repeats a repetition")),
        }
    }

    /// The sign, and how often it repeats if it counts.
    fn repetition_sign(&mut self) -> Result<Option<(String, Option<u32>)>, PatternError> {
        for sign in ["*", "+", "?"] {
            if self.take(sign) {
                return Ok(Some((sign.to_owned(), None)));
            }
        }
        let Some((counts, rest)) = self
            .rest
            .strip_prefix('{')
            .and_then(|it| it.split_once('}'))
        else {
            return Ok(None);
        };
        let (least, most) = counts.split_once(',').unwrap_or((counts, counts));
        // Any other brace stands for itself.
        let is_count = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            digits && (text.len() == 1 || !text.starts_with('0'))
        };
        if !is_count(least) || !(most.is_empty() || is_count(most)) {
            return Ok(None);
        }
        let number = |text: &str| text.parse::<u32>().unwrap_or(u32::MAX);
        let most = if most.is_empty() { least } else { most };
        if number(least) > number(most) || number(most) > MOST_REPEATS {
            return Err(self.invalid("a counted repetition is out of range"));
        }
        self.rest = rest;
        Ok(Some((format!("{{{counts}}}"), Some(number(most)))))
    }
}

/// The flags as the regex crate wants them: none twice. The last word on a flag counts.
fn once_each(on: &str, off: &str) -> String {
    let chosen = |flags: &str, not: &str| -> String {
        let has = |flag: &char| flags.contains(*flag) && !not.contains(*flag);
        "imsU".chars().filter(has).collect()
    };
    let (on, off) = (chosen(on, off), chosen(off, ""));
    if off.is_empty() {
        on
    } else {
        format!("{on}-{off}")
    }
}
