//! Writing a subtree as fresh block YAML: for aliases that must become copies, and for documents in flow style.

use std::ops::Range;

use zeroize::Zeroizing;

use super::print::{Place, print, print_text};
use crate::sops::document::tree::{Child, Collection, Kind, NodeId, Shape, Tree};

/// Where fresh text is to stand.
#[derive(Debug, Clone, Copy)]
pub(in crate::sops) struct Layout {
    pub(in crate::sops) indent: usize,
    pub(in crate::sops) step: usize,
}

impl Layout {
    fn deeper(self) -> Self {
        Self {
            indent: self.indent + self.step,
            step: self.step,
        }
    }

    fn margin(self) -> String {
        " ".repeat(self.indent)
    }
}

impl Tree {
    /// The children of the collection `id` as lines, each ending in a line break; aliases become copies.
    ///
    /// Comments outside `within` are left out: they stay where they are in the text.
    pub(in crate::sops) fn render(
        &self,
        id: NodeId,
        layout: Layout,
        within: &Range<usize>,
    ) -> Zeroizing<String> {
        let mut out = Zeroizing::new(String::new());
        self.render_lines(self.target(id), layout, within, &mut out);
        out
    }

    fn render_lines(&self, id: NodeId, layout: Layout, within: &Range<usize>, out: &mut String) {
        let Some(collection) = self.collection(id) else {
            return;
        };
        for child in &collection.children {
            match child {
                Child::Comment(comment) if within.contains(&comment.span.start) => {
                    out.push_str(&layout.margin());
                    out.push('#');
                    out.push_str(&comment.text);
                    out.push('\n');
                }
                Child::Comment(_) => {}
                Child::Entry(entry) => {
                    out.push_str(&layout.margin());
                    match &entry.key {
                        Some(key) => {
                            out.push_str(&print_text(&key.text, Place::OneLine));
                            out.push(':');
                        }
                        None => out.push('-'),
                    }
                    self.render_value(self.target(entry.value), layout.deeper(), within, out);
                }
            }
        }
    }

    fn render_value(&self, id: NodeId, layout: Layout, within: &Range<usize>, out: &mut String) {
        match self.collection(id) {
            Some(collection) if collection.entries().next().is_some() => {
                out.push('\n');
                self.render_lines(id, layout, within, out);
            }
            Some(collection) => {
                out.push_str(empty(collection));
                out.push('\n');
            }
            None => {
                out.push(' ');
                out.push_str(&self.render_scalar(
                    id,
                    Place::Block {
                        indent: layout.indent,
                    },
                ));
                out.push('\n');
            }
        }
    }

    /// One scalar; what cannot be typed stays as it is written.
    pub(in crate::sops) fn render_scalar(&self, id: NodeId, place: Place) -> Zeroizing<String> {
        match self.value(id) {
            Some(Ok(value)) => print(&value, place),
            _ => Zeroizing::new(self.text[self.node(id).span.clone()].to_owned()),
        }
    }

    /// A subtree on one line, for a place inside a flow collection; comments are left out.
    pub(in crate::sops) fn render_flow(&self, id: NodeId) -> Zeroizing<String> {
        let id = self.target(id);
        let Kind::Collection(collection) = &self.node(id).kind else {
            return self.render_scalar(id, Place::OneLine);
        };
        let mut out = Zeroizing::new(String::new());
        let (open, close) = match collection.shape {
            Shape::Map => ('{', '}'),
            Shape::List => ('[', ']'),
        };
        out.push(open);
        for (position, entry) in collection.entries().enumerate() {
            if position > 0 {
                out.push_str(", ");
            }
            if let Some(key) = &entry.key {
                out.push_str(&print_text(&key.text, Place::OneLine));
                out.push_str(": ");
            }
            out.push_str(&self.render_flow(entry.value));
        }
        out.push(close);
        out
    }
}

fn empty(collection: &Collection) -> &'static str {
    match collection.shape {
        Shape::Map => " {}",
        Shape::List => " []",
    }
}
