//! What is edited: a file that was opened, or a new one.

use crate::identity::Plaintext;
use crate::secrets::file::change::{Draft, seal};
use crate::secrets::file::error::{SecretFileError, SecretFileErrorKind};
use crate::secrets::file::recipe::Recipe;
use crate::sops::{Format, KeyGroups, OpenedFile, ParseError, SealError, first_marker};

/// A text that cannot be encrypted as it is.
#[derive(Debug, thiserror::Error)]
pub enum Mistake {
    /// It is not a document that a secret file can hold.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// It cannot be encrypted in this form.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// A conflict of a merge that is not settled.
    #[error("line {line}: there is still a conflict marker")]
    Marker {
        /// Line, from 1.
        line: usize,
    },
}

impl Mistake {
    /// How to go on.
    #[must_use]
    pub fn fix(&self) -> &'static str {
        match self {
            Self::Parse(error) => error.fix(),
            Self::Seal(error) => error.fix(),
            Self::Marker { .. } => {
                "keep what is right of each conflict, and take out the lines with <<<<<<<, ======= and >>>>>>>"
            }
        }
    }

    /// The line that it is about, from 1.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        match self {
            Self::Parse(error) | Self::Seal(SealError::Parse(error)) => line_of(error),
            Self::Seal(SealError::Content { line, .. }) | Self::Marker { line } => Some(*line),
            Self::Seal(_) => None,
        }
    }
}

fn line_of(error: &ParseError) -> Option<usize> {
    match error {
        ParseError::Syntax { line, .. }
        | ParseError::Shape { line, .. }
        | ParseError::Reserved { line, .. } => Some(*line),
        _ => None,
    }
}

/// What is being edited.
pub(super) enum Content {
    /// A file that was there.
    Opened(Box<OpenedFile>),
    /// A new one.
    New(Recipe),
    /// One that a merge left in conflict.
    Conflict {
        /// How it is sealed.
        opened: Box<OpenedFile>,
        /// What both sides have, between markers.
        text: Plaintext,
    },
}

/// A typed text that was not encrypted.
pub(super) enum Untaken {
    /// The person can put it right.
    Mistake(Mistake),
    /// They cannot, so that what they typed must be kept.
    Failed(SecretFileError),
}

impl Content {
    /// The text to begin with.
    pub(super) fn text(&self, format: Format) -> Plaintext {
        match self {
            Self::Opened(opened) => opened.plain_text(),
            Self::New(_) => Plaintext::new(example(format).to_vec()),
            Self::Conflict { text, .. } => Plaintext::new(text.expose().to_vec()),
        }
    }

    /// The line to begin at.
    pub(super) fn line(&self) -> Option<usize> {
        match self {
            Self::Conflict { text, .. } => first_marker(text.expose()),
            Self::Opened(_) | Self::New(_) => None,
        }
    }

    /// Whether the text must be saved even if it is left as it is: a merge that came out without a conflict.
    pub(super) fn is_to_be_saved(&self) -> bool {
        match self {
            Self::Conflict { text, .. } => first_marker(text.expose()).is_none(),
            Self::Opened(_) | Self::New(_) => false,
        }
    }

    /// The keys that a new file will have.
    pub(super) fn keys(&self) -> Option<&KeyGroups> {
        match self {
            Self::Opened(_) | Self::Conflict { .. } => None,
            Self::New(recipe) => Some(recipe.keys()),
        }
    }

    /// Encrypts `typed`.
    pub(super) fn take(&mut self, draft: &Draft<'_>, typed: &[u8]) -> Result<String, Untaken> {
        let failed = |error| sort(draft, error);
        let marker_left = self.line();
        match self {
            Self::Opened(opened) | Self::Conflict { opened, .. } => {
                if let Some(line) = marker_left.and(first_marker(typed)) {
                    return Err(Untaken::Mistake(Mistake::Marker { line }));
                }
                opened
                    .replace(typed)
                    .map_err(|error| Untaken::Mistake(error.into()))?;
                seal(opened).map_err(failed)
            }
            Self::New(recipe) => {
                let created = recipe.create(typed, draft.file.format()).map_err(failed)?;
                seal(&created).map_err(failed)
            }
        }
    }
}

/// Tells what a person can put right in the editor from what they cannot.
fn sort(draft: &Draft<'_>, error: SealError) -> Untaken {
    match error {
        SealError::Content { .. } | SealError::ReadBack { .. } | SealError::Parse(_) => {
            Untaken::Mistake(error.into())
        }
        error => Untaken::Failed(SecretFileError::new(
            "encrypt",
            draft.file.path(),
            SecretFileErrorKind::Seal(error),
        )),
    }
}

/// What a new secret file begins with.
fn example(format: Format) -> &'static [u8] {
    match format {
        Format::Yaml => b"example_key: example_value\n",
        Format::Json => b"{\n\t\"example_key\": \"example_value\"\n}\n",
        Format::Dotenv => b"example_key=example_value\n",
        Format::Ini => b"[example]\nexample_key = example_value\n",
        Format::Binary => b"replace this by the secret\n",
    }
}
