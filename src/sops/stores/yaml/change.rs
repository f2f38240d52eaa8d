//! Setting and removing single values of a plain text, by replacing as little of it as possible.

use super::print::{Place, print_text};
use super::render::Layout;
use crate::sops::document::splice::{Edits, Overlap};
use crate::sops::document::tree::{Collection, Entry, Kind, NodeId, Shape, Style, Tree};
use crate::sops::error::EditError;
use crate::sops::value::Value;
use crate::sops::walk::METADATA_KEY;

impl Tree {
    /// The tree with the leaf at `path` set to the string `text`.
    pub(in crate::sops) fn with_value(
        &self,
        path: &[String],
        text: &str,
    ) -> Result<Self, EditError> {
        let cannot = |reason| unsuitable(path, reason);
        let (last, parents) = path
            .split_last()
            .ok_or_else(|| cannot("the path is empty"))?;
        if path[0] == METADATA_KEY {
            return Err(cannot("`sops` is reserved for the file's own metadata"));
        }
        if let Some(copy) = self.without_shared(path)? {
            return copy.with_value(path, text);
        }
        let mut edits = Edits::default();
        if let Some(node) = self.find(path) {
            if self.collection(node).is_some() {
                return Err(cannot("it is a map or a list, not a single value"));
            }
            edits.put_value(self, node, &Value::text(text));
            return self.changed(edits, path);
        }
        // How far the path exists already.
        let depth = (0..=parents.len())
            .rev()
            .find(|depth| self.find(&path[..*depth]).is_some())
            .ok_or_else(|| cannot("the file has no document"))?;
        let node = self
            .find(&path[..depth])
            .ok_or_else(|| cannot("the file has no document"))?;
        let missing = &path[depth..];
        debug_assert_eq!(missing.last(), Some(last));
        match &self.node(node).kind {
            Kind::Collection(collection) => self.add(node, collection, (missing, text), &mut edits),
            Kind::Scalar(_) if matches!(self.value(node), Some(Ok(Value::Null))) => {
                let layout = Layout {
                    indent: self.node(node).entry.column + self.indent_step(),
                    step: self.indent_step(),
                };
                let new = if self.place(node) == Place::OneLine {
                    nested_flow(missing, text)
                } else {
                    format!("\n{}", nested_block(missing, text, layout))
                };
                edits.put_scalar(self, node, &new);
                Ok(())
            }
            _ => Err("a single value stands on the way"),
        }
        .map_err(cannot)?;
        self.changed(edits, path)
    }

    /// The tree without the entry at `path`.
    pub(in crate::sops) fn without(&self, path: &[String]) -> Result<Self, EditError> {
        let not_found = || EditError::NotFound {
            path: path.join("."),
        };
        let (last, parents) = path.split_last().ok_or_else(not_found)?;
        if self.find(path).is_none() {
            return Err(not_found());
        }
        if let Some(copy) = self.without_shared(path)? {
            return copy.without(path);
        }
        let parent = self.find(parents).ok_or_else(not_found)?;
        let collection = self.collection(parent).ok_or_else(not_found)?;
        let entry = self.child(parent, last).ok_or_else(not_found)?;
        let mut edits = Edits::default();
        self.remove_entry(parent, collection, entry, &mut edits);
        self.changed(edits, path)
    }

    /// A copy with all aliases written out, if anything on `path` is shared through one.
    fn without_shared(&self, path: &[String]) -> Result<Option<Self>, EditError> {
        let has_alias = self
            .nodes
            .iter()
            .any(|node| matches!(node.kind, Kind::Alias(_)));
        let shared = (0..=path.len())
            .filter_map(|depth| self.find(&path[..depth]))
            .any(|id| self.target(id) != id || self.node(id).anchor.is_some());
        if !has_alias || !shared {
            return Ok(None);
        }
        let mut edits = Edits::default();
        self.expand_aliases(None, &mut edits);
        self.changed(edits, path).map(Some)
    }

    fn changed(&self, edits: Edits, path: &[String]) -> Result<Self, EditError> {
        let text = edits
            .apply(&self.text)
            .map_err(|Overlap| unsuitable(path, "the layout around it is not understood"))?;
        Ok(Self::parse(text.as_bytes())?)
    }

