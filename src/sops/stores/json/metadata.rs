//! The `sops` member of a JSON object: printed as the rest of the object is laid out.

use std::ops::Range;

use crate::sops::document::splice::Edits;
use crate::sops::document::tree::{Child, Collection, Entry, NodeId, Shape, Tree};
use crate::sops::error::ParseError;
use crate::sops::metadata::{MetadataLayout, MetadataText};
use crate::sops::stores::json::print_text;
use crate::sops::stores::json::style::Style;
use crate::sops::stores::yaml::print::{Place, print_text as yaml_text};
use crate::sops::walk::METADATA_KEY;

fn entry(tree: &Tree) -> Option<&Entry> {
    tree.metadata_entries(tree.documents.first()?).next()
}

fn root(tree: &Tree) -> Option<(NodeId, &Collection)> {
    let root = tree.documents.first()?.root;
    Some((root, tree.collection(root)?))
}

pub(in crate::sops::stores) fn layout(tree: &Tree) -> MetadataLayout {
    let mut layout = MetadataLayout::of(tree);
    let lead = entry(tree).and_then(|entry| {
        let (_, map) = root(tree)?;
        let before = map.last_entry_before(entry.start)?;
        Some(tree.text[tree.node(before.value).span.end..entry.start].to_owned())
    });
    layout.lead = lead;
    layout
}

pub(in crate::sops::stores) fn text(tree: &Tree) -> Result<MetadataText, ParseError> {
    let document = tree.documents.first().ok_or(ParseError::Empty)?;
    let mut entries = tree.metadata_entries(document);
    let entry = entries.next().ok_or(ParseError::NotSealed)?;
    let damaged = |reason: &str| ParseError::Metadata {
        reason: reason.to_owned(),
    };
    if entries.next().is_some() {
        return Err(damaged("it stands twice"));
    }
    if !tree
        .collection(entry.value)
        .is_some_and(|map| map.shape == Shape::Map)
    {
        return Err(damaged("it is not a map"));
    }
    let mut lines = format!("{METADATA_KEY}:");
    write(tree, entry.value, 4, &mut lines);
    let text = MetadataText::from_yaml(lines);
    match text.tree() {
        Ok(_) => Ok(text),
        Err(error) => Err(damaged(&error.to_string())),
    }
}

/// As YAML behind a key or dash. Strings stay on their line: at the end of the text a block would lose its line break.
fn write(tree: &Tree, id: NodeId, indent: usize, out: &mut String) {
    let Some(collection) = tree.collection(id) else {
        out.push(' ');
        out.push_str(&tree.render_scalar(id, Place::OneLine));
        return;
    };
    if collection.children.is_empty() {
        out.push_str(match collection.shape {
            Shape::Map => " {}",
            Shape::List => " []",
        });
    }
    for entry in collection.entries() {
        out.push('\n');
        out.push_str(&" ".repeat(indent));
        match &entry.key {
            Some(key) => {
                out.push_str(&yaml_text(&key.text, Place::OneLine));
                out.push(':');
            }
            None => out.push('-'),
        }
        write(tree, entry.value, indent + 4, out);
    }
}

/// Takes the member out, with one comma.
pub(in crate::sops::stores) fn remove(tree: &Tree, edits: &mut Edits) {
    if let (Some((id, map)), Some(entry)) = (root(tree), entry(tree)) {
        edits.remove(without(tree, (id, map), entry));
    }
}

/// What goes when an entry goes: itself, and what separates it from its neighbour.
pub(super) fn without(
    tree: &Tree,
    (id, collection): (NodeId, &Collection),
    entry: &Entry,
) -> Range<usize> {
    let end = tree.node(entry.value).span.end;
    let before = collection.last_entry_before(entry.start);
    let at = collection.children.partition_point(|child| match child {
        Child::Entry(other) => other.start <= entry.start,
        Child::Comment(_) => true,
    });
    let next = match collection.children.get(at) {
        Some(Child::Entry(next)) => Some(next),
        _ => None,
    };
    match (before, next) {
        (_, Some(next)) => entry.start..next.start,
        (Some(before), None) => tree.node(before.value).span.end..end,
        (None, None) => tree.node(id).span.start + 1..tree.node(id).span.end - 1,
    }
}

/// Puts the member into an object that has none: where it was, else as the last.
pub(in crate::sops::stores) fn add(
    tree: &Tree,
    text: &MetadataText,
    layout: &MetadataLayout,
    edits: &mut Edits,
) {
    let Some((id, map)) = root(tree) else {
        return;
    };
    let style = Style::of(tree, layout.indent);
    let member = member(text, &style);
    let next = layout
        .following
        .first()
        .and_then(Option::as_ref)
        .and_then(|following| tree.child(id, &following.key));
    let separator = match &layout.lead {
        Some(lead) if is_separator(lead) => lead.clone(),
        _ => style.separator(1),
    };
    if let Some(next) = next {
        edits.insert(next.start, &format!("{member}{separator}"));
        return;
    }
    if let Some(last) = map.last_entry() {
        let end = tree.node(last.value).span.end;
        edits.insert(end, &format!("{separator}{member}"));
    } else {
        let inside = tree.node(id).span.start + 1..tree.node(id).span.end - 1;
        let member = format!("{}{member}{}", style.break_at(1), style.break_at(0));
        edits.replace(inside, &member);
    }
}

fn is_separator(lead: &str) -> bool {
    lead.trim() == ","
}

/// Puts another member in the place of the one that is there.
pub(in crate::sops::stores) fn replace(tree: &Tree, text: &MetadataText, edits: &mut Edits) {
    if let Some(entry) = entry(tree) {
        let end = tree.node(entry.value).span.end;
        let style = Style::of(tree, None);
        edits.replace(entry.start..end, &member(text, &style));
    }
}

/// `"sops": {…}`
fn member(text: &MetadataText, style: &Style) -> String {
    let object = text.tree().ok().and_then(|tree| {
        let node = tree.find(&[METADATA_KEY.to_owned()])?;
        style.print(&tree, node, 1).ok()
    });
    let key = print_text(METADATA_KEY);
    // Metadata that was parsed before parses again; nothing would be refused by the reading back.
    let object = object.map_or_else(String::new, |object| object.to_string());
    format!("{}{}{object}", key.as_str(), style.colon)
}
