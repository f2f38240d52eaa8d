//! The `sops` entry: who can open the file, how its leaves are chosen, its MAC.

mod text;

pub(super) use text::{MetadataText, NewEntry, Stamp, VersionChange};

use super::cipher::DataKey;
use super::document::tree::{Collection, NodeId, Shape, Tree};
use super::error::{OpenError, ParseError};
use super::key_groups::{KeyEntry, KeyKind};
use super::selector::{Chooser, MacScope, Selector, SelectorRule};
use super::shamir;
use super::time::Instant;
use super::value::{Value, parse_bool};
use super::walk::METADATA_KEY;
use crate::identity::{Identities, Plaintext, UnwrapError};

const SHARE_BYTES: usize = 33;
const MOST_GROUPS: usize = 255;

/// The metadata of one file, read.
#[derive(Debug, Clone)]
pub(super) struct Metadata {
    pub(super) groups: Vec<KeyGroup>,
    pub(super) threshold: usize,
    pub(super) last_modified: Instant,
    pub(super) mac: Option<String>,
    pub(super) chooser: Chooser,
    pub(super) version: String,
}

/// The keys of which one must be at hand.
#[derive(Debug, Clone, Default)]
pub(super) struct KeyGroup {
    pub(super) entries: Vec<AgeEntry>,
    /// Keys of other kinds.
    pub(super) others: Vec<KeyEntry>,
}

/// One recipient's copy of the data key, or of the group's share of it.
#[derive(Debug, Clone)]
pub(super) struct AgeEntry {
    pub(super) recipient: String,
    pub(super) enc: String,
}

impl Metadata {
    /// Reads the `sops` entry of the first document.
    pub(super) fn read(tree: &Tree) -> Result<Self, ParseError> {
        let root = tree.documents.first().ok_or(ParseError::Empty)?.root;
        let node = tree
            .child(root, METADATA_KEY)
            .ok_or(ParseError::NotSealed)?
            .value;
        let fields = Fields {
            tree,
            node: tree.target(node),
        };
        if fields.map().is_none() {
            return Err(damaged("it is not a map"));
        }
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
        let chooser = Chooser::new(&fields.selector()?).map_err(|reason| damaged(&reason))?;
        Ok(Self {
            groups: fields.groups()?,
            threshold: fields.number("shamir_threshold")?,
            last_modified,
            mac: fields.text("mac")?.filter(|mac| !mac.is_empty()),
            chooser,
            version,
        })
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
            let (recipient, bytes) = group
                .open(identities)?
                .ok_or_else(|| self.not_a_recipient())?;
            return DataKey::from_slice(bytes.expose()).ok_or(OpenError::NotADataKey {
                recipient,
                bytes: bytes.len(),
            });
        }
        let mut shares: Vec<Plaintext> = Vec::new();
        for group in &self.groups {
            if let Some((recipient, share)) = group.open(identities)? {
                if share.len() != SHARE_BYTES {
                    return Err(OpenError::NotADataKey {
                        recipient,
                        bytes: share.len(),
                    });
                }
                shares.push(share);
            }
        }
        let needed = if self.threshold == 0 {
            self.groups.len()
        } else {
            self.threshold.max(2)
        };
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
    fn open(&self, identities: &Identities) -> Result<Option<(String, Plaintext)>, OpenError> {
        let mut damaged = None;
        for entry in &self.entries {
            match identities.unwrap(entry.enc.trim()) {
                Ok(bytes) => return Ok(Some((entry.recipient.clone(), bytes))),
                Err(UnwrapError::NotForUs | UnwrapError::NoIdentity) => {}
                Err(source) => {
                    damaged.get_or_insert(OpenError::DamagedEntry {
                        recipient: entry.recipient.clone(),
                        source,
                    });
                }
            }
        }
        damaged.map_or(Ok(None), Err)
    }
}

struct Fields<'a> {
    tree: &'a Tree,
    node: NodeId,
}

