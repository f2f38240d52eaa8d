//! Key groups: which keys shall be able to open a file, and how many groups of them are needed together.

use std::fmt;

use crate::identity::Recipient;

/// The kinds of keys that SOPS knows, by the names of their lists in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyKind {
    /// age and SSH keys: the only ones that are used here.
    Age,
    /// OpenPGP.
    Pgp,
    /// AWS KMS.
    Kms,
    /// Google Cloud KMS.
    GcpKms,
    /// Huawei Cloud KMS.
    Hckms,
    /// Azure Key Vault.
    AzureKv,
    /// `HashiCorp` Vault.
    HcVault,
}

impl KeyKind {
    /// All kinds, in the order in which sops lists them.
    pub const ALL: [Self; 7] = [
        Self::Age,
        Self::Pgp,
        Self::Kms,
        Self::GcpKms,
        Self::Hckms,
        Self::AzureKv,
        Self::HcVault,
    ];

    /// The name of the list in a file's metadata.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Age => "age",
            Self::Pgp => "pgp",
            Self::Kms => "kms",
            Self::GcpKms => "gcp_kms",
            Self::Hckms => "hckms",
            Self::AzureKv => "azure_kv",
            Self::HcVault => "hc_vault",
        }
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One key as a file or a rule names it, whatever its kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyEntry {
    /// Its kind.
    pub kind: KeyKind,
    /// The recipient, fingerprint, ARN or address, as sops prints it.
    pub name: String,
}

impl fmt::Display for KeyEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            KeyKind::Age => f.write_str(&self.name),
            kind => write!(f, "{kind} {}", self.name),
        }
    }
}

/// Keys of which any one stands for its group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyGroup {
    /// Keys that a data key can be encrypted to.
    pub recipients: Vec<Recipient>,
    /// Keys that it cannot be encrypted to here: of other kinds, or age recipients that this build does not know.
    ///
    /// A file that has such a key keeps its entry, as long as its data key stays.
    pub others: Vec<KeyEntry>,
}

impl KeyGroup {
    /// A group of recipients alone.
    pub fn of(recipients: impl IntoIterator<Item = Recipient>) -> Self {
        Self {
            recipients: recipients.into_iter().collect(),
            others: Vec::new(),
        }
    }

    /// Whether the group has no key, so that nothing could stand for it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.recipients.is_empty() && self.others.is_empty()
    }
}

/// The keys of a file: one group, or several of which a number is needed together (Shamir's secret sharing).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyGroups {
    groups: Vec<KeyGroup>,
    threshold: Option<u8>,
}

/// Key groups that no file can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyGroupsError {
    /// More than Shamir's scheme has room for.
    #[error("there are {groups} key groups; 255 is the most")]
    TooMany {
        /// How many.
        groups: usize,
    },
    /// No key at all.
    #[error("there is no key")]
    NoKeys,
    /// A group without a key.
    #[error("key group {number} has no key")]
    EmptyGroup {
        /// Which, from 1.
        number: usize,
    },
    /// A threshold that cannot be met, or that protects nothing.
    #[error(
        "the threshold is {threshold}, and there are {groups} key groups; it must be from 2 to {groups}"
    )]
    Threshold {
        /// What was asked for.
        threshold: usize,
        /// How many groups there are.
        groups: usize,
    },
}

impl KeyGroupsError {
    /// How to go on.
    #[must_use]
    pub fn fix(&self) -> &'static str {
        match self {
            Self::TooMany { .. } => "put keys of which one suffices into one group",
            Self::NoKeys => "add an `age:` list",
            Self::EmptyGroup { .. } => "add a key to the group, or take the group out",
            Self::Threshold { .. } => {
                "set `shamir_threshold` to the number of groups whose keys shall be needed together"
            }
        }
    }
}

impl KeyGroups {
    /// One group: any one of `recipients` opens the file.
    pub fn one(recipients: impl IntoIterator<Item = Recipient>) -> Self {
        Self {
            groups: vec![KeyGroup::of(recipients)],
            threshold: None,
        }
    }

