//! The text of the `sops` entry: kept as found, with only the spans replaced that must change.

use super::NewKeys;
use super::key_text::key_fields;
use crate::sops::document::splice::{Edits, Overlap};
use crate::sops::document::tree::{NodeId, Style, Tree};
use crate::sops::error::{ParseError, SealError};
use crate::sops::selector::{MacScope, Selector, SelectorRule};
use crate::sops::stores::yaml::print::{Place, double_quoted, print_text};
use crate::sops::stores::yaml::render::Layout;
use crate::sops::walk::METADATA_KEY;

/// The version of sops whose format this is.
const FORMAT_VERSION: &str = "3.13.2";

/// The entry as lines from its key to its last value, at column 0, without the last line break.
#[derive(Debug, Clone)]
pub(in crate::sops) struct MetadataText(pub(super) String);

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
    /// A new entry for `keys`, not stamped yet, indented by `indent` blanks; by as many as sops if nothing is said.
    pub(in crate::sops) fn fresh(
        keys: &NewKeys,
        selector: &Selector,
        indent: Option<usize>,
    ) -> Self {
        // What go-yaml writes: it takes any other number for none.
        let step = indent.filter(|step| (2..10).contains(step)).unwrap_or(4);
        let margin = " ".repeat(step);
        let (field, value) = selector.rule.field();
        let value = print_text(value, Place::OneLine);
        let mut fields = key_fields(keys, step, step);
        for (name, value) in [
            ("lastmodified", "\"\""),
            ("mac", "\"\""),
            (field, value.as_str()),
            ("version", FORMAT_VERSION),
        ] {
            fields.push((name, format!("{margin}{name}: {value}\n")));
        }
        if selector.mac_scope == MacScope::OnlyEncrypted {
            let line = format!("{margin}mac_only_encrypted: true\n");
            fields.push(("mac_only_encrypted", line));
        }
        fields.sort();
        let lines: String = fields.into_iter().map(|(_, lines)| lines).collect();
        Self(format!("{METADATA_KEY}:\n{}", lines.trim_end()))
    }

    /// The entry without the field that says which values are encrypted.
    pub(in crate::sops) fn without_selector(&self) -> Self {
        let is_selector = |line: &&str| {
            let name = line.trim_start().split(':').next().unwrap_or_default();
            SelectorRule::FIELDS.contains(&name)
        };
        let lines: Vec<&str> = self.0.split('\n').filter(|it| !is_selector(it)).collect();
        Self(lines.join("\n"))
    }

    /// The entry as it stands in the first document of a sealed text, and its own tree.
    pub(in crate::sops) fn of(tree: &Tree) -> Result<(Self, Tree), ParseError> {
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
        if let Ok(tree) = text.tree()
            && tree.collection(metadata_node(&tree)).is_some()
        {
            return Ok((text, tree));
        }
        // An alias, a tag or a shape that does not stand alone: written anew.
        let layout = Layout { indent: 4, step: 4 };
        let lines = tree.render(entry.value, layout, &(0..tree.text.len()));
        Self(format!("{METADATA_KEY}:\n{}", lines.trim_end())).read()
    }

    /// The text with its tree.
    pub(in crate::sops) fn read(self) -> Result<(Self, Tree), ParseError> {
        let tree = self.tree()?;
        Ok((self, tree))
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

    /// From YAML lines of such an entry.
    pub(in crate::sops) fn from_yaml(text: String) -> Self {
        Self(text)
    }

    /// The text as a tree, whose root has the entry only.
    pub(in crate::sops) fn tree(&self) -> Result<Tree, ParseError> {
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

    pub(super) fn edited(&self, edits: Edits) -> Result<Self, SealError> {
        let text = edits
            .apply(&self.0)
            .map_err(|Overlap| unforeseen("the `sops` entry's layout is not understood"))?;
        Ok(Self(text.trim_end_matches('\n').to_owned()))
    }
}

pub(super) fn metadata_node(tree: &Tree) -> NodeId {
    let root = tree.documents[0].root;
    tree.child(root, METADATA_KEY)
        .map_or(root, |entry| tree.target(entry.value))
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

pub(super) fn unforeseen(reason: &str) -> SealError {
    SealError::ReadBack {
        reason: reason.to_owned(),
    }
}
