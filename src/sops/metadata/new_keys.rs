//! What a change of keys writes: entries that are kept, and the data key or its shares encrypted anew.

use rand::rngs::OsRng;

use super::{KeyGroup, Metadata};
use crate::identity::Recipient;
use crate::sops::cipher::DataKey;
use crate::sops::error::SealError;
use crate::sops::key_groups::{KeyEntry, KeyGroups, KeyKind};
use crate::sops::shamir;

/// A recipient with the data key, or a share of it, encrypted to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sops) struct NewEntry {
    pub(in crate::sops) recipient: String,
    /// Armored.
    pub(in crate::sops) enc: String,
}

/// All keys of a file, encrypted to anew: one group has the data key itself, several have a share each.
#[derive(Debug)]
pub(in crate::sops) struct NewKeys {
    pub(super) groups: Vec<Vec<NewEntry>>,
    /// How many groups are needed together; only with several.
    pub(super) threshold: Option<u8>,
}

/// How the keys of a file change while its data key stays.
#[derive(Debug)]
pub(in crate::sops) enum KeyChange {
    /// One group before and after: entries of `kept` stay as they are.
    Entries {
        kept: Vec<KeyEntry>,
        new: Vec<NewEntry>,
    },
    /// Shares that are made anew fit no share that was there before, so nothing can be kept.
    Anew(NewKeys),
}

impl NewKeys {
    /// Encrypts `key` to all of `keys`.
    pub(in crate::sops) fn wrap(keys: &KeyGroups, key: &DataKey) -> Result<Self, SealError> {
        if let Some(other) = keys.others().next() {
            return Err(SealError::ForeignKey { key: other.clone() });
        }
        let groups = keys.groups();
        if groups.is_empty() || groups.iter().any(crate::sops::KeyGroup::is_empty) {
            return Err(SealError::NoRecipients);
        }
        if let [group] = groups {
            return Ok(Self {
                groups: vec![wrap_all(&group.recipients, key.expose())?],
                threshold: None,
            });
        }
        let count = u8::try_from(groups.len()).map_err(|_too_many| SealError::Shares)?;
        let threshold = keys.threshold().unwrap_or(count);
        let shares =
            shamir::split(key.expose(), (count, threshold), &mut OsRng).ok_or(SealError::Shares)?;
        let groups = groups
            .iter()
            .zip(&shares)
            .map(|(group, share)| wrap_all(&group.recipients, share))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            groups,
            threshold: Some(threshold),
        })
    }

    /// Whether `groups` and `threshold`, read back, are these.
    pub(super) fn are(&self, groups: &[KeyGroup], threshold: usize) -> bool {
        self.threshold.map_or(0, usize::from) == threshold
            && self.groups.len() == groups.len()
            && self.groups.iter().zip(groups).all(|(new, read)| {
                read.others.is_empty()
                    && new.len() == read.entries.len()
                    && new.iter().zip(&read.entries).all(|(new, read)| {
                        new.recipient == read.recipient && new.enc.trim() == read.enc.trim()
                    })
            })
    }
}

impl KeyChange {
    /// What to write so that a file with `before` has exactly `keys`, with its data `key` as it is.
    pub(in crate::sops) fn plan(
        before: &Metadata,
        keys: &KeyGroups,
        key: &DataKey,
    ) -> Result<Self, SealError> {
        let ([old], [wanted]) = (&before.groups[..], keys.groups()) else {
            return NewKeys::wrap(keys, key).map(Self::Anew);
        };
        if wanted.is_empty() {
            return Err(SealError::NoRecipients);
        }
        let mut kept = Vec::new();
        let mut missing = Vec::new();
        let there: Vec<(String, &str)> = old
            .entries
            .iter()
            .map(|entry| (key_of(&entry.recipient), entry.recipient.as_str()))
            .collect();
        for recipient in &wanted.recipients {
            let key = recipient.key();
            match there.iter().find(|(there, _)| *there == key) {
                Some((_, text)) => kept.push(KeyEntry {
                    kind: KeyKind::Age,
                    name: (*text).to_owned(),
                }),
                None => missing.push(recipient.clone()),
            }
        }
        for other in &wanted.others {
            let is_there = match other.kind {
                KeyKind::Age => there.iter().any(|(_, text)| *text == other.name),
                _ => old.others.iter().any(|entry| entry.key == *other),
            };
            if !is_there {
                return Err(SealError::ForeignKey { key: other.clone() });
            }
            kept.push(other.clone());
        }
        let new = wrap_all(&missing, key.expose())?;
        Ok(Self::Entries { kept, new })
    }

    /// Whether `after`, groups and threshold read back, is what this change makes of `before`.
    pub(in crate::sops) fn leads(
        &self,
        before: (&[KeyGroup], usize),
        after: (&[KeyGroup], usize),
    ) -> bool {
        let (kept, new) = match self {
            Self::Anew(keys) => return keys.are(after.0, after.1),
            Self::Entries { kept, new } => (kept, new),
        };
        let (([before], threshold), ([after], same)) = (before, after) else {
            return false;
        };
        if threshold != same {
            return false;
        }
        let is_kept = |kind, name: &str| {
            kept.iter()
                .any(|kept| kept.kind == kind && kept.name == name)
        };
        let mut expected: Vec<(&str, &str)> = before
            .entries
            .iter()
            .filter(|entry| is_kept(KeyKind::Age, &entry.recipient))
            .map(|entry| (entry.recipient.as_str(), entry.enc.trim()))
            .chain(
                new.iter()
                    .map(|new| (new.recipient.as_str(), new.enc.trim())),
            )
            .collect();
        let mut found: Vec<(&str, &str)> = after
            .entries
            .iter()
            .map(|entry| (entry.recipient.as_str(), entry.enc.trim()))
            .collect();
        expected.sort_unstable();
        found.sort_unstable();
        let others = before
            .others
            .iter()
            .filter(|entry| is_kept(entry.key.kind, &entry.key.name));
        expected == found
            && others.eq(&after.others)
            && !found.is_empty() | !after.others.is_empty()
    }
}

/// Encrypts `secret` to each of `recipients` once.
fn wrap_all(recipients: &[Recipient], secret: &[u8]) -> Result<Vec<NewEntry>, SealError> {
    let mut entries: Vec<NewEntry> = Vec::with_capacity(recipients.len());
    for (position, recipient) in recipients.iter().enumerate() {
        if !recipients[..position].contains(recipient) {
            entries.push(NewEntry {
                recipient: recipient.as_str().trim().to_owned(),
                enc: recipient.wrap(secret)?,
            });
        }
    }
    Ok(entries)
}

/// What a recipient of a file is compared by: its key, without an SSH key's comment.
fn key_of(text: &str) -> String {
    Recipient::parse(text).map_or_else(|_not_usable| text.to_owned(), |recipient| recipient.key())
}
