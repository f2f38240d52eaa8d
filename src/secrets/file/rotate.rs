//! A new data key for one file, and recipients added or removed with it.

use super::SecretFile;
use super::change::{Access, ChangeError, Changed, Draft, seal};
use super::error::{SecretFileError, SecretFileErrorKind};
use crate::identity::Recipient;
use crate::sops::{KeyGroup, KeyGroups, SealedFile};

/// Who is added and who is removed when a file gets a new data key.
#[derive(Debug, Clone, Default)]
pub struct RecipientChange {
    /// Recipients that are added to the first key group.
    pub add: Vec<Recipient>,
    /// Recipients that are removed from all groups, as the file spells them.
    pub remove: Vec<String>,
}

/// A rotation that was not made; the file is as it was.
#[derive(Debug, thiserror::Error)]
pub enum RotateError {
    /// The file does not open, or cannot be written.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// Somebody is to be removed who has no access.
    #[error("`{recipient}` is no recipient of the file, so it cannot be removed")]
    NoSuchRecipient {
        /// Who.
        recipient: String,
    },
    /// Nobody would be left.
    #[error("the keys that would be left cannot be used")]
    Keys(#[source] crate::sops::KeyGroupsError),
}

impl From<SecretFileError> for RotateError {
    fn from(error: SecretFileError) -> Self {
        Self::Change(error.into())
    }
}

impl RotateError {
    /// How to go on.
    #[must_use]
    pub fn fix(&self) -> Option<String> {
        match self {
            Self::Change(error) => error.fix(),
            Self::NoSuchRecipient { .. } => {
                Some("`steadfast secrets list` shows who can read which file".to_owned())
            }
            Self::Keys(error) => Some(error.fix().to_owned()),
        }
    }
}

/// Gives the file a new data key in place: every value is encrypted anew.
pub fn rotate(
    file: &SecretFile<'_>,
    change: &RecipientChange,
    access: Access<'_>,
) -> Result<Changed, RotateError> {
    let draft = Draft::begin(file)?;
    let Some(text) = draft.before() else {
        return Err(draft.failed("change", SecretFileErrorKind::Missing).into());
    };
    let sealed = rotated(file, text, change, access)?;
    let written = draft.write(&sealed);
    Ok(written.map_err(|error| draft.failed("write", error.into()))?)
}

/// The sealed `text` of the file with a new data key.
pub fn rotated(
    file: &SecretFile<'_>,
    text: &[u8],
    change: &RecipientChange,
    access: Access<'_>,
) -> Result<String, RotateError> {
    let failed = |kind| SecretFileError::new("rotate", file.path(), kind);
    let sealed = SealedFile::parse(text, file.format())
        .map_err(|error| failed(SecretFileErrorKind::Parse(error)))?;
    let keys = changed_keys(&sealed.keys(), change)?;
    let mut opened = file.open_text(text, access.identities, access.mac)?;
    opened
        .rotate(&keys)
        .map_err(|error| failed(SecretFileErrorKind::Seal(error)))?;
    Ok(seal(&opened).map_err(|error| failed(SecretFileErrorKind::Seal(error)))?)
}

fn changed_keys(keys: &KeyGroups, change: &RecipientChange) -> Result<KeyGroups, RotateError> {
    let mut groups: Vec<KeyGroup> = keys.groups().to_vec();
    for removed in &change.remove {
        let mut found = false;
        for group in &mut groups {
            let before = group.recipients.len() + group.others.len();
            group.recipients.retain(|it| it.as_str().trim() != removed);
            group.others.retain(|it| it.name != *removed);
            found |= group.recipients.len() + group.others.len() < before;
        }
        if !found {
            return Err(RotateError::NoSuchRecipient {
                recipient: removed.clone(),
            });
        }
    }
    if let Some(first) = groups.first_mut() {
        for added in &change.add {
            if !first.recipients.contains(added) {
                first.recipients.push(added.clone());
            }
        }
    }
    groups.retain(|group| !group.is_empty());
    let threshold = keys.threshold().map_or(0, usize::from);
    KeyGroups::new(groups, threshold).map_err(RotateError::Keys)
}
