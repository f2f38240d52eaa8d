//! Who can open the merged file, with which data key, and what of it is encrypted: the changes of both sides.

use super::marks::Side;
use super::versions::MergeError;
use super::weave::Three;
use crate::identity::Recipient;
use crate::sops::key_groups::{KeyEntry, KeyGroup, KeyGroups, KeyKind};
use crate::sops::sealed::SealedFile;
use crate::sops::selector::Selector;

/// What a version says about its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Keys {
    /// The keys of each group, sorted.
    groups: Vec<Vec<KeyEntry>>,
    threshold: Option<u8>,
}

impl Keys {
    pub(super) fn of(file: &SealedFile) -> Self {
        let mut groups = file.key_groups();
        for group in &mut groups {
            group.sort();
            group.dedup();
        }
        Self {
            groups,
            threshold: file.keys().threshold(),
        }
    }

    /// As a file is given them, the recipients of `file` first and in its order.
    pub(super) fn in_order_of(&self, file: &SealedFile) -> Result<KeyGroups, MergeError> {
        let found: Vec<KeyEntry> = file.key_groups().into_iter().flatten().collect();
        let groups = self.groups.iter().map(|group| {
            let mut sorted = group.clone();
            sorted.sort_by_key(|key| found.iter().position(|it| it == key).unwrap_or(usize::MAX));
            let mut keys = KeyGroup::default();
            for key in sorted {
                match (key.kind, Recipient::parse(&key.name)) {
                    (KeyKind::Age, Ok(recipient)) => keys.recipients.push(recipient),
                    _ => keys.others.push(key),
                }
            }
            keys
        });
        let threshold = usize::from(self.threshold.unwrap_or(0));
        KeyGroups::new(groups.collect(), threshold).map_err(|_no_keys| MergeError::NoRecipients)
    }
}

/// The side whose value counts; nothing where both changed it, each in another way.
pub(super) fn who_changed<T: PartialEq>(three: &Three<T>) -> Option<Side> {
    let Three { base, ours, theirs } = three;
    if ours == theirs || base.as_ref() == Some(theirs) {
        Some(Side::Ours)
    } else if base.as_ref() == Some(ours) {
        Some(Side::Theirs)
    } else {
        None
    }
}

/// The keys of the result: what either side added, without what either side took away.
pub(super) fn merged_keys(three: &Three<Keys>) -> Result<Keys, MergeError> {
    match who_changed(three) {
        Some(Side::Ours) => return Ok(three.ours.clone()),
        Some(Side::Theirs) => return Ok(three.theirs.clone()),
        None => {}
    }
    let ([ours], [theirs]) = (&three.ours.groups[..], &three.theirs.groups[..]) else {
        return Err(MergeError::KeyGroups);
    };
    let base = match three.base.as_ref().map(|base| &base.groups[..]) {
        None => None,
        Some([base]) => Some(base),
        Some(_) => return Err(MergeError::KeyGroups),
    };
    let stays = |key: &&KeyEntry| {
        let both = ours.contains(key) && theirs.contains(key);
        both || !base.is_some_and(|base| base.contains(key))
    };
    let mut group: Vec<KeyEntry> = ours.iter().chain(theirs).filter(stays).cloned().collect();
    group.sort();
    group.dedup();
    if group.is_empty() {
        return Err(MergeError::NoRecipients);
    }
    Ok(Keys {
        groups: vec![group],
        threshold: None,
    })
}

/// The selector of the result.
pub(super) fn merged_selector<'a>(three: &Three<&'a Selector>) -> Result<&'a Selector, MergeError> {
    match who_changed(three) {
        Some(Side::Ours) => Ok(three.ours),
        Some(Side::Theirs) => Ok(three.theirs),
        None => Err(MergeError::Selectors),
    }
}
