//! The text of a `.sops.yaml`, changed at single places: comments and layout stay.
//!
//! Each change gives a new text, which is parsed again. That it means what it should is for the caller to check with
//! [`Rules`](super::Rules).

mod lists;
mod rule;
mod tree;

use std::collections::BTreeSet;
use std::ops::Range;

pub(in crate::secrets) use self::rule::names_single_files;
use self::tree::{Flow, Kind, NodeId, Tree};
use crate::identity::Recipient;

/// A `.sops.yaml` that can be changed.
#[derive(Debug, Clone)]
pub(in crate::secrets) struct RulesText {
    text: String,
    tree: Tree,
}

/// A change that cannot be made to a `.sops.yaml` without rewriting it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RulesTextError {
    /// Not YAML.
    #[error(".sops.yaml is not valid: {reason}")]
    Syntax {
        /// What is wrong, with the line.
        reason: String,
    },
    /// The anchor is there already, for something else.
    #[error("line {line} of .sops.yaml: the anchor `{name}` is there already, for another key")]
    AnchorTaken {
        /// The name.
        name: String,
        /// Line, from 1.
        line: usize,
    },
    /// A rule with several key groups.
    #[error(
        "line {line} of .sops.yaml: the rule has {groups} key groups, and which one is meant cannot be told"
    )]
    Groups {
        /// Line, from 1.
        line: usize,
        /// How many.
        groups: usize,
    },
    /// Nobody would be left.
    #[error("line {line} of .sops.yaml: nobody would be left to read what this list is for")]
    NobodyLeft {
        /// Line, from 1.
        line: usize,
    },
    /// A shape that is not understood.
    #[error(
        "line {line} of .sops.yaml is written in a way that cannot be changed without rewriting it: {reason}"
    )]
    Shape {
        /// Line, from 1.
        line: usize,
        /// What is in the way.
        reason: &'static str,
    },
    /// The changed text does not say what it should.
    #[error("the changed .sops.yaml does not say what it should: {reason}")]
    Meaning {
        /// What differs.
        reason: String,
    },
}

impl RulesTextError {
    /// How to go on.
    #[must_use]
    pub fn fix(&self) -> &'static str {
        match self {
            Self::Syntax { .. } => "correct the file at that place",
            Self::AnchorTaken { .. } => {
                "give `--replace` if the host has a new key; else rename that anchor"
            }
            Self::Groups { .. } => {
                "add the key to the `age` list of the group that it belongs to, below `key_groups`, and run this again: no other group has a host's key, or several have"
            }
            Self::Shape { .. } | Self::Meaning { .. } => {
                "change .sops.yaml by hand, then run `steadfast secrets rekey`"
            }
            Self::NobodyLeft { .. } => {
                "add somebody else there first, or remove the rule with its files"
            }
        }
    }
}

/// How a new key is written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::secrets) struct NewKey<'a> {
    /// The anchor and what messages call it.
    pub(in crate::secrets) name: &'a str,
    /// The recipient.
    pub(in crate::secrets) key: &'a str,
}

impl RulesText {
    /// Reads `text`.
    pub(in crate::secrets) fn parse(text: &str) -> Result<Self, RulesTextError> {
        let tree = Tree::parse(text).map_err(|reason| RulesTextError::Syntax { reason })?;
        Ok(Self {
            text: text.to_owned(),
            tree,
        })
    }

    /// The text.
    pub(in crate::secrets) fn text(&self) -> &str {
        &self.text
    }

    /// The recipients behind the anchor `name`.
    pub(in crate::secrets) fn keys_at(&self, name: &str) -> BTreeSet<String> {
        let nodes = self.tree.nodes.iter();
        nodes
            .filter(|node| {
                node.anchor
                    .as_ref()
                    .is_some_and(|(anchor, _)| anchor == name)
            })
            .filter_map(|node| match &node.kind {
                Kind::Scalar { text, .. } => Some(key_of(text)?),
                _ => None,
            })
            .collect()
    }

