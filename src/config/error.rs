//! What is wrong with a configuration: every error of one run, each at its place.

use std::collections::BTreeMap;
use std::fmt;

use super::{Origin, excerpt};
use crate::source::{RepoPath, Snapshot};

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

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Nothing comes of the host.
    Error,
    /// The host is what it would be without it.
    Warning,
}

/// Nobody reads more, and each one is laid out with its source line.
const MOST_ERRORS: usize = 200;

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
        let more = errors.len().saturating_sub(MOST_ERRORS);
        if more > 0 {
            errors.truncate(MOST_ERRORS);
            errors.push(ConfigError::new(format!(
                "{more} more errors are not shown"
            )));
        }
        Some(Self { errors, sources })
    }

    /// As [`from_run`](Self::from_run), with the files read from the snapshot that the errors are about.
    #[must_use]
    pub fn of_run(errors: Vec<ConfigError>, snapshot: &Snapshot) -> Option<Self> {
        let sources = Sources::of(&errors, snapshot);
        Self::from_run(errors, sources.files)
    }

    /// The errors, in file order.
    #[must_use]
    pub fn errors(&self) -> &[ConfigError] {
        &self.errors
    }

    /// One excerpt per error: message, source line with the place marked, cause and fix.
    #[must_use]
    pub fn excerpts(&self, colour: Colour) -> Vec<String> {
        self.excerpts_as(Severity::Error, colour)
    }

    /// As [`excerpts`](Self::excerpts), for what is an error or no more than a warning.
    #[must_use]
    pub fn excerpts_as(&self, severity: Severity, colour: Colour) -> Vec<String> {
        self.errors
            .iter()
            .map(|error| excerpt::render(error, severity, &self.sources, colour))
            .collect()
    }
}

/// The files that errors point into.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    files: BTreeMap<RepoPath, String>,
}

impl Sources {
    /// Reads the files that `errors` point into, each once.
    pub fn of<'e>(errors: impl IntoIterator<Item = &'e ConfigError>, snapshot: &Snapshot) -> Self {
        let mut files = BTreeMap::new();
        let marks = errors.into_iter().flat_map(|error| {
            let related = error.related.as_ref().map(|(mark, _)| mark);
            error.mark.iter().chain(related)
        });
        for mark in marks {
            let file = &mark.origin.file;
            if files.contains_key(file) {
                continue;
            }
            // An excerpt without its line is still an error with its place.
            if let Ok(Some(content)) = snapshot.read(file) {
                let text = String::from_utf8_lossy(&content).into_owned();
                files.insert(file.clone(), text);
            }
        }
        Self { files }
    }

    /// One error as text, with its source line.
    #[must_use]
    pub fn excerpt(&self, error: &ConfigError, severity: Severity, colour: Colour) -> String {
        excerpt::render(error, severity, &self.files, colour)
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
