//! Bracketed classes. Go has no operations on sets in them, so every character is written out.

use std::fmt::Write as _;

use super::PatternError;
use super::translate::{Escape, Sign, Translation};

/// The classes that both know by name, ASCII in both.
const NAMED: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct",
    "space", "upper", "word", "xdigit",
];

impl<'a> Translation<'a> {
    /// A class whose `[` was taken; `start` begins with it.
    pub(super) fn class(&mut self, start: &'a str) -> Result<(), PatternError> {
        self.out.push('[');
        if self.take("^") {
            self.out.push('^');
        }
        let mut is_first = true;
        while is_first || !self.take("]") {
            if self.rest.is_empty() {
                return Err(self.invalid(&format!("`{start}` is not closed")));
            }
            is_first = false;
            if !self.named_class()? {
                self.range(start)?;
            }
        }
        self.out.push(']');
        Ok(())
    }

    /// `[:alpha:]`, if it is one.
    fn named_class(&mut self) -> Result<bool, PatternError> {
        let Some((name, rest)) = self
            .rest
            .strip_prefix("[:")
            .and_then(|rest| rest.split_once(":]"))
        else {
            return Ok(false);
        };
        if !NAMED.contains(&name.strip_prefix('^').unwrap_or(name)) {
            return Err(self.invalid(&format!("there is no class `[:{name}:]`")));
        }
        self.rest = rest;
        let _ = write!(self.out, "[:{name}:]");
        Ok(true)
    }

    /// One character, a range of them, or a Perl class.
    fn range(&mut self, class: &'a str) -> Result<(), PatternError> {
        let from = match self.member(class)? {
            Escape::Character(from) => from,
            Escape::Class(class, Sign::Positive) => {
                self.out.push_str(class);
                return Ok(());
            }
            Escape::Class(class, Sign::Negative) => {
                let _ = write!(self.out, "[^{class}]");
                return Ok(());
            }
        };
        self.member_text(from);
        if self.rest.starts_with('-') && self.rest.len() > 1 && !self.rest.starts_with("-]") {
            self.next();
            let Escape::Character(to) = self.member(class)? else {
                return Err(self.invalid("a range ends in a class"));
            };
            if to < from {
                return Err(self.invalid("a range runs backwards"));
            }
            self.out.push('-');
            self.member_text(to);
        }
        Ok(())
    }

    fn member(&mut self, class: &'a str) -> Result<Escape, PatternError> {
        let start = self.rest;
        match self.next() {
            Some('\\') if self.take("p") || self.take("P") => Err(self.differs(start)),
            Some('\\') => self.escape(start),
            Some(character) => Ok(Escape::Character(character)),
            None => Err(self.invalid(&format!("`{class}` is not closed"))),
        }
    }

    fn member_text(&mut self, character: char) {
        let _ = write!(self.out, "\\x{{{:X}}}", u32::from(character));
    }
}
