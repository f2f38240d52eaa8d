//! The text of the `sops` entry: kept as found, with only the spans replaced that must change.

use std::ops::Range;

use crate::sops::document::splice::{Edits, Overlap};
use crate::sops::document::tree::{Entry, NodeId, Shape, Style, Tree};
use crate::sops::error::{ParseError, SealError};
use crate::sops::selector::{MacScope, Selector};
use crate::sops::stores::yaml::print::{Place, double_quoted, print_text};
use crate::sops::stores::yaml::render::Layout;
use crate::sops::walk::METADATA_KEY;

/// The version of sops whose format this is.
const FORMAT_VERSION: &str = "3.13.2";

/// The entry as lines from its key to its last value, at column 0, without the last line break.
#[derive(Debug, Clone)]
pub(in crate::sops) struct MetadataText(String);

/// A recipient with the data key encrypted to it.
pub(in crate::sops) struct NewEntry {
    pub(in crate::sops) recipient: String,
    /// Armored.
    pub(in crate::sops) enc: String,
}

/// What a change of the contents changes here.
pub(in crate::sops) struct Stamp<'a> {
    pub(in crate::sops) mac: &'a str,
    pub(in crate::sops) last_modified: &'a str,
    pub(in crate::sops) version: VersionChange,
}

/// Whether `version` rises to that of this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sops) enum VersionChange {
    Keep,
    Raise,
}

impl MetadataText {
    /// A new entry for `entries`, not stamped yet.
    pub(in crate::sops) fn fresh(entries: &[NewEntry], selector: &Selector) -> Self {
        let mut text = format!("{METADATA_KEY}:\n    age:");
        for entry in entries {
            text.push('\n');
            text.push_str(&age_entry(entry, 8));
        }
        let (field, value) = selector.rule.field();
        let mut fields = vec![
            ("lastmodified", "\"\"".to_owned()),
            ("mac", "\"\"".to_owned()),
            (field, print_text(value, Place::OneLine).to_string()),
            ("version", FORMAT_VERSION.to_owned()),
        ];
        if selector.mac_scope == MacScope::OnlyEncrypted {
            fields.push(("mac_only_encrypted", "true".to_owned()));
        }
        fields.sort();
        for (name, value) in fields {
            text.push_str("\n    ");
            text.push_str(name);
            text.push_str(": ");
            text.push_str(&value);
        }
        Self(text)
    }

    /// The entry as it stands in the first document of a sealed text.
    pub(in crate::sops) fn of(tree: &Tree) -> Result<Self, ParseError> {
        let root = tree.documents.first().ok_or(ParseError::Empty)?.root;
        let entry = tree
            .child(root, METADATA_KEY)
            .ok_or(ParseError::NotSealed)?;
        let text = tree.text[entry.start..tree.node(entry.value).span.end].replace("\r\n", "\n");
        let margin = " ".repeat(entry.column);
        let lines: Vec<&str> = text
            .split('\n')
            .map(|line| line.strip_prefix(margin.as_str()).unwrap_or(line))
            .collect();
        let text = Self(lines.join("\n"));
        if text
            .tree()
            .is_ok_and(|tree| tree.collection(metadata_node(&tree)).is_some())
        {
            return Ok(text);
        }
        // An alias, a tag or a shape that does not stand alone: written anew.
        let layout = Layout { indent: 4, step: 4 };
        let lines = tree.render(entry.value, layout, &(0..tree.text.len()));
        Ok(Self(format!("{METADATA_KEY}:\n{}", lines.trim_end())))
    }

    /// The text, indented to stand at `column`.
    pub(in crate::sops) fn at_column(&self, column: usize, line_break: &str) -> String {
        let margin = " ".repeat(column);
        let lines: Vec<String> = self
            .0
            .split('\n')
            .map(|line| {
                if line.is_empty() {
                    String::new()
                } else {
                    format!("{margin}{line}")
                }
            })
            .collect();
        lines.join(line_break)
    }

    fn tree(&self) -> Result<Tree, ParseError> {
        Tree::parse(self.0.as_bytes())
    }

    /// The entry with a new MAC and time.
    pub(in crate::sops) fn stamped(&self, stamp: &Stamp<'_>) -> Result<Self, SealError> {
        let tree = self
            .tree()
            .map_err(|error| unforeseen(&error.to_string()))?;
        let mut edits = Edits::default();
        let quoted = double_quoted(stamp.last_modified);
        let in_flow = tree
            .collection(metadata_node(&tree))
            .is_some_and(|c| c.style == Style::Flow);
        let mac = if in_flow {
            format!("\"{}\"", stamp.mac)
        } else {
            stamp.mac.to_owned()
        };
        set_field(&tree, "lastmodified", &quoted, &mut edits)?;
        set_field(&tree, "mac", &mac, &mut edits)?;
        if stamp.version == VersionChange::Raise && is_older(&tree) {
            set_field(&tree, "version", FORMAT_VERSION, &mut edits)?;
        }
        self.edited(edits)
    }