impl<'a> Fields<'a> {
    fn map(&self) -> Option<&'a Collection> {
        self.tree
            .collection(self.node)
            .filter(|c| c.shape == Shape::Map)
    }

    /// The value of a field; a null is no value.
    fn field(&self, name: &str) -> Option<NodeId> {
        self.map()?;
        let id = self.tree.target(self.tree.child(self.node, name)?.value);
        match self.tree.value(id) {
            Some(Ok(Value::Null)) => None,
            _ => Some(id),
        }
    }

    /// A field as text, however it is typed: an unquoted time is a string here too.
    fn text(&self, name: &str) -> Result<Option<String>, ParseError> {
        let Some(id) = self.field(name) else {
            return Ok(None);
        };
        match self.tree.scalar(id) {
            Some(scalar) => Ok(Some(scalar.text.to_string())),
            None => Err(damaged(&format!("`{name}` is not a single value"))),
        }
    }

    fn number(&self, name: &str) -> Result<usize, ParseError> {
        match self.text(name)? {
            None => Ok(0),
            Some(text) => text
                .parse()
                .ok()
                .filter(|number| *number <= MOST_GROUPS)
                .ok_or_else(|| damaged(&format!("`{name}` is not a number from 0 to 255"))),
        }
    }

    fn list(&self, name: &str) -> Result<Vec<Fields<'a>>, ParseError> {
        let Some(id) = self.field(name) else {
            return Ok(Vec::new());
        };
        let list = self
            .tree
            .collection(id)
            .filter(|collection| collection.shape == Shape::List)
            .ok_or_else(|| damaged(&format!("`{name}` is not a list")))?;
        let fields = list.entries().map(|entry| Fields {
            tree: self.tree,
            node: self.tree.target(entry.value),
        });
        Ok(fields.collect())
    }

    fn selector(&self) -> Result<Selector, ParseError> {
        let mut rules = Vec::new();
        for name in SelectorRule::FIELDS {
            if let Some(text) = self.text(name)?.filter(|text| !text.is_empty()) {
                rules.extend(SelectorRule::from_field(name, &text));
            }
        }
        if rules.len() > 1 {
            return Err(damaged("it has more than one selector"));
        }
        let only_encrypted = match self.text("mac_only_encrypted")? {
            Some(text) => parse_bool(&text)
                .ok_or_else(|| damaged("`mac_only_encrypted` is neither true nor false"))?,
            None => false,
        };
        Ok(Selector {
            rule: rules.pop().unwrap_or_default(),
            mac_scope: if only_encrypted {
                MacScope::OnlyEncrypted
            } else {
                MacScope::Everything
            },
        })
    }

    /// Flat key lists if any is filled, else `key_groups`.
    fn groups(&self) -> Result<Vec<KeyGroup>, ParseError> {
        let mut flat = false;
        for kind in KeyKind::ALL {
            flat |= !self.list(kind.as_str())?.is_empty();
        }
        let groups = if flat {
            vec![self.group()?]
        } else {
            let groups = self.list("key_groups")?;
            groups
                .iter()
                .map(Fields::group)
                .collect::<Result<Vec<_>, _>>()?
        };
        match groups.len() {
            0 => Err(damaged("it names no key")),
            1..=MOST_GROUPS => Ok(groups),
            _ => Err(damaged("it has more than 255 key groups")),
        }
    }

    fn group(&self) -> Result<KeyGroup, ParseError> {
        let mut group = KeyGroup::default();
        for fields in self.list("age")? {
            let field = |name: &str| {
                fields
                    .text(name)?
                    .ok_or_else(|| damaged(&format!("an entry of `age` has no `{name}`")))
            };
            group.entries.push(AgeEntry {
                recipient: field("recipient")?.trim().to_owned(),
                enc: field("enc")?,
            });
        }
        for kind in KeyKind::ALL {
            if kind != KeyKind::Age {
                for fields in self.list(kind.as_str())? {
                    let name = fields.name_of(kind)?;
                    group.others.push(KeyEntry { kind, name });
                }
            }
        }
        Ok(group)
    }
}

impl Fields<'_> {
    /// What sops calls the key of an entry in the list of `kind`.
    fn name_of(&self, kind: KeyKind) -> Result<String, ParseError> {
        let field = |name: &str| Ok::<_, ParseError>(self.text(name)?.unwrap_or_default());
        Ok(match kind {
            KeyKind::Age => field("recipient")?.trim().to_owned(),
            KeyKind::Pgp => field("fp")?,
            KeyKind::Kms => match field("role")? {
                role if role.is_empty() => field("arn")?,
                role => format!("{}+{role}", field("arn")?),
            },
            KeyKind::GcpKms => field("resource_id")?,
            KeyKind::Hckms => field("key_id")?,
            KeyKind::AzureKv => format!(
                "{}/keys/{}/{}",
                field("vault_url")?.trim_end_matches('/'),
                field("name")?,
                field("version")?
            ),
            KeyKind::HcVault => format!(
                "{}/v1/{}/keys/{}",
                field("vault_address")?.trim_end_matches('/'),
                field("engine_path")?,
                field("key_name")?
            ),
        })
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