    /// The anchor of one of `keys`.
    pub(in crate::secrets) fn anchor_of(&self, keys: &BTreeSet<String>) -> Option<&str> {
        self.tree.nodes.iter().find_map(|node| match &node.kind {
            Kind::Scalar { text, .. } if keys.contains(&key_of(text)?) => {
                node.anchor.as_ref().map(|(name, _)| name.as_str())
            }
            _ => None,
        })
    }

    /// Registers a key under its anchor, beside the anchors that are there. Where there are none, nothing changes.
    pub(in crate::secrets) fn with_anchor(&self, new: &NewKey<'_>) -> Result<Self, RulesTextError> {
        if let Some(node) = self.anchored(new.name) {
            return match self.tree.scalar(node).and_then(key_of) {
                Some(key) if key == new.key => Ok(self.clone()),
                _ => Err(RulesTextError::AnchorTaken {
                    name: new.name.to_owned(),
                    line: self.line(self.tree.start(node)),
                }),
            };
        }
        let Some(container) = self.anchor_container() else {
            return Ok(self.clone());
        };
        let item = format!("&{} {}", new.name, new.key);
        match &self.tree.nodes[container].kind {
            Kind::Map { .. } => self.with_map_entry(container, new.name, &item),
            _ => self.with_item(container, &item),
        }
    }

    fn anchored(&self, name: &str) -> Option<NodeId> {
        self.tree.nodes.iter().position(|node| {
            node.anchor
                .as_ref()
                .is_some_and(|(anchor, _)| anchor == name)
        })
    }

    /// The list or map outside of the rules that holds most of the anchored recipients; else the list `keys`.
    fn anchor_container(&self) -> Option<NodeId> {
        let root = self.tree.root?;
        let mut best: Option<(usize, NodeId)> = None;
        let mut waiting: Vec<NodeId> = Vec::new();
        for (key, value) in self.tree.entries(root) {
            if !matches!(
                self.tree.scalar(*key),
                Some("creation_rules" | "destination_rules" | "stores")
            ) {
                waiting.push(*value);
            }
        }
        while let Some(id) = waiting.pop() {
            let children: Vec<NodeId> = match &self.tree.nodes[id].kind {
                Kind::List { items, .. } => items.clone(),
                Kind::Map { entries, .. } => entries.iter().map(|(_, value)| *value).collect(),
                Kind::Scalar { .. } | Kind::Alias(_) => continue,
            };
            let named = children.iter().filter(|child| {
                let node = &self.tree.nodes[**child];
                node.anchor.is_some()
                    && self
                        .tree
                        .scalar(**child)
                        .is_some_and(|text| key_of(text).is_some())
            });
            let count = named.count();
            if count > 0 && best.is_none_or(|(most, _)| count >= most) {
                best = Some((count, id));
            }
            waiting.extend(children);
        }
        let keys = self.tree.child(root, "keys").filter(|keys| {
            matches!(self.tree.nodes[*keys].kind, Kind::List { .. })
                && !self.tree.items(*keys).is_empty()
        });
        best.map(|(_, id)| id).or(keys)
    }

    /// Writes `new` wherever one of `old` stands.
    pub(in crate::secrets) fn with_replaced(
        &self,
        old: &BTreeSet<String>,
        new: &NewKey<'_>,
    ) -> Result<Self, RulesTextError> {
        let mut edits: Vec<(Range<usize>, String)> = Vec::new();
        for node in &self.tree.nodes {
            let Kind::Scalar { text, .. } = &node.kind else {
                continue;
            };
            for part in text.split(',').map(str::trim) {
                if key_of(part).is_some_and(|key| old.contains(&key)) {
                    let within = &self.text[node.span.clone()];
                    let Some(at) = within.find(part) else {
                        return Err(self.shape(node.span.start, "a key is broken over lines"));
                    };
                    let start = node.span.start + at;
                    edits.push((start..start + part.len(), new.key.to_owned()));
                }
            }
        }
        self.edited(edits)
    }

