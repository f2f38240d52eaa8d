//! Setting and removing single values of YAML documents, by replacing as little of the text as possible.

use zeroize::Zeroizing;

use super::print::{Place, print, print_text};
use super::render::Layout;
use super::seal::set_apart;
use crate::sops::document::splice::{Edits, Overlap};
use crate::sops::document::tree::{Child, Collection, Entry, NodeId, Position, Shape, Style, Tree};
use crate::sops::error::EditError;
use crate::sops::stores::new_value::{NewContent, NewValue, not_found, unsuitable};

/// The tree with `new` at `path`; missing maps on the way are made.
pub(in crate::sops::stores) fn set(
    tree: &Tree,
    path: &[String],
    new: &NewValue,
) -> Result<Tree, EditError> {
    let target = tree.target_of(path, new)?;
    if let Some(copy) = tree.without_shared(path)? {
        return set(&copy, path, new);
    }
    let mut edits = Edits::default();
    let added = Nested {
        path: target.missing,
        content: &new.content,
    };
    match tree.collection(target.node) {
        Some(collection) if !target.missing.is_empty() => {
            tree.add(target.node, collection, added, &mut edits);
        }
        Some(collection) => tree.put_over(target.node, collection, added, &mut edits),
        None => tree.put_in(target.node, added, &mut edits),
    }
    tree.changed(edits, path)
}

/// The tree without the entry at `path`.
pub(in crate::sops::stores) fn unset(tree: &Tree, path: &[String]) -> Result<Tree, EditError> {
    let (last, parents) = path.split_last().ok_or_else(|| not_found(path))?;
    if tree.find(path).is_none() {
        return Err(not_found(path));
    }
    if let Some(copy) = tree.without_shared(path)? {
        return unset(&copy, path);
    }
    let parent = tree.find(parents).ok_or_else(|| not_found(path))?;
    let collection = tree.collection(parent).ok_or_else(|| not_found(path))?;
    let entry = tree.child(parent, last).ok_or_else(|| not_found(path))?;
    let mut edits = Edits::default();
    tree.remove_entry(parent, collection, entry, &mut edits);
    let is_last = (collection.last_entry()).is_some_and(|last| last.start == entry.start);
    let changed = tree.changed(edits, path)?;
    if is_last {
        return changed.with_end_set_apart(parents, path);
    }
    Ok(changed)
}

/// A value below keys that are not there yet.
#[derive(Clone, Copy)]
struct Nested<'a> {
    path: &'a [String],
    content: &'a NewContent,
}

impl<'a> Nested<'a> {
    fn split(self) -> Option<(&'a str, Self)> {
        let (first, path) = self.path.split_first()?;
        let content = self.content;
        Some((first, Self { path, content }))
    }

    /// On one line: `{a: {b: value}}`.
    fn flow(self) -> Zeroizing<String> {
        match (self.split(), self.content) {
            (Some((key, inner)), _) => Zeroizing::new(format!(
                "{{{}: {}}}",
                print_text(key, Place::OneLine).as_str(),
                inner.flow().as_str()
            )),
            (None, NewContent::Scalar(value)) => print(value, Place::OneLine),
            (None, NewContent::Collection(tree, node)) => tree.render_flow(*node),
        }
    }

    /// What stands behind a key's colon or a dash, with the blank or line break before it.
    fn block(self, layout: Layout) -> Zeroizing<String> {
        let text = match (self.split(), self.content) {
            (Some(_), _) => format!("\n{}", self.lines(layout).as_str()),
            (None, NewContent::Scalar(value)) => {
                let place = Place::Block {
                    indent: layout.indent,
                };
                format!(" {}", print(value, place).as_str())
            }
            (None, NewContent::Collection(tree, node)) => {
                let lines = tree.render(*node, layout, &(0..0));
                if lines.is_empty() {
                    format!(" {}", tree.render_flow(*node).as_str())
                } else {
                    format!("\n{}", lines.trim_end_matches('\n'))
                }
            }
        };
        Zeroizing::new(text)
    }

