//! What becomes of three versions of a file: merged values, values in conflict, or two whole files in conflict.

use crate::identity::Identities;
use crate::secrets::file::{SecretFileErrorKind, explain};
use crate::secrets::repository::RecipientNames;
use crate::sops::{Format, Markers, MergeError, ParseError, SealedFile, Side, Versions, merge};

/// Three versions of one file.
#[derive(Debug, Clone, Copy)]
pub struct MergeInput<'a> {
    /// The common ancestor; empty or nothing if both sides made the file.
    pub base: Option<&'a [u8]>,
    /// Ours.
    pub ours: &'a [u8],
    /// Theirs.
    pub theirs: &'a [u8],
    /// Their format.
    pub format: Format,
}

/// How conflicts are dealt with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolve {
    /// Left for a person, between markers.
    Mark(Markers),
    /// For one side.
    For(Side),
}

/// What a merge came to, and the text that the file gets.
#[derive(Debug)]
pub enum MergeOutcome {
    /// A whole file.
    Merged {
        /// The file.
        text: Vec<u8>,
    },
    /// Values in conflict, in ciphertext between markers.
    Conflict {
        /// The file.
        text: Vec<u8>,
        /// Their key paths.
        paths: Vec<Vec<String>>,
    },
    /// Both versions, one after the other between markers: they cannot be merged value by value.
    Whole {
        /// The file.
        text: Vec<u8>,
        /// Why not.
        reason: WholeReason,
    },
    /// None of the versions is encrypted: git's own merge of lines is right for them.
    NotSecret,
}

/// Why a file is in conflict as a whole.
#[derive(Debug, thiserror::Error)]
pub enum WholeReason {
    /// One version is encrypted, the other is not.
    #[error("{version} is not encrypted")]
    InTheClear {
        /// Which, in words.
        version: &'static str,
    },
    /// A version cannot be read.
    #[error("{version} cannot be read")]
    Unreadable {
        /// Which, in words.
        version: &'static str,
        /// What is wrong with it.
        source: ParseError,
    },
    /// No key that is here opens it.
    #[error("{version} does not open")]
    Closed {
        /// Which, in words.
        version: &'static str,
        /// Why not, with names.
        source: SecretFileErrorKind,
    },
    /// The versions do not fit together.
    #[error(transparent)]
    Merge(MergeError),
    /// The result cannot be sealed.
    #[error("the result cannot be encrypted")]
    Seal(#[source] crate::sops::SealError),
}

impl WholeReason {
    /// How to go on with `file`.
    #[must_use]
    pub fn fix(&self, file: &str) -> String {
        match self {
            Self::InTheClear { .. } => format!(
                "take the encrypted side with `git checkout --ours {file}` or `--theirs`; secrets that were in the clear must be changed"
            ),
            Self::Unreadable { .. } => format!(
                "take the other side with `git checkout --ours {file}` or `--theirs`, then make the other's changes again"
            ),
            Self::Closed { .. } => format!(
                "where a key for the file is, run `steadfast secrets merge {file}`; or take one side with `git checkout --ours {file}` or `--theirs`"
            ),
            Self::Merge(error) => error.fix().replace("FILE", file),
            Self::Seal(error) => error.fix().to_owned(),
        }
    }
}

/// Merges three versions of a file. Both sides are in what comes out, or its values are; nothing is dropped.
#[must_use]
pub fn merge_texts(
    input: &MergeInput<'_>,
    resolve: Resolve,
    (identities, names): (&Identities, &RecipientNames),
    now: &str,
) -> MergeOutcome {
    let base = input.base.filter(|base| !base.is_empty());
    let as_is = |text: &[u8]| MergeOutcome::Merged {
        text: text.to_vec(),
    };
    if input.ours == input.theirs || base == Some(input.theirs) {
        return as_is(input.ours);
    }
    if base == Some(input.ours) {
        return as_is(input.theirs);
    }
    match merged(input, base, resolve, (identities, names), now) {
        Ok(Some(outcome)) => outcome,
        Ok(None) => MergeOutcome::NotSecret,
        Err(reason) => {
            let markers = match resolve {
                Resolve::Mark(markers) => markers,
                Resolve::For(_) => Markers::default(),
            };
            MergeOutcome::Whole {
                text: markers.around(input.ours, input.theirs),
                reason: *reason,
            }
        }
    }
}

/// Nothing if no version is encrypted.
fn merged(
    input: &MergeInput<'_>,
    base: Option<&[u8]>,
    resolve: Resolve,
    (identities, names): (&Identities, &RecipientNames),
    now: &str,
) -> Result<Option<MergeOutcome>, Box<WholeReason>> {
    let read = |text: &[u8], version| match SealedFile::parse(text, input.format) {
        Ok(file) => Ok(Some(file)),
        Err(ParseError::NotSealed) => Ok(None),
        Err(source) => Err(Box::new(WholeReason::Unreadable { version, source })),
    };
    let ours = read(input.ours, OURS)?;
    let theirs = read(input.theirs, THEIRS)?;
    let base_file = match base {
        None => None,
        Some(text) => Some(read(text, BASE)?),
    };
    let (ours, theirs) = match (ours, theirs) {
        (None, None) => return Ok(None),
        (None, Some(_)) => return Err(WholeReason::InTheClear { version: OURS }.into()),
        (Some(_), None) => return Err(WholeReason::InTheClear { version: THEIRS }.into()),
        (Some(ours), Some(theirs)) => (ours, theirs),
    };
    let base_file = match base_file {
        None => None,
        Some(Some(base)) => Some(base),
        Some(None) => return Err(WholeReason::InTheClear { version: BASE }.into()),
    };
    let versions = Versions {
        base: base_file.as_ref(),
        ours: &ours,
        theirs: &theirs,
    };
    let merged = merge(&versions, identities)
        .map_err(|error| Box::new(of_merge(error, identities, names)))?;
    match merged.as_it_was() {
        Some(Side::Ours) => {
            return Ok(Some(MergeOutcome::Merged {
                text: input.ours.to_vec(),
            }));
        }
        Some(Side::Theirs) => {
            return Ok(Some(MergeOutcome::Merged {
                text: input.theirs.to_vec(),
            }));
        }
        None => {}
    }
    let paths = merged.conflicts().to_vec();
    let (text, paths) = match resolve {
        Resolve::Mark(markers) => (merged.seal(now, markers), paths),
        Resolve::For(side) => (merged.into_side(side).seal(now), Vec::new()),
    };
    let text = text
        .map_err(|error| Box::new(WholeReason::Seal(error)))?
        .into_bytes();
    Ok(Some(if paths.is_empty() {
        MergeOutcome::Merged { text }
    } else {
        MergeOutcome::Conflict { text, paths }
    }))
}

const OURS: &str = "our version";
const THEIRS: &str = "their version";
const BASE: &str = "the common ancestor";

fn of_merge(error: MergeError, identities: &Identities, names: &RecipientNames) -> WholeReason {
    match error {
        MergeError::Open { version, source } => WholeReason::Closed {
            version,
            source: explain(source, identities, names),
        },
        error => WholeReason::Merge(error),
    }
}
