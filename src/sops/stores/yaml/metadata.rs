//! The `sops` entry of YAML documents: each document has a copy of it.

use std::ops::Range;

use crate::sops::document::splice::Edits;
use crate::sops::document::tree::{Entry, NodeId, Tree};
use crate::sops::metadata::{MetadataLayout, MetadataText};
use crate::sops::walk::METADATA_KEY;

pub(in crate::sops::stores) fn layout(tree: &Tree) -> MetadataLayout {
    MetadataLayout::of(tree)
}

/// Takes the `sops` entries out; a document that had nothing else becomes `{}`.
pub(in crate::sops::stores) fn remove(tree: &Tree, edits: &mut Edits) {
    for document in &tree.documents {
        let Some(entry) = tree.child(document.root, METADATA_KEY) else {
            continue;
        };
        let is_alone = tree
            .collection(document.root)
            .is_some_and(|map| map.entries().count() == 1);
        edits.replace(lines(tree, entry), if is_alone { "{}\n" } else { "" });
    }
}

/// Puts the entry into every document: where it was, else at the end.
pub(in crate::sops::stores) fn add(
    tree: &Tree,
    text: &MetadataText,
    layout: &MetadataLayout,
    edits: &mut Edits,
) {
    for (number, document) in tree.documents.iter().enumerate() {
        match layout.place(tree, number) {
            Some(at) => add_before(tree, at, (document.root, text), edits),
            None => add_last(tree, number, text, edits),
        }
    }
}

fn add_before(tree: &Tree, at: usize, (root, text): (NodeId, &MetadataText), edits: &mut Edits) {
    let line_break = tree.line_break();
    let text = text.at_column(tree.node(root).column, line_break);
    edits.insert(at, &format!("{text}{line_break}"));
}

fn add_last(tree: &Tree, number: usize, text: &MetadataText, edits: &mut Edits) {
    let document = &tree.documents[number];
    let root = tree.node(document.root);
    let has_entries = tree
        .collection(document.root)
        .is_some_and(|map| map.entries().next().is_some());
    let line_break = tree.line_break();
    let column = if has_entries { root.column } else { 0 };
    let text = text.at_column(column, line_break);
    if !has_entries && !root.span.is_empty() {
        let before = tree.text[tree.line_start(root.span.start)..root.span.start]
            .trim_matches([' ', '\u{feff}']);
        let break_before = if before.is_empty() { "" } else { line_break };
        let blanks = tree.text[..root.span.start].trim_end_matches(' ').len();
        edits.replace(blanks..root.span.end, &format!("{break_before}{text}"));
        return;
    }
    let before = &tree.text[..document.end];
    let starts_line = before.is_empty() || before.ends_with('\n') || before == "\u{feff}";
    let break_before = if starts_line { "" } else { line_break };
    edits.insert(document.end, &format!("{break_before}{text}{line_break}"));
}

/// Puts another entry in the place of the one in every document.
pub(in crate::sops::stores) fn replace(tree: &Tree, text: &MetadataText, edits: &mut Edits) {
    let line_break = tree.line_break();
    for document in &tree.documents {
        if let Some(entry) = tree.child(document.root, METADATA_KEY) {
            let lines = lines(tree, entry);
            let ends = if tree.text[lines.clone()].ends_with('\n') {
                line_break
            } else {
                ""
            };
            let text = text.at_column(entry.column, line_break);
            edits.replace(lines, &format!("{text}{ends}"));
        }
    }
}

/// The lines of the `sops` entry, with the line break after it.
fn lines(tree: &Tree, entry: &Entry) -> Range<usize> {
    let end = tree.node(entry.value).span.end;
    tree.line_start(entry.start)
        .max(line_content_start(tree, entry.start))..tree.next_line(end)
}

/// After a `---` on the same line.
fn line_content_start(tree: &Tree, offset: usize) -> usize {
    let start = tree.line_start(offset);
    if tree.text[start..offset]
        .trim_matches([' ', '\u{feff}'])
        .is_empty()
    {
        start
    } else {
        offset
    }
}