    /// Takes `keys` out everywhere: their anchors, the uses of these, and where they are written out.
    pub(in crate::secrets) fn without_keys(
        &self,
        keys: &BTreeSet<String>,
    ) -> Result<Self, RulesTextError> {
        let mut current = self.clone();
        // One place at a time, aliases before what they stand for: every text in between is whole.
        while let Some((list, item)) = current.next_use(keys) {
            current = current.without_child(list, item)?;
        }
        while let Some((scalar, part)) = current.next_comma_use(keys) {
            current = current.without_part(scalar, &part)?;
        }
        Ok(current)
    }

    /// A list or map with one of `keys` as a child, the last in the text first.
    fn next_use(&self, keys: &BTreeSet<String>) -> Option<(NodeId, NodeId)> {
        let is_key = |id: &NodeId| {
            self.tree
                .scalar(*id)
                .and_then(key_of)
                .is_some_and(|key| keys.contains(&key))
        };
        let found = self.tree.nodes.iter().enumerate().rev();
        let mut uses: Vec<(NodeId, NodeId)> = Vec::new();
        for (id, node) in found {
            match &node.kind {
                Kind::List { items, .. } => uses.extend(
                    items
                        .iter()
                        .filter(|item| is_key(item))
                        .map(|item| (id, *item)),
                ),
                Kind::Map { entries, .. } => uses.extend(
                    entries
                        .iter()
                        .map(|(_, value)| value)
                        .filter(|value| is_key(value))
                        .map(|value| (id, *value)),
                ),
                Kind::Scalar { .. } | Kind::Alias(_) => {}
            }
        }
        uses.into_iter()
            .max_by_key(|(_, item)| self.tree.start(*item))
    }

    fn next_comma_use(&self, keys: &BTreeSet<String>) -> Option<(NodeId, String)> {
        self.tree
            .nodes
            .iter()
            .enumerate()
            .find_map(|(id, node)| match &node.kind {
                Kind::Scalar { text, .. } if text.contains(',') => {
                    let mut parts = text.split(',').map(str::trim);
                    let part =
                        parts.find(|part| key_of(part).is_some_and(|key| keys.contains(&key)))?;
                    Some((id, part.to_owned()))
                }
                _ => None,
            })
    }

    /// Line of the byte at `at`, from 1.
    pub(super) fn line(&self, at: usize) -> usize {
        self.text[..at.min(self.text.len())].matches('\n').count() + 1
    }

    fn shape(&self, at: usize, reason: &'static str) -> RulesTextError {
        RulesTextError::Shape {
            line: self.line(at),
            reason,
        }
    }

    /// The text with `edits`, which do not overlap.
    fn edited(&self, mut edits: Vec<(Range<usize>, String)>) -> Result<Self, RulesTextError> {
        edits.sort_by_key(|(range, _)| range.start);
        let mut text = self.text.clone();
        for (range, new) in edits.into_iter().rev() {
            text.replace_range(range, &new);
        }
        Self::parse(&text)
    }

    fn line_start(&self, at: usize) -> usize {
        self.text[..at].rfind('\n').map_or(0, |newline| newline + 1)
    }

    /// Behind the line break of the line with `at`.
    fn line_end(&self, at: usize) -> usize {
        self.text[at..]
            .find('\n')
            .map_or(self.text.len(), |newline| at + newline + 1)
    }

    fn is_flow(&self, id: NodeId) -> bool {
        matches!(
            &self.tree.nodes[id].kind,
            Kind::List {
                flow: Flow::Flow,
                ..
            } | Kind::Map {
                flow: Flow::Flow,
                ..
            }
        )
    }
}

/// What the recipient `text` is compared by; `None` if it is none.
fn key_of(text: &str) -> Option<String> {
    Recipient::parse(text).ok().map(|recipient| recipient.key())
}

#[cfg(test)]
mod tests;
