//! Passwords: random characters of chosen classes.

use std::fmt;
use std::str::FromStr;

use rand::Rng as _;
use rand::rngs::OsRng;
use zeroize::Zeroizing;

use crate::identity::Plaintext;

const SHORTEST: usize = 4;
const LONGEST: usize = 1024;

/// Classes of characters, all of ASCII.
const CLASSES: [(&str, &str); 4] = [
    ("lower", "abcdefghijklmnopqrstuvwxyz"),
    ("upper", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    ("digits", "0123456789"),
    // Without quotes, backslash, `$`, `&`, `<`, `>`, `|`, `;`, blanks: what shells and configuration files trip over.
    ("symbols", "!#%*+,-./:=?@^_~"),
];

/// The characters that a password is made of: some of the classes `lower`, `upper`, `digits`, `symbols`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alphabet {
    /// Positions in [`CLASSES`], ascending.
    classes: Vec<usize>,
}

/// A password that cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Not a class of characters.
    #[error("`{text}` is not a class of characters")]
    Class {
        /// What was given.
        text: String,
    },
    /// Too short or too long.
    #[error("a password has from {SHORTEST} to {LONGEST} characters, not {length}")]
    Length {
        /// What was asked for.
        length: usize,
    },
}

impl PasswordError {
    /// How to go on.
    #[must_use]
    pub fn fix(&self) -> &'static str {
        match self {
            Self::Class { .. } => "name some of lower, upper, digits, symbols, divided by commas",
            Self::Length { .. } => "name a length within these bounds",
        }
    }
}

impl Default for Alphabet {
    /// Letters and digits: accepted everywhere, and selected by a double click.
    fn default() -> Self {
        Self {
            classes: vec![0, 1, 2],
        }
    }
}

impl FromStr for Alphabet {
    type Err = PasswordError;

    /// Reads `lower,upper,digits,symbols`, or some of these.
    fn from_str(text: &str) -> Result<Self, PasswordError> {
        let mut classes = Vec::new();
        for word in text.split(',').map(str::trim) {
            let class = CLASSES.iter().position(|(name, _)| *name == word);
            classes.push(class.ok_or_else(|| PasswordError::Class {
                text: word.to_owned(),
            })?);
        }
        classes.sort_unstable();
        classes.dedup();
        Ok(Self { classes })
    }
}

impl fmt::Display for Alphabet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.classes.iter().map(|class| CLASSES[*class].0).collect();
        f.write_str(&names.join(","))
    }
}

/// Draws a password until it has a character of every class: so each one that has is as likely as any other.
pub(super) fn password(length: usize, alphabet: &Alphabet) -> Result<Plaintext, PasswordError> {
    if !(SHORTEST..=LONGEST).contains(&length) {
        return Err(PasswordError::Length { length });
    }
    let classes: Vec<&[u8]> = alphabet
        .classes
        .iter()
        .map(|class| CLASSES[*class].1.as_bytes())
        .collect();
    let all: Vec<u8> = classes.concat();
    let mut drawn = Zeroizing::new(vec![0; length]);
    loop {
        for character in drawn.iter_mut() {
            // Draws again rather than taking a remainder, so no character is likelier than another.
            *character = all[OsRng.gen_range(0..all.len())];
        }
        let has_all = classes
            .iter()
            .all(|class| drawn.iter().any(|character| class.contains(character)));
        if has_all {
            return Ok(Plaintext::from(drawn));
        }
    }
}