    /// Adds an entry at the end of the collection `id`.
    fn add(
        &self,
        id: NodeId,
        collection: &Collection,
        (missing, text): (&[String], &str),
        edits: &mut Edits,
    ) -> Result<(), &'static str> {
        let node = self.node(id);
        let last = collection.entries().last();
        if collection.shape == Shape::List {
            let next = collection.entries().count();
            if missing[0].parse() != Ok(next)
                || missing.len() > 1
                || collection.style == Style::Flow
            {
                return Err("the list has no such item");
            }
        }
        let step = self.indent_step();
        let is_root = self
            .documents
            .first()
            .is_some_and(|document| document.root == id);
        match (collection.style, last) {
            (Style::Block, Some(last)) => {
                let end = self.line_end(self.node(last.value).span.end.max(last.start));
                let layout = Layout {
                    indent: node.column,
                    step,
                };
                let new = if collection.shape == Shape::List {
                    let place = Place::Block {
                        indent: node.column + step,
                    };
                    format!(
                        "{}- {}",
                        " ".repeat(node.column),
                        print_text(text, place).as_str()
                    )
                } else {
                    nested_block(missing, text, layout)
                };
                edits.insert(end, &format!("{}{new}", self.line_break()));
            }
            (_, None) if is_root => {
                let layout = Layout { indent: 0, step };
                let document = &self.documents[0];
                let new = nested_block(missing, text, layout);
                if node.span.is_empty() {
                    let starts_line =
                        document.end == 0 || self.text[..document.end].ends_with('\n');
                    let break_before = if starts_line { "" } else { "\n" };
                    edits.insert(document.end, &format!("{break_before}{new}\n"));
                } else {
                    let before =
                        self.text[self.line_start(node.span.start)..node.span.start].trim();
                    let break_before = if before.is_empty() { "" } else { "\n" };
                    edits.replace(node.span.clone(), &format!("{break_before}{new}"));
                }
            }
            (_, None) => edits.replace(node.span.clone(), &nested_flow(missing, text)),
            (Style::Flow, Some(last)) => {
                let end = self.node(last.value).span.end.max(last.start);
                let inner = nested_flow(missing, text);
                edits.insert(end, &format!(", {}", &inner[1..inner.len() - 1]));
            }
        }
        Ok(())
    }

    fn remove_entry(&self, id: NodeId, collection: &Collection, entry: &Entry, edits: &mut Edits) {
        let node = self.node(id);
        let end = self
            .node(entry.value)
            .span
            .end
            .max(self.node(entry.value).entry.after);
        let next = collection.entries().find(|other| other.start > entry.start);
        let before = collection
            .entries()
            .take_while(|other| other.start < entry.start)
            .last();
        let empty = match collection.shape {
            Shape::Map => "{}",
            Shape::List => "[]",
        };
        let line = self.line_start(entry.start);
        let starts_line = self.text[line..entry.start]
            .trim_matches([' ', '\u{feff}'])
            .is_empty();
        match (collection.style, before, next) {
            (Style::Block, None, None) => {
                let from = if id == self.documents[0].root {
                    entry.start
                } else {
                    self.text[..entry.start].trim_end().len()
                };
                // A comment between the key and its block stays behind it: the brackets go before it.
                let key_end = node.entry.after;
                let rest = &self.text[key_end..];
                let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
                if id == self.documents[0].root {
                    edits.replace(from..end, empty);
                } else if rest[blanks..].starts_with(':')
                    && node.entry.is_keyed
                    && node.anchor.is_none()
                    && node.tag.is_none()
                {
                    edits.insert(key_end + blanks + 1, &format!(" {empty}"));
                    let from = from.max(key_end + blanks + 1);
                    edits.remove(from..end);
                } else {
                    edits.replace(from..end, &format!(" {empty}"));
                }
            }
            (Style::Block, _, Some(next)) if !starts_line => edits.remove(entry.start..next.start),
            (Style::Block, ..) => edits.remove(line..self.next_line(end)),
            (Style::Flow, _, Some(next)) => edits.remove(entry.start..next.start),
            (Style::Flow, Some(before), None) => {
                let from = self
                    .node(before.value)
                    .span
                    .end
                    .max(self.node(before.value).entry.after);
                edits.remove(from..end);
            }
            (Style::Flow, None, None) => edits.replace(node.span.clone(), empty),
        }
    }
}

/// `a:` over `b: text`, as lines without the last line break.
fn nested_block(path: &[String], text: &str, layout: Layout) -> String {
    let mut out = String::new();
    let mut indent = layout.indent;
    for (position, key) in path.iter().enumerate() {
        if position > 0 {
            out.push('\n');
        }
        out.push_str(&" ".repeat(indent));
        out.push_str(&print_text(key, Place::OneLine));
        out.push(':');
        indent += layout.step;
    }
    out.push(' ');
    out.push_str(&print_text(text, Place::Block { indent }));
    out
}

/// `{a: {b: text}}`.
fn nested_flow(path: &[String], text: &str) -> String {
    let mut out = String::new();
    for key in path {
        out.push('{');
        out.push_str(&print_text(key, Place::OneLine));
        out.push_str(": ");
    }
    out.push_str(&print_text(text, Place::OneLine));
    out.push_str(&"}".repeat(path.len()));
    out
}

fn unsuitable(path: &[String], reason: &'static str) -> EditError {
    EditError::Unsuitable {
        path: path.join("."),
        reason,
    }
}

#[cfg(test)]
mod tests;