    /// Groups of which `threshold` are needed together; 0 stands for all of them. With one group it has no meaning.
    ///
    /// # Errors
    /// [`KeyGroupsError`] unless every group has a key and 2 ≤ threshold ≤ groups ≤ 255.
    pub fn new(groups: Vec<KeyGroup>, threshold: usize) -> Result<Self, KeyGroupsError> {
        if groups.is_empty() {
            return Err(KeyGroupsError::NoKeys);
        }
        if groups.len() > usize::from(u8::MAX) {
            return Err(KeyGroupsError::TooMany {
                groups: groups.len(),
            });
        }
        if let Some(empty) = groups.iter().position(KeyGroup::is_empty) {
            return Err(match groups.len() {
                1 => KeyGroupsError::NoKeys,
                _ => KeyGroupsError::EmptyGroup { number: empty + 1 },
            });
        }
        let usable = threshold == 0 || groups.len() == 1 || (2..=groups.len()).contains(&threshold);
        let threshold_byte = u8::try_from(threshold).ok().filter(|_| usable);
        match threshold_byte {
            Some(byte) => Ok(Self {
                threshold: (byte != 0 && groups.len() > 1).then_some(byte),
                groups,
            }),
            None => Err(KeyGroupsError::Threshold {
                threshold,
                groups: groups.len(),
            }),
        }
    }

    /// As a file has them, which may have a threshold that makes no sense.
    pub(super) fn of_file(groups: Vec<KeyGroup>, threshold: usize) -> Self {
        let all = groups.len();
        let threshold = if threshold == 0 {
            all
        } else {
            threshold.clamp(2, all.max(2))
        };
        Self {
            threshold: u8::try_from(threshold).ok().filter(|_| groups.len() > 1),
            groups,
        }
    }

    /// The groups, at least one.
    #[must_use]
    pub fn groups(&self) -> &[KeyGroup] {
        &self.groups
    }

    /// How many groups are needed together, if that was said; all of them otherwise.
    #[must_use]
    pub fn threshold(&self) -> Option<u8> {
        self.threshold
    }

    /// The recipients of all groups.
    pub fn recipients(&self) -> impl Iterator<Item = &Recipient> {
        self.groups.iter().flat_map(|group| &group.recipients)
    }

    /// The keys of all groups that nothing can be encrypted to here.
    pub fn others(&self) -> impl Iterator<Item = &KeyEntry> {
        self.groups.iter().flat_map(|group| &group.others)
    }
}

impl From<Recipient> for KeyGroups {
    fn from(recipient: Recipient) -> Self {
        Self::one([recipient])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group() -> KeyGroup {
        let text = "age1ng0fdfkz7kyqkdhu8quts5gm7j4yjudzmw2z0utl06sne5vqd5lqnyp9ga";
        KeyGroup::of([Recipient::parse(text).unwrap()])
    }

    #[test]
    fn groups_that_no_file_can_have_are_refused() {
        let new = |groups: usize, threshold| {
            KeyGroups::new(vec![group(); groups], threshold).map(|groups| groups.threshold())
        };
        let refused = |threshold, groups| Err(KeyGroupsError::Threshold { threshold, groups });
        assert_eq!(new(0, 0), Err(KeyGroupsError::NoKeys));
        assert_eq!(new(1, 0), Ok(None));
        assert_eq!(new(1, 3), Ok(None));
        assert_eq!(new(3, 0), Ok(None));
        assert_eq!(new(3, 2), Ok(Some(2)));
        assert_eq!(new(3, 3), Ok(Some(3)));
        assert_eq!(new(3, 1), refused(1, 3));
        assert_eq!(new(3, 4), refused(4, 3));
        assert_eq!(new(3, 258), refused(258, 3));
        assert_eq!(new(255, 255), Ok(Some(255)));
        assert_eq!(new(256, 2), Err(KeyGroupsError::TooMany { groups: 256 }));
        let with_empty = KeyGroups::new(vec![group(), KeyGroup::default()], 0);
        assert_eq!(with_empty, Err(KeyGroupsError::EmptyGroup { number: 2 }));
    }
}