    /// The entry for exactly `kept` (verbatim, by their recipient text) and then `new`.
    pub(in crate::sops) fn with_recipients(
        &self,
        kept: &[String],
        new: &[NewEntry],
    ) -> Result<Self, SealError> {
        let tree = self
            .tree()
            .map_err(|error| unforeseen(&error.to_string()))?;
        let list =
            age_list(&tree).ok_or_else(|| unforeseen("there is no list of age recipients"))?;
        let collection = tree
            .collection(list)
            .ok_or_else(|| unforeseen("`age` is not a list"))?;
        if collection.style == Style::Flow || tree.node(list).inside_flow {
            return Self::in_block_style(&tree)?.with_recipients(kept, new);
        }
        let entries: Vec<&Entry> = collection.entries().collect();
        let column = tree.node(list).column;
        let mut edits = Edits::default();
        let mut left = 0;
        for entry in &entries {
            let recipient = tree
                .child(tree.target(entry.value), "recipient")
                .and_then(|field| tree.scalar(tree.target(field.value)))
                .map(|scalar| scalar.text.trim().to_owned());
            if recipient.is_some_and(|recipient| kept.contains(&recipient)) {
                left += 1;
            } else {
                edits.remove(entry_lines(&tree, entry));
            }
        }
        let mut added = String::new();
        for entry in new {
            added.push_str(&age_entry(entry, column));
            added.push('\n');
        }
        if left == 0 && new.is_empty() {
            return Err(SealError::NoRecipients);
        }
        if let Some(last) = entries.last().filter(|_| !added.is_empty()) {
            let end = entry_lines(&tree, last).end;
            // The list may be the last thing of the entry, which has no line break at its end.
            if end == tree.text.len() && !tree.text.ends_with('\n') {
                edits.insert(end, &format!("\n{added}"));
            } else {
                edits.insert(end, &added);
            }
        }
        self.edited(edits)
    }

    fn in_block_style(tree: &Tree) -> Result<Self, SealError> {
        let layout = Layout { indent: 4, step: 4 };
        let lines = tree.render(metadata_node(tree), layout, &(0..tree.text.len()));
        let text = Self(format!("{METADATA_KEY}:\n{}", lines.trim_end()));
        let is_block = text
            .tree()
            .ok()
            .and_then(|tree| age_list(&tree).map(|list| !tree.node(list).inside_flow))
            .unwrap_or(false);
        if is_block {
            Ok(text)
        } else {
            Err(unforeseen("the `sops` entry cannot be rewritten"))
        }
    }

    fn edited(&self, edits: Edits) -> Result<Self, SealError> {
        let text = edits
            .apply(&self.0)
            .map_err(|Overlap| unforeseen("the `sops` entry's layout is not understood"))?;
        Ok(Self(text.trim_end_matches('\n').to_owned()))
    }
}

fn metadata_node(tree: &Tree) -> NodeId {
    let root = tree.documents[0].root;
    tree.child(root, METADATA_KEY)
        .map_or(root, |entry| tree.target(entry.value))
}

/// The one list of age recipients: flat, or of the only key group.
fn age_list(tree: &Tree) -> Option<NodeId> {
    let metadata = metadata_node(tree);
    let filled_list = |parent: NodeId, name: &str| {
        let id = tree.target(tree.child(parent, name)?.value);
        let list = tree.collection(id).filter(|c| c.shape == Shape::List)?;
        list.entries()
            .next()
            .map(|first| (id, tree.target(first.value)))
    };
    if let Some((list, _)) = filled_list(metadata, "age") {
        return Some(list);
    }
    let (_, group) = filled_list(metadata, "key_groups")?;
    filled_list(group, "age").map(|(list, _)| list)
}

/// An item's lines, with the line break after it.
fn entry_lines(tree: &Tree, entry: &Entry) -> Range<usize> {
    let end = tree.next_line(tree.node(entry.value).span.end);
    tree.line_start(entry.start)..end
}

fn set_field(tree: &Tree, name: &str, text: &str, edits: &mut Edits) -> Result<(), SealError> {
    let node = metadata_node(tree);
    if let Some(entry) = tree.child(node, name) {
        edits.put_scalar(tree, entry.value, text);
        return Ok(());
    }
    let collection = tree
        .collection(node)
        .ok_or_else(|| unforeseen("the `sops` entry is not a map"))?;
    if collection.style == Style::Flow {
        return Err(unforeseen("the `sops` entry lacks a field"));
    }
    let line = format!("\n{}{name}: {text}", " ".repeat(tree.node(node).column));
    edits.insert(tree.text.len(), &line);
    Ok(())
}

fn is_older(tree: &Tree) -> bool {
    let numbers = |text: &str| -> Vec<u32> {
        let text = text.trim_start_matches('v');
        text.split('.')
            .map(|part| part.parse().unwrap_or(0))
            .collect()
    };
    tree.child(metadata_node(tree), "version")
        .and_then(|entry| tree.scalar(tree.target(entry.value)))
        .is_none_or(|scalar| numbers(&scalar.text) < numbers(FORMAT_VERSION))
}

/// One item of an `age` list whose dashes stand at `column`.
fn age_entry(entry: &NewEntry, column: usize) -> String {
    let margin = " ".repeat(column);
    let recipient = print_text(&entry.recipient, Place::OneLine);
    let mut text = format!("{margin}- enc: |");
    for line in entry.enc.trim().lines() {
        text.extend(["\n", &margin, "    ", line]);
    }
    text.extend(["\n", &margin, "  recipient: ", recipient.as_str()]);
    text
}

fn unforeseen(reason: &str) -> SealError {
    SealError::ReadBack {
        reason: reason.to_owned(),
    }
}
