//! The fields of the `sops` entry, read with their types.

use super::{AgeEntry, KeyGroup, OtherEntry, damaged};
use crate::sops::document::tree::{Collection, NodeId, Shape, Tree};
use crate::sops::error::ParseError;
use crate::sops::key_groups::{KeyEntry, KeyKind};
use crate::sops::selector::{MacScope, Selector, SelectorRule};
use crate::sops::value::{Value, parse_bool};
use crate::sops::walk::METADATA_KEY;

const MOST_GROUPS: usize = 255;
/// Every one of them may have to be tried.
const MOST_KEYS: usize = 4096;
/// A key's entry has a handful; aliases could make it more.
const MOST_FIELDS: usize = 1000;

/// A map of the metadata.
pub(super) struct Fields<'a> {
    pub(super) tree: &'a Tree,
    pub(super) node: NodeId,
}

impl<'a> Fields<'a> {
    /// The `sops` entry of the first document.
    pub(super) fn of(tree: &'a Tree) -> Result<Self, ParseError> {
        let root = tree.documents.first().ok_or(ParseError::Empty)?.root;
        let entry = tree
            .child(root, METADATA_KEY)
            .ok_or(ParseError::NotSealed)?;
        let fields = Self {
            tree,
            node: tree.target(entry.value),
        };
        match fields.map() {
            Some(_) => Ok(fields),
            None => Err(damaged("it is not a map")),
        }
    }

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
    pub(super) fn text(&self, name: &str) -> Result<Option<String>, ParseError> {
        let Some(id) = self.field(name) else {
            return Ok(None);
        };
        match self.tree.scalar(id) {
            Some(scalar) => Ok(Some(scalar.text.to_string())),
            None => Err(damaged(&format!("`{name}` is not a single value"))),
        }
    }

    pub(super) fn number(&self, name: &str) -> Result<usize, ParseError> {
        match self.text(name)? {
            None => Ok(0),
            Some(text) => text
                .parse()
                .ok()
                .filter(|number| *number <= MOST_GROUPS)
                .ok_or_else(|| damaged(&format!("`{name}` is not a number from 0 to 255"))),
        }
    }

    pub(super) fn list(&self, name: &str) -> Result<Vec<Fields<'a>>, ParseError> {
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

    pub(super) fn selector(&self) -> Result<Selector, ParseError> {
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
    pub(super) fn groups(&self) -> Result<Vec<KeyGroup>, ParseError> {
        let mut flat = false;
        for kind in KeyKind::ALL {
            flat |= !self.list(kind.as_str())?.is_empty();
        }
        let written = if flat {
            vec![Fields {
                tree: self.tree,
                node: self.node,
            }]
        } else {
            self.list("key_groups")?
        };
        match written.len() {
            0 => return Err(damaged("it names no key")),
            1..=MOST_GROUPS => {}
            _ => return Err(damaged("it has more than 255 key groups")),
        }
        let mut groups = Vec::with_capacity(written.len());
        let mut keys = 0;
        for fields in &written {
            let group = fields.group()?;
            keys += group.entries.len() + group.others.len();
            if keys > MOST_KEYS {
                return Err(damaged(&format!("it names more than {MOST_KEYS} keys")));
            }
            groups.push(group);
        }
        Ok(groups)
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
                    group.others.push(OtherEntry {
                        key: KeyEntry {
                            kind,
                            name: fields.name_of(kind)?,
                        },
                        content: fields.content(),
                    });
                }
            }
        }
        Ok(group)
    }
}

impl Fields<'_> {
    /// Everything below, as paths and texts: what has to be the same for an entry to be the same.
    fn content(&self) -> Vec<(String, String)> {
        fn collect(tree: &Tree, node: NodeId, path: &str, found: &mut Vec<(String, String)>) {
            let node = tree.target(node);
            if let Some(scalar) = tree.scalar(node) {
                found.push((path.to_owned(), scalar.text.to_string()));
            }
            let entries = tree.collection(node).map(Collection::entries);
            for (position, entry) in entries.into_iter().flatten().enumerate() {
                if found.len() > MOST_FIELDS {
                    return;
                }
                let name = entry
                    .key
                    .as_ref()
                    .map_or(position.to_string(), |key| key.text.clone());
                collect(tree, entry.value, &format!("{path}/{name}"), found);
            }
        }
        let mut found = Vec::new();
        collect(self.tree, self.node, "", &mut found);
        found
    }

    /// What sops calls the key of an entry in the list of `kind`.
    pub(super) fn name_of(&self, kind: KeyKind) -> Result<String, ParseError> {
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
