//! The `[sops]` section of INI files: flattened names, aligned.

use std::ops::Range;

use super::print::print_text;
use crate::sops::document::splice::Edits;
use crate::sops::document::tree::{Entry, Tree};
use crate::sops::error::ParseError;
use crate::sops::metadata::{FlatLine, MetadataLayout, MetadataText};

fn section(tree: &Tree) -> Option<&Entry> {
    tree.metadata_entries(tree.documents.first()?).next()
}

pub(in crate::sops::stores) fn layout(tree: &Tree) -> MetadataLayout {
    let mut layout = MetadataLayout::of(tree);
    let Some(section) = section(tree) else {
        return layout;
    };
    let lines = lines(tree, section);
    let header = tree.line_start(section.start);
    layout.lead = Some(tree.text[lines.start..header].to_owned());
    if let Some(map) = tree.collection(section.value) {
        for entry in map.entries() {
            let span = tree.node(entry.value).span.clone();
            let Some((key, scalar)) = entry.key.as_ref().zip(tree.scalar(entry.value)) else {
                continue;
            };
            layout.lines.push(FlatLine {
                name: key.text.clone(),
                before: tree.text[tree.line_start(entry.start)..span.start].to_owned(),
                raw: tree.text[span].to_owned(),
                value: scalar.text.replace("\\n", "\n"),
            });
        }
    }
    layout
}

pub(in crate::sops::stores) fn text(tree: &Tree) -> Result<MetadataText, ParseError> {
    let document = tree.documents.first().ok_or(ParseError::Empty)?;
    match tree.metadata_entries(document).count() {
        0 => return Err(ParseError::NotSealed),
        1 => {}
        _ => {
            return Err(ParseError::Metadata {
                reason: "it stands twice".to_owned(),
            });
        }
    }
    let layout = layout(tree);
    let lines = layout.lines.iter();
    MetadataText::unflattened(lines.map(|line| (line.name.as_str(), line.value.as_str())))
}

/// All lines of the section, with the blank line before it.
fn lines(tree: &Tree, section: &Entry) -> Range<usize> {
    let start = tree.line_start(section.start);
    let end = tree.next_line(tree.node(section.value).span.end);
    let Some(before) = start.checked_sub(1) else {
        return start..end;
    };
    let before = tree.line_start(before);
    let is_blank = tree.text[before..start].trim().is_empty();
    (if is_blank { before } else { start })..end
}

pub(in crate::sops::stores) fn remove(tree: &Tree, edits: &mut Edits) {
    if let Some(section) = section(tree) {
        edits.remove(lines(tree, section));
    }
}

/// The section's lines, each with its line break.
fn printed(text: &MetadataText, layout: &MetadataLayout, line_break: &str) -> String {
    let names = text.flattened().unwrap_or_default();
    let longest = names.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let mut lines = vec!["[sops]".to_owned()];
    lines.extend(text.lines(
        layout,
        |name| format!("{name:longest$} = "),
        |value| {
            let value = value.replace('\n', "\\n");
            print_text(&value).map_or(value, |printed| printed.to_string())
        },
    ));
    lines.push(String::new());
    lines.join(line_break)
}

pub(in crate::sops::stores) fn add(
    tree: &Tree,
    text: &MetadataText,
    layout: &MetadataLayout,
    edits: &mut Edits,
) {
    let line_break = tree.line_break();
    let section = printed(text, layout, line_break);
    let at = layout.place(tree, 0).unwrap_or(tree.text.len());
    let before = tree.text[..at].trim_start_matches('\u{feff}');
    let lead = match &layout.lead {
        _ if before.is_empty() => "",
        Some(lead) if lead.trim().is_empty() => lead,
        _ => line_break,
    };
    let break_before = if before.is_empty() || before.ends_with('\n') {
        ""
    } else {
        line_break
    };
    edits.insert(at, &format!("{break_before}{lead}{section}"));
}

pub(in crate::sops::stores) fn replace(
    tree: &Tree,
    text: &MetadataText,
    layout: &MetadataLayout,
    edits: &mut Edits,
) {
    if let Some(section) = section(tree) {
        let lines = lines(tree, section);
        let start = tree.line_start(section.start);
        edits.replace(start..lines.end, &printed(text, layout, tree.line_break()));
    }
}