    /// `a:` over `b: value`, as lines without the last line break.
    fn lines(self, layout: Layout) -> Zeroizing<String> {
        let Some((key, inner)) = self.split() else {
            return Zeroizing::default();
        };
        let deeper = Layout {
            indent: layout.indent + layout.step,
            step: layout.step,
        };
        Zeroizing::new(format!(
            "{}{}:{}",
            " ".repeat(layout.indent),
            print_text(key, Place::OneLine).as_str(),
            inner.block(deeper).as_str()
        ))
    }
}

impl Tree {
    /// Puts `new` where a scalar is.
    fn put_in(&self, id: NodeId, new: Nested<'_>, edits: &mut Edits) {
        if let (true, NewContent::Scalar(value)) = (new.path.is_empty(), new.content) {
            edits.put_yaml_value(self, id, value);
            return;
        }
        let layout = Layout {
            indent: self.node(id).entry.column + self.indent_step(),
            step: self.indent_step(),
        };
        let text = if self.place(id) == Place::OneLine {
            new.flow()
        } else {
            new.block(layout)
        };
        edits.put_scalar(self, id, text.strip_prefix(' ').unwrap_or(&text));
    }

    /// Puts `new` where a map or a list is.
    fn put_over(&self, id: NodeId, old: &Collection, new: Nested<'_>, edits: &mut Edits) {
        let node = self.node(id);
        if old.style == Style::Flow {
            edits.replace(node.span.clone(), &new.flow());
            return;
        }
        let layout = Layout {
            indent: node.entry.column + self.indent_step(),
            step: self.indent_step(),
        };
        let after = node.entry.after;
        let rest = &self.text[after..];
        let blanks = rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
        let colon = usize::from(rest[blanks..].starts_with(':'));
        let start = after + if colon == 1 { blanks + 1 } else { 0 };
        // A comment behind the old value's last line would become a part of a new block.
        edits.replace(start..self.line_end(node.span.end), &new.block(layout));
    }

    /// A copy with all aliases written out, if anything on `path` is shared through one.
    fn without_shared(&self, path: &[String]) -> Result<Option<Self>, EditError> {
        let shared = (0..=path.len())
            .filter_map(|depth| self.find(&path[..depth]))
            .any(|id| self.target(id) != id || self.node(id).anchor.is_some());
        if !self.has_alias() || !shared {
            return Ok(None);
        }
        let mut edits = Edits::default();
        self.expand_aliases(None, &mut edits);
        self.changed(edits, path).map(Some)
    }

    /// The tree with a blank line behind the comments that now end the block at `parents`, where they need one.
    fn with_end_set_apart(self, parents: &[String], path: &[String]) -> Result<Self, EditError> {
        let mut edits = Edits::default();
        if let Some((id, block)) = self
            .find(parents)
            .and_then(|id| Some((id, self.collection(id)?)))
        {
            for child in &block.children {
                if let Child::Comment(comment) = child
                    && comment.position == Position::OwnLine
                {
                    set_apart(&self, (comment, id), &mut edits);
                }
            }
        }
        if edits.is_empty() {
            return Ok(self);
        }
        self.changed(edits, path)
    }

    fn changed(&self, edits: Edits, path: &[String]) -> Result<Self, EditError> {
        let text = edits
            .apply(&self.text)
            .map_err(|Overlap| unsuitable(path, "the layout around it is not understood"))?;
        Ok(self.again(&text)?)
    }

