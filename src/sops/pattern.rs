//! Regular expressions of selectors and rules: what sops reads (Go's RE2), or an error. Never a guess: an expression that
//! matches something else than in sops would leave a secret readable, or encrypt it to other people.

mod class;
mod translate;

use regex::Regex;

/// A regular expression that means the same here and in sops. Searches are unanchored.
#[derive(Debug, Clone)]
pub struct Pattern(Regex);

/// A regular expression that is invalid, or that this program would read differently than sops.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// Not valid in sops.
    #[error("the regular expression `{pattern}` is not valid: {reason}")]
    Invalid {
        /// The expression.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Valid in sops, with a meaning that it would not have here.
    #[error(
        "the regular expression `{pattern}` uses `{part}`, which sops and this program read differently"
    )]
    Differs {
        /// The expression.
        pattern: String,
        /// The part.
        part: String,
    },
}

impl PatternError {
    /// How to go on.
    #[must_use]
    pub fn fix(&self) -> &'static str {
        match self {
            Self::Invalid { .. } => "correct it; `secrets/.*\\.ya?ml$` is a usual one",
            Self::Differs { .. } => {
                "write it with plain classes such as [0-9] and [A-Za-z0-9_], and `\\.` for a dot"
            }
        }
    }
}

impl Pattern {
    /// Reads an expression of `.sops.yaml` or of a file's metadata.
    pub fn new(pattern: &str) -> Result<Self, PatternError> {
        let translated = translate::translate(pattern)?;
        Regex::new(&translated)
            .map(Self)
            .map_err(|error| PatternError::Invalid {
                pattern: pattern.to_owned(),
                reason: last_line(&error.to_string()),
            })
    }

    /// Whether `text` has a part that matches.
    #[must_use]
    pub fn is_match(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

/// The regex crate draws the expression over several lines; the last one says what is wrong.
fn last_line(text: &str) -> String {
    let line = text.lines().last().unwrap_or_default();
    line.trim_start_matches("error: ").to_owned()
}

#[cfg(test)]
mod tests;
