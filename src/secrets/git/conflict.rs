//! A secret file whose merge is not finished: from the three versions that git keeps, or from the markers in the file.

use std::path::PathBuf;

use super::worktree::{GitError, Worktree};
use crate::identity::Identities;
use crate::secrets::file::{
    self, Changed, EditFileError, EditSession, SecretFile, SecretFileError, SecretFileErrorKind,
    Setback, explain,
};
use crate::sops::{
    Markers, MergeError, Merged, OpenError, ParseError, SealedFile, Side, Versions, first_marker,
    merge, one_side,
};

/// What git's index has of a path in conflict.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stages {
    /// The common ancestor; nothing if both sides made the file.
    pub base: Option<Vec<u8>>,
    /// Ours; nothing if we removed it.
    pub ours: Option<Vec<u8>>,
    /// Theirs; nothing if they removed it.
    pub theirs: Option<Vec<u8>>,
}

/// The versions of the file that git names `name`; nothing if it is not in conflict.
pub fn stages(worktree: &Worktree, name: &str) -> Result<Option<Stages>, GitError> {
    let index = worktree.index()?;
    let at = |stage| -> Result<Option<Vec<u8>>, GitError> {
        let entry = index.get_path(std::path::Path::new(name), stage);
        entry.map_or(Ok(None), |entry| worktree.blob(entry.id))
    };
    let stages = Stages {
        base: at(1)?,
        ours: at(2)?,
        theirs: at(3)?,
    };
    Ok((stages != Stages::default()).then_some(stages))
}

/// A file in conflict, merged in memory as far as that goes.
#[expect(
    missing_debug_implementations,
    reason = "plaintext must not be printable"
)]
pub struct Conflict(Merged);

/// A file in conflict that cannot be taken apart.
#[derive(Debug, thiserror::Error)]
pub enum ConflictError {
    /// A version does not open.
    #[error(transparent)]
    File(#[from] SecretFileError),
    /// The versions do not fit together.
    #[error("cannot merge the two versions of {}", path.display())]
    Merge {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: MergeError,
    },
    /// The markers do not pair up, and git does not have the versions any more.
    #[error("the conflict markers in {} do not pair up, and git keeps no versions of it", path.display())]
    Markers {
        /// The file.
        path: PathBuf,
    },
}

impl ConflictError {
    /// How to go on.
    #[must_use]
    pub fn fix(&self) -> Option<String> {
        match self {
            Self::File(error) => error.fix(),
            Self::Merge { path, source } => {
                Some(source.fix().replace("FILE", &path.display().to_string()))
            }
            Self::Markers { path } => Some(format!(
                "`git checkout --merge {}` puts the conflict back",
                path.display()
            )),
        }
    }
}

/// What is in conflict in `file`; nothing if it is a whole secret file, or not there.
///
/// What counts are git's three versions: they are merged again, whatever was done to the file meanwhile. Only where git has
/// none, because the file was added with its markers, the two sides are read from between the markers.
pub fn conflict_in(
    file: &SecretFile<'_>,
    identities: &Identities,
) -> Result<Option<Conflict>, ConflictError> {
    let failed = |kind| SecretFileError::new("open", file.path(), kind);
    let text = file
        .read()
        .map_err(|error| failed(SecretFileErrorKind::File(error)))?;
    let Some(text) = text else { return Ok(None) };
    if first_marker(&text).is_none() || SealedFile::parse(&text, file.format()).is_ok() {
        return Ok(None);
    }
    // Markers without git are a conflict all the same.
    let versions = Worktree::find(file.path().parent().unwrap_or(file.path()))
        .and_then(|worktree| stages(&worktree, &worktree.name_of(file.path())?))
        .ok()
        .flatten();
    let merged = match versions {
        Some(Stages {
            base,
            ours: Some(ours),
            theirs: Some(theirs),
        }) => of_stages(file, (base.as_deref(), &ours, &theirs), identities)?,
        _ => of_markers(file, &text, identities)?,
    };
    Ok(Some(Conflict(merged)))
}

fn of_stages(
    file: &SecretFile<'_>,
    (base, ours, theirs): (Option<&[u8]>, &[u8], &[u8]),
    identities: &Identities,
) -> Result<Merged, ConflictError> {
    let base = base.map(|text| parse(file, text)).transpose()?;
    let versions = Versions {
        base: base.as_ref(),
        ours: &parse(file, ours)?,
        theirs: &parse(file, theirs)?,
    };
    merge(&versions, identities).map_err(|error| match error {
        MergeError::Open { source, .. } => closed(file, source, identities),
        source => ConflictError::Merge {
            path: file.path().to_owned(),
            source,
        },
    })
}

/// The MAC is that of our side; of theirs every value is still of this file.
fn of_markers(
    file: &SecretFile<'_>,
    text: &[u8],
    identities: &Identities,
) -> Result<Merged, ConflictError> {
    let side = |side| -> Result<SealedFile, ConflictError> {
        let text = one_side(text, side).ok_or_else(|| ConflictError::Markers {
            path: file.path().to_owned(),
        })?;
        Ok(parse(file, &text)?)
    };
    let (ours, theirs) = (side(Side::Ours)?, side(Side::Theirs)?);
    let ours = ours
        .open(identities)
        .map_err(|error| closed(file, error, identities))?;
    let theirs = theirs
        .open_unverified(identities)
        .map_err(|error| closed(file, error, identities))?;
    Ok(Merged::of_sides(ours, theirs))
}

fn parse(file: &SecretFile<'_>, text: &[u8]) -> Result<SealedFile, SecretFileError> {
    let failed = |error: ParseError| {
        SecretFileError::new(
            "read a version of",
            file.path(),
            SecretFileErrorKind::Parse(error),
        )
    };
    SealedFile::parse(text, file.format()).map_err(failed)
}

fn closed(file: &SecretFile<'_>, error: OpenError, identities: &Identities) -> ConflictError {
    let kind = explain(error, identities, &file.names());
    SecretFileError::new("open", file.path(), kind).into()
}

/// Opens a conflict in the editor: both versions decrypted, between markers around what is in conflict alone. Seals what is
/// typed as a whole file; a text in which markers are left is not taken.
#[expect(
    clippy::result_large_err,
    reason = "it is made once, when a session ends"
)]
pub fn edit_conflict(
    session: &EditSession<'_>,
    Conflict(merged): Conflict,
    ask: &mut dyn FnMut(&Setback) -> file::Again,
) -> Result<Changed, EditFileError> {
    let text = merged.plain_text(Markers::default());
    file::edit_merged(session, (merged.into_side(Side::Ours), text), ask)
}