    /// Adds an entry at the end of the collection `id`.
    fn add(&self, id: NodeId, collection: &Collection, new: Nested<'_>, edits: &mut Edits) {
        let node = self.node(id);
        let step = self.indent_step();
        if collection.shape == Shape::List {
            self.add_item(id, collection, new, edits);
            return;
        }
        let is_root = self
            .documents
            .first()
            .is_some_and(|document| document.root == id);
        match (collection.style, collection.last_entry()) {
            (Style::Block, Some(last)) => {
                let end = self.line_end(self.node(last.value).span.end.max(last.start));
                let layout = Layout {
                    indent: node.column,
                    step,
                };
                let lines = Zeroizing::new(format!(
                    "{}{}",
                    self.line_break(),
                    new.lines(layout).as_str()
                ));
                edits.insert(end, &lines);
            }
            (_, None) if is_root => self.add_first(id, new, edits),
            (_, None) => self.add_only(id, new, edits),
            (Style::Flow, Some(last)) => {
                let end = self.node(last.value).span.end.max(last.start);
                let inner = new.flow();
                edits.insert(end, &format!(", {}", &inner[1..inner.len() - 1]));
            }
        }
    }

    /// Adds the only entry of a map, which says `{}`: as a block where a block can stand.
    fn add_only(&self, id: NodeId, new: Nested<'_>, edits: &mut Edits) {
        let node = self.node(id);
        let rest = &self.text[node.span.end..self.line_end(node.span.end)];
        let is_alone = rest.trim().is_empty() || rest.trim_start().starts_with('#');
        if node.inside_flow || !is_alone || node.tag.is_some() || node.anchor.is_some() {
            edits.replace(node.span.clone(), &new.flow());
            return;
        }
        let step = self.indent_step();
        let blanks = self.text[..node.span.start]
            .trim_end_matches([' ', '\t'])
            .len();
        if node.entry.is_keyed {
            let indent = node.entry.column + step;
            edits.remove(blanks..node.span.end);
            let lines = new.lines(Layout { indent, step });
            let lines = Zeroizing::new(format!("{}{}", self.line_break(), lines.as_str()));
            edits.insert(self.line_end(node.span.end), &lines);
        } else {
            let indent = node.column;
            let lines = new.lines(Layout { indent, step });
            edits.replace(node.span.clone(), lines.trim_start_matches(' '));
        }
    }

    /// Adds the only entry of the first document.
    fn add_first(&self, id: NodeId, new: Nested<'_>, edits: &mut Edits) {
        let node = self.node(id);
        let step = self.indent_step();
        let document = &self.documents[0];
        let lines = new.lines(Layout { indent: 0, step });
        if node.span.is_empty() {
            let starts_line = document.end == 0 || self.text[..document.end].ends_with('\n');
            let break_before = if starts_line { "" } else { "\n" };
            let lines = Zeroizing::new(format!("{break_before}{}\n", lines.as_str()));
            edits.insert(document.end, &lines);
        } else {
            let before = self.text[self.line_start(node.span.start)..node.span.start].trim();
            let break_before = if before.is_empty() { "" } else { "\n" };
            let lines = Zeroizing::new(format!("{break_before}{}", lines.as_str()));
            edits.replace(node.span.clone(), &lines);
        }
    }

    /// Adds an item at the end of a list.
    fn add_item(&self, id: NodeId, old: &Collection, new: Nested<'_>, edits: &mut Edits) {
        let node = self.node(id);
        let Some((_position, item)) = new.split() else {
            return;
        };
        match (old.style, old.last_entry()) {
            (Style::Block, Some(last)) => {
                let end = self.line_end(self.node(last.value).span.end.max(last.start));
                let layout = Layout {
                    indent: node.column + self.indent_step(),
                    step: self.indent_step(),
                };
                let text = Zeroizing::new(format!(
                    "{}{}-{}",
                    self.line_break(),
                    " ".repeat(node.column),
                    item.block(layout).as_str()
                ));
                edits.insert(end, &text);
            }
            (_, None) => edits.replace(node.span.clone(), &format!("[{}]", item.flow().as_str())),
            (Style::Flow, Some(last)) => {
                let end = self.node(last.value).span.end.max(last.start);
                edits.insert(end, &format!(", {}", item.flow().as_str()));
            }
        }
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

#[cfg(test)]
mod tests;
