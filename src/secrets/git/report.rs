//! What changed in one secret file, in words that need no plaintext.

use std::collections::BTreeSet;

use similar::TextDiff;

use super::textconv::name_of;
use crate::identity::{Identities, Plaintext};
use crate::secrets::repository::RecipientNames;
use crate::sops::{Comparison, DataKeyChange, Format, SealedFile, ValueChange};

/// What happened to a file as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileChange {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// Its contents differ, or who can read them.
    Changed,
    /// It was in the clear and is encrypted now.
    Encrypted,
    /// It was encrypted and is in the clear now.
    InTheClear,
}

/// How one secret file changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileDiff {
    /// The file, as git names it.
    pub file: String,
    /// What happened to it.
    pub change: FileChange,
    /// Its values, by key path.
    pub values: Vec<ValueChange>,
    /// Whether comments changed.
    pub comments: bool,
    /// Whether it has another data key, so that every ciphertext is new.
    pub rotated: bool,
    /// Whether values were compared, which needs a key; their ciphertext otherwise.
    pub opened: bool,
    /// Who can read it now and could not before, by name.
    pub gained: Vec<String>,
    /// Who could read it before and cannot now, by name.
    pub lost: Vec<String>,
    /// Versions that cannot be read or opened, and why.
    pub troubles: Vec<String>,
}

impl FileDiff {
    /// Whether nothing differs that a person would care for: ciphertext, times and the MAC alone.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.change == FileChange::Changed
            && self.values.is_empty()
            && !self.comments
            && !self.rotated
            && self.gained.is_empty()
            && self.lost.is_empty()
            && self.troubles.is_empty()
    }
}

enum Version {
    None,
    Sealed(Box<SealedFile>),
    Plain,
    Damaged(String),
}

impl Version {
    fn of(text: Option<&[u8]>, format: Format) -> Self {
        match text.map(|text| SealedFile::parse(text, format)) {
            None => Self::None,
            Some(Ok(sealed)) => Self::Sealed(Box::new(sealed)),
            Some(Err(crate::sops::ParseError::NotSealed)) => Self::Plain,
            Some(Err(error)) => Self::Damaged(error.to_string()),
        }
    }
}

/// Compares two versions of a file; nothing if neither is a secret file.
#[must_use]
pub fn compare_texts(
    file: &str,
    (before, after): (Option<&[u8]>, Option<&[u8]>),
    format: Format,
    (identities, names): (&Identities, &RecipientNames),
) -> Option<FileDiff> {
    let mut diff = FileDiff {
        file: file.to_owned(),
        change: FileChange::Changed,
        values: Vec::new(),
        comments: false,
        rotated: false,
        opened: false,
        gained: Vec::new(),
        lost: Vec::new(),
        troubles: Vec::new(),
    };
    let empty = BTreeSet::new();
    match (Version::of(before, format), Version::of(after, format)) {
        (Version::None, Version::Sealed(after)) => {
            diff.change = FileChange::Added;
            diff.readers(&empty, &readers(&after, names));
        }
        (Version::Sealed(before), Version::None) => {
            diff.change = FileChange::Removed;
            diff.readers(&readers(&before, names), &empty);
        }
        (Version::Plain, Version::Sealed(after)) => {
            diff.change = FileChange::Encrypted;
            diff.readers(&empty, &readers(&after, names));
        }
        (Version::Sealed(before), Version::Plain) => {
            diff.change = FileChange::InTheClear;
            diff.readers(&readers(&before, names), &empty);
        }
        (Version::Sealed(before), Version::Sealed(after)) => {
            diff.contents((&before, &after), identities);
            diff.readers(&readers(&before, names), &readers(&after, names));
        }
        (Version::Damaged(reason), Version::Sealed(_)) => {
            diff.troubles.push(format!("before: {reason}"));
        }
        (Version::Sealed(_), Version::Damaged(reason)) => {
            diff.troubles.push(format!("now: {reason}"));
        }
        _ => return None,
    }
    Some(diff)
}

impl FileDiff {
    fn contents(&mut self, (before, after): (&SealedFile, &SealedFile), identities: &Identities) {
        let comparison = match (before.open(identities), after.open(identities)) {
            (Ok(before), Ok(after)) => {
                self.opened = true;
                Comparison::of_opened(&before, &after)
            }
            (one, other) => {
                for (when, opened) in [("before", one), ("now", other)] {
                    // Who has no key wants the comparison; a file that is broken is another matter.
                    if let Err(error) = opened
                        && !matches!(error, crate::sops::OpenError::NotARecipient { .. })
                    {
                        self.troubles.push(format!("{when}: {error}"));
                    }
                }
                Comparison::of_sealed(before, after)
            }
        };
        self.values = comparison.values;
        self.comments = comparison.comments;
        self.rotated = comparison.data_key == DataKeyChange::Rotated;
    }

    fn readers(&mut self, before: &BTreeSet<String>, after: &BTreeSet<String>) {
        self.gained = after.difference(before).cloned().collect();
        self.lost = before.difference(after).cloned().collect();
    }
}

fn readers(file: &SealedFile, names: &RecipientNames) -> BTreeSet<String> {
    let keys = file.key_groups();
    keys.iter()
        .flatten()
        .map(|key| name_of(key, names))
        .collect()
}

/// A unified diff of two decrypted texts.
#[must_use]
pub fn unified(file: &str, before: &Plaintext, after: &Plaintext) -> Plaintext {
    let (before, after) = (
        String::from_utf8_lossy(before.expose()),
        String::from_utf8_lossy(after.expose()),
    );
    let diff = TextDiff::from_lines(before.as_ref(), after.as_ref());
    let (old, new) = (format!("a/{file}"), format!("b/{file}"));
    let text = diff.unified_diff().header(&old, &new).to_string();
    Plaintext::new(text.into_bytes())
}
