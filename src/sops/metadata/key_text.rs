//! Changing the keys in the text of the `sops` entry: entries that stay are not touched.

use std::ops::Range;

use super::KeyGroup;
use super::fields::Fields;
use super::new_keys::{KeyChange, NewEntry, NewKeys};
use super::text::{MetadataText, metadata_node, unforeseen};
use crate::sops::document::splice::Edits;
use crate::sops::document::tree::{Collection, Entry, NodeId, Shape, Style, Tree};
use crate::sops::error::{ParseError, SealError};
use crate::sops::key_groups::{KeyEntry, KeyKind};
use crate::sops::stores::yaml::print::{Place, print_text};
use crate::sops::stores::yaml::render::Layout;
use crate::sops::walk::METADATA_KEY;

const GROUPS: &str = "key_groups";
const THRESHOLD: &str = "shamir_threshold";
const STEP: usize = 4;

impl MetadataText {
    /// The entry after `change`. What it is written into is to be [compared](KeyChange::leads) with the change once it is
    /// read back.
    pub(in crate::sops) fn with_keys(&self, change: &KeyChange) -> Result<Self, SealError> {
        let (text, tree) = self.line_by_line()?;
        match change {
            KeyChange::Anew(keys) => text.with_new_keys(&tree, keys),
            KeyChange::Entries { kept, new } => text.with_entries(&tree, kept, new),
        }
    }

    /// The keys of the entry, as [`Metadata::keys`](super::Metadata::keys) has them.
    pub(in crate::sops) fn keys(&self) -> Result<(Vec<KeyGroup>, usize), ParseError> {
        let tree = self.tree()?;
        let fields = Fields::of(&tree)?;
        Ok((fields.groups()?, fields.number(THRESHOLD)?))
    }

    /// Each field and each key's entry on lines of its own, the last with a line break.
    fn line_by_line(&self) -> Result<(Self, Tree), SealError> {
        let read = |text: Self| {
            text.read()
                .map_err(|error: ParseError| unforeseen(&error.to_string()))
        };
        let (text, tree) = read(Self(format!("{}\n", self.0)))?;
        if has_own_lines(&tree) {
            return Ok((text, tree));
        }
        let layout = Layout {
            indent: STEP,
            step: STEP,
        };
        let lines = tree.render(metadata_node(&tree), layout, &(0..tree.text.len()));
        let (text, tree) = read(Self(format!("{METADATA_KEY}:\n{}\n", lines.trim_end())))?;
        if has_own_lines(&tree) {
            Ok((text, tree))
        } else {
            Err(unforeseen("the `sops` entry cannot be rewritten"))
        }
    }

    /// All keys in place of those that are there.
    fn with_new_keys(&self, tree: &Tree, keys: &NewKeys) -> Result<Self, SealError> {
        let column = tree.node(metadata_node(tree)).column;
        let mut edits = Edits::default();
        let mut place = None;
        for entry in key_field_entries(tree) {
            let lines = lines_of(tree, entry);
            place.get_or_insert(lines.start);
            edits.remove(lines);
        }
        let new: String = key_fields(keys, column, tree.indent_step())
            .into_iter()
            .map(|(_, lines)| lines)
            .collect();
        edits.insert(place.unwrap_or(tree.text.len()), &new);
        self.edited(edits)
    }

    /// Of the one group, the entries of `kept`, and then `new`.
    fn with_entries(
        &self,
        tree: &Tree,
        kept: &[KeyEntry],
        new: &[NewEntry],
    ) -> Result<Self, SealError> {
        let group = one_group(tree).ok_or_else(|| unforeseen("there is no group of keys"))?;
        let (column, step) = (tree.node(group).column, tree.indent_step());
        let mut edits = Edits::default();
        let new_lines = |dashes: usize| -> String {
            let entries = new.iter().map(|entry| age_entry(entry, dashes, step));
            entries.collect()
        };
        let mut place = tree.text.len();
        let mut placed = new.is_empty();
        for kind in KeyKind::ALL {
            let Some(field) = tree.child(group, kind.as_str()) else {
                continue;
            };
            place = place.min(lines_of(tree, field).end);
            let items = items_of(tree, field);
            let stays = |item: &&&Entry| {
                let fields = Fields {
                    tree,
                    node: tree.target(item.value),
                };
                let name = fields.name_of(kind).unwrap_or_default();
                kept.iter()
                    .any(|kept| kept.kind == kind && kept.name == name)
            };
            let takes_new = kind == KeyKind::Age && !placed;
            match items.last() {
                Some(last) if takes_new || items.iter().any(|item| stays(&item)) => {
                    for item in items.iter().filter(|item| !stays(item)) {
                        edits.remove(lines_of(tree, item));
                    }
                    if takes_new {
                        edits.insert(lines_of(tree, last).end, &new_lines(last.column));
                    }
                }
                None if takes_new => {
                    put_list(tree, field, &new_lines(column + step), &mut edits);
                }
                None => {}
                Some(_) => remove_field(tree, field, &mut edits),
            }
            placed |= takes_new;
        }
        if !placed {
            let margin = " ".repeat(column);
            let lines = new_lines(column + step);
            edits.insert(place, &format!("{margin}age:\n{lines}"));
        }
        self.edited(edits)
    }
}

