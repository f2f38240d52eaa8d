//! What is wrong with a configuration: every error of one run, each at its place.

use std::collections::BTreeMap;
use std::fmt;

use super::{Origin, excerpt};
use crate::source::RepoPath;

/// A place in a file, with the number of characters to underline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Where it begins.
    pub origin: Origin,
    /// How many characters it is long; 0 stands for the word that begins there.
    pub length: usize,
}

impl From<&Origin> for Mark {
    fn from(origin: &Origin) -> Self {
        Self {
            origin: origin.clone(),
            length: 0,
        }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// What is wrong, lower case, no full stop.
    pub message: String,
    /// Where; `None` if it is about no line of a file.
    pub mark: Option<Mark>,
    /// A second place that has to do with it, and what it has to do with it.
    pub related: Option<(Mark, String)>,
    /// Why it is wrong, when the message does not say.
    pub cause: Option<String>,
    /// How to put it right.
    pub fix: Option<String>,
}

impl ConfigError {
    /// An error about no particular line.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            mark: None,
            related: None,
            cause: None,
            fix: None,
        }
    }

    /// Says where.
    #[must_use]
    pub fn at(mut self, mark: impl Into<Mark>) -> Self {
        self.mark = Some(mark.into());
        self
    }

    /// Names a second place.
    #[must_use]
    pub fn related(mut self, mark: impl Into<Mark>, label: impl Into<String>) -> Self {
        self.related = Some((mark.into(), label.into()));
        self
    }

    /// Says why.
    #[must_use]
    pub fn cause(mut self, cause: impl Into<String>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// Says how to put it right.
    #[must_use]
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(mark) = &self.mark {
            write!(f, "{}: ", mark.origin)?;
        }
        f.write_str(&self.message)
    }
}

/// Whether excerpts carry terminal colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// Plain text.
    Plain,
    /// ANSI escape sequences.
    Ansi,
}

/// Every error of one run; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigErrors {
    errors: Vec<ConfigError>,
    sources: BTreeMap<RepoPath, String>,
}

impl ConfigErrors {
    /// Takes the errors of a run and the files they point into; `None` if there are none.
    #[must_use]
    pub fn from_run(
        mut errors: Vec<ConfigError>,
        sources: BTreeMap<RepoPath, String>,
    ) -> Option<Self> {
        if errors.is_empty() {
            return None;
        }
        errors.sort_by(|a, b| place(a).cmp(&place(b)));
        errors.dedup();
        Some(Self { errors, sources })
    }

    /// The errors, in file order.
    #[must_use]
    pub fn errors(&self) -> &[ConfigError] {
        &self.errors
    }

    /// One excerpt per error: message, source line with the place marked, cause and fix.
    #[must_use]
    pub fn excerpts(&self, colour: Colour) -> Vec<String> {
        self.errors
            .iter()
            .map(|error| excerpt::render(error, &self.sources, colour))
            .collect()
    }
}

impl From<ConfigError> for ConfigErrors {
    fn from(error: ConfigError) -> Self {
        Self {
            errors: vec![error],
            sources: BTreeMap::new(),
        }
    }
}

fn place(error: &ConfigError) -> Option<&Origin> {
    error.mark.as_ref().map(|mark| &mark.origin)
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.errors.as_slice() {
            [] => f.write_str("the configuration has errors"),
            [only] => fmt::Display::fmt(only, f),
            [first, rest @ ..] => write!(
                f,
                "{} errors in the configuration; the first: {first}",
                rest.len() + 1
            ),
        }
    }
}

impl std::error::Error for ConfigErrors {}
