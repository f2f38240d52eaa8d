//! The `sops` entry: who can open the file, how its leaves are chosen, its MAC.

mod fields;
mod flat;
mod key_text;
mod layout;
mod new_keys;
mod text;

use self::fields::Fields;
pub(super) use self::layout::{FlatLine, MetadataLayout};
pub(super) use self::new_keys::{KeyChange, NewKeys};
pub(super) use self::text::{MetadataText, Stamp, VersionChange};

use super::cipher::DataKey;
use super::document::tree::Tree;
use super::error::{OpenError, ParseError};
use super::key_groups::KeyEntry;
use super::selector::{Chooser, Selector};
use super::shamir;
use super::time::Instant;
use crate::identity::{Effort, Identities, Plaintext, UnwrapAnyError, UnwrappedKey, WrappedKey};

const SHARE_BYTES: usize = 33;

/// The metadata of one file, read.
#[derive(Debug, Clone)]
pub(super) struct Metadata {
    pub(super) groups: Vec<KeyGroup>,
    pub(super) threshold: usize,
    pub(super) last_modified: Instant,
    pub(super) mac: Option<String>,
    pub(super) chooser: Chooser,
    pub(super) selector: Selector,
    pub(super) version: String,
}

/// The keys of which one must be at hand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct KeyGroup {
    pub(super) entries: Vec<AgeEntry>,
    /// Keys of other kinds.
    pub(super) others: Vec<OtherEntry>,
}

/// A key of another kind than age, with everything that its entry holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OtherEntry {
    pub(super) key: KeyEntry,
    content: Vec<(String, String)>,
}

/// One recipient's copy of the data key, or of the group's share of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AgeEntry {
    pub(super) recipient: String,
    pub(super) enc: String,
}

impl Metadata {
    /// Reads the `sops` entry of the first document.
    pub(super) fn read(tree: &Tree) -> Result<Self, ParseError> {
        let fields = Fields::of(tree)?;
        let last_modified = fields
            .text("lastmodified")?
            .ok_or_else(|| damaged("`lastmodified` is missing"))?;
        let last_modified = Instant::parse_rfc3339(&last_modified)
            .ok_or_else(|| damaged("`lastmodified` is not a time in RFC 3339 form"))?;
        let version = fields
            .text("version")?
            .ok_or_else(|| damaged("`version` is missing"))?;
        if !is_version(&version) {
            return Err(damaged("`version` is not of the form X.Y.Z"));
        }
        let selector = fields.selector()?;
        let chooser = Chooser::new(&selector).map_err(|error| damaged(&error.to_string()))?;
        Ok(Self {
            groups: fields.groups()?,
            threshold: fields.number("shamir_threshold")?,
            last_modified,
            mac: fields.text("mac")?.filter(|mac| !mac.is_empty()),
            chooser,
            selector,
            version,
        })
    }

    /// All keys, and how many groups of them are needed together.
    pub(super) fn keys(&self) -> (&[KeyGroup], usize) {
        (&self.groups, self.threshold)
    }

    /// Everybody with an age entry, in file order.
    pub(super) fn entries(&self) -> impl Iterator<Item = &AgeEntry> {
        self.groups.iter().flat_map(|group| &group.entries)
    }

    /// The associated data of the MAC.
    pub(super) fn mac_aad(&self) -> String {
        self.last_modified.without_fraction().to_string()
    }

    /// Opens the data key with whichever of `identities` fits.
    pub(super) fn data_key(&self, identities: &Identities) -> Result<DataKey, OpenError> {
        if let [group] = &self.groups[..] {
            let opened = group.open(identities, Effort::Everything)?;
            let opened = opened.ok_or_else(|| self.not_a_recipient())?;
            return DataKey::from_slice(opened.key.expose()).ok_or(OpenError::NotADataKey {
                recipient: opened.recipient,
                bytes: opened.key.len(),
            });
        }
        let needed = if self.threshold == 0 {
            self.groups.len()
        } else {
            self.threshold.max(2)
        };
        let shares = self.shares(identities, needed)?;
        match shares.len() {
            0 => return Err(self.not_a_recipient()),
            opened if opened < needed => {
                return Err(OpenError::TooFewGroups {
                    groups: self.groups.len(),
                    needed,
                    opened,
                });
            }
            _ => {}
        }
        let shares: Vec<&[u8]> = shares.iter().map(Plaintext::expose).collect();
        shamir::combine(&shares)
            .and_then(|key| DataKey::from_slice(&key))
            .ok_or(OpenError::Shares)
    }

    /// The shares of the groups that open; nobody is asked for a passphrase if enough open without.
    fn shares(&self, identities: &Identities, needed: usize) -> Result<Vec<Plaintext>, OpenError> {
        let mut shares: Vec<Plaintext> = Vec::new();
        let mut closed: Vec<&KeyGroup> = self.groups.iter().collect();
        for effort in [Effort::Unattended, Effort::Everything] {
            for group in std::mem::take(&mut closed) {
                if effort == Effort::Everything && shares.len() >= needed {
                    break;
                }
                let opened = match group.open(identities, effort) {
                    // Another key may still open the group, or other groups may do.
                    Err(_damaged) if effort == Effort::Unattended => None,
                    other => other?,
                };
                let Some(opened) = opened else {
                    closed.push(group);
                    continue;
                };
                if opened.key.len() != SHARE_BYTES {
                    return Err(OpenError::NotADataKey {
                        recipient: opened.recipient,
                        bytes: opened.key.len(),
                    });
                }
                shares.push(opened.key);
            }
        }
        Ok(shares)
    }

    fn not_a_recipient(&self) -> OpenError {
        OpenError::NotARecipient {
            recipients: self
                .entries()
                .map(|entry| entry.recipient.clone())
                .collect(),
        }
    }
}

impl KeyGroup {
    /// The first entry that opens. A damaged entry is only an error if nothing else opens.
    fn open(
        &self,
        identities: &Identities,
        effort: Effort,
    ) -> Result<Option<UnwrappedKey>, OpenError> {
        let wrapped: Vec<WrappedKey<'_>> = self
            .entries
            .iter()
            .map(|entry| WrappedKey {
                recipient: &entry.recipient,
                armored: &entry.enc,
            })
            .collect();
        match identities.unwrap_any(&wrapped, effort) {
            Ok(opened) => Ok(Some(opened)),
            Err(UnwrapAnyError {
                recipient: Some(recipient),
                source,
            }) => Err(OpenError::DamagedEntry { recipient, source }),
            Err(_for_somebody_else) => Ok(None),
        }
    }
}

/// `X.Y.Z` with an optional `v` and suffix; anything that starts with `1.`, as the Python versions wrote.
fn is_version(text: &str) -> bool {
    if text.starts_with("1.") {
        return true;
    }
    let text = text.strip_prefix('v').unwrap_or(text);
    let core = text.split(['-', '+']).next().unwrap_or_default();
    let parts: Vec<&str> = core.split('.').collect();
    parts.len() == 3
        && parts
            .iter()
            .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

fn damaged(reason: &str) -> ParseError {
    ParseError::Metadata {
        reason: reason.to_owned(),
    }
}