/// Whether each field and each key's entry of `tree` stands on lines of its own.
fn has_own_lines(tree: &Tree) -> bool {
    let fields = key_field_entries(tree);
    let block = |id: NodeId| {
        tree.collection(id)
            .is_none_or(|list| list.style == Style::Block || list.entries().count() == 0)
    };
    block(metadata_node(tree))
        && fields.iter().all(|entry| {
            let list = tree.target(entry.value);
            let items = tree
                .collection(list)
                .into_iter()
                .flat_map(Collection::entries);
            list == entry.value
                && block(list)
                && items
                    .into_iter()
                    .all(|item| tree.target(item.value) == item.value && block(item.value))
        })
}

/// The fields of the entry that hold keys, in file order.
fn key_field_entries(tree: &Tree) -> Vec<&Entry> {
    let is_keys = |name: &str| {
        name == GROUPS || name == THRESHOLD || KeyKind::ALL.iter().any(|kind| kind.as_str() == name)
    };
    let map = tree.collection(metadata_node(tree));
    let entries = map.into_iter().flat_map(Collection::entries);
    entries
        .filter(|entry| entry.key.as_ref().is_some_and(|key| is_keys(&key.text)))
        .collect()
}

/// The map that holds the key lists: the entry itself, or its only group.
fn one_group(tree: &Tree) -> Option<NodeId> {
    let metadata = metadata_node(tree);
    let is_filled = |kind: KeyKind| {
        tree.child(metadata, kind.as_str())
            .is_some_and(|field| !items_of(tree, field).is_empty())
    };
    if KeyKind::ALL.into_iter().any(is_filled) {
        return Some(metadata);
    }
    match &items_of(tree, tree.child(metadata, GROUPS)?)[..] {
        [group] => Some(tree.target(group.value)),
        _ => None,
    }
}

fn items_of<'a>(tree: &'a Tree, field: &Entry) -> Vec<&'a Entry> {
    tree.collection(tree.target(field.value))
        .filter(|collection| collection.shape == Shape::List)
        .map(|list| list.entries().collect())
        .unwrap_or_default()
}

/// An entry's lines, with the line break after it.
fn lines_of(tree: &Tree, entry: &Entry) -> Range<usize> {
    let end = tree.next_line(tree.node(entry.value).span.end);
    tree.line_start(entry.start)..end
}

/// Puts `items`, whole lines, in the place of an empty list.
fn put_list(tree: &Tree, field: &Entry, items: &str, edits: &mut Edits) {
    let lines = lines_of(tree, field);
    let name = field.key.as_ref().map_or("", |key| key.text.as_str());
    edits.replace(field.start..lines.end, &format!("{name}:\n{items}"));
}

/// Takes a field away; one on the line of a dash, without which the line would be no item, becomes empty instead.
fn remove_field(tree: &Tree, field: &Entry, edits: &mut Edits) {
    let lines = lines_of(tree, field);
    if tree.text[lines.start..field.start].trim().is_empty() {
        edits.remove(lines);
    } else {
        let name = field.key.as_ref().map_or("", |key| key.text.as_str());
        edits.replace(field.start..lines.end, &format!("{name}: []\n"));
    }
}

/// The fields that hold `keys`, as lines at `column` that are indented by `step` blanks, by name.
pub(super) fn key_fields(
    keys: &NewKeys,
    column: usize,
    step: usize,
) -> Vec<(&'static str, String)> {
    let margin = " ".repeat(column);
    if let ([group], None) = (&keys.groups[..], keys.threshold) {
        let entries: String = group
            .iter()
            .map(|entry| age_entry(entry, column + step, step))
            .collect();
        return vec![(KeyKind::Age.as_str(), format!("{margin}age:\n{entries}"))];
    }
    let mut groups = format!("{margin}{GROUPS}:\n");
    for group in &keys.groups {
        let dash = " ".repeat(column + step);
        groups.extend([dash.as_str(), "- age:\n"]);
        for entry in group {
            // The next whole step behind the key that stands behind the dash.
            let dashes = column + ((step + 2) / step + 1) * step;
            groups.push_str(&age_entry(entry, dashes, step));
        }
        // In every group, even if there is none: so sops writes it.
        groups.extend([dash.as_str(), "  hc_vault: []\n"]);
    }
    let mut fields = vec![(GROUPS, groups)];
    if let Some(threshold) = keys.threshold {
        fields.push((THRESHOLD, format!("{margin}{THRESHOLD}: {threshold}\n")));
    }
    fields
}

/// One item of an `age` list whose dashes stand at `column`, with a line break after it.
fn age_entry(entry: &NewEntry, column: usize, step: usize) -> String {
    let margin = " ".repeat(column);
    let recipient = print_text(&entry.recipient, Place::OneLine);
    // Deeper than the key behind the dash.
    let deeper = " ".repeat(if step > 2 { step } else { 4 });
    let mut text = format!("{margin}- enc: |");
    for line in entry.enc.trim().lines() {
        text.extend(["\n", &margin, &deeper, line]);
    }
    text.extend(["\n", &margin, "  recipient: ", recipient.as_str(), "\n"]);
    text
}
