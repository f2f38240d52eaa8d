//! A `.sops.yaml` as nodes with their places in the text, which a typed reader drops.

use std::collections::HashMap;
use std::ops::Range;

use granit_parser::{Event, Options, Parser, ScalarStyle, Span, StructureStyle};

/// Position of a node in the tree.
pub(super) type NodeId = usize;

/// One node.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) kind: Kind,
    /// Where its content stands, without its anchor. Of a collection in block style, only the beginning is sure.
    pub(super) span: Range<usize>,
    /// Its `&name`, with where that stands.
    pub(super) anchor: Option<(String, Range<usize>)>,
}

#[derive(Debug, Clone)]
pub(super) enum Kind {
    Scalar {
        text: String,
        style: Style,
    },
    List {
        flow: Flow,
        items: Vec<NodeId>,
    },
    Map {
        flow: Flow,
        entries: Vec<(NodeId, NodeId)>,
    },
    Alias(NodeId),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Quoted,
    Block,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    Flow,
    Block,
}

/// The nodes of the first document.
#[derive(Debug, Clone, Default)]
pub(super) struct Tree {
    pub(super) nodes: Vec<Node>,
    pub(super) root: Option<NodeId>,
}

struct Builder {
    tree: Tree,
    anchors: HashMap<usize, NodeId>,
    /// Open collections, with the key that waits for its value.
    open: Vec<(NodeId, Option<NodeId>)>,
}

impl Tree {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut options = Options::default();
        options.emit_anchor_events = true;
        let mut builder = Builder {
            tree: Self::default(),
            anchors: HashMap::new(),
            open: Vec::new(),
        };
        for event in Parser::new_from_str_with_options(text, options) {
            let (event, span) = event
                .map_err(|error| format!("line {}: {}", error.marker().line(), error.info()))?;
            if matches!(event, Event::DocumentEnd) {
                break;
            }
            builder.take(event, &span);
        }
        Ok(builder.tree)
    }

    /// The node itself, or what it is an alias of.
    pub(super) fn target(&self, id: NodeId) -> NodeId {
        match self.nodes[id].kind {
            Kind::Alias(target) => target,
            _ => id,
        }
    }

    pub(super) fn scalar(&self, id: NodeId) -> Option<&str> {
        match &self.nodes[self.target(id)].kind {
            Kind::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    pub(super) fn items(&self, id: NodeId) -> &[NodeId] {
        match &self.nodes[self.target(id)].kind {
            Kind::List { items, .. } => items,
            _ => &[],
        }
    }

    pub(super) fn entries(&self, id: NodeId) -> &[(NodeId, NodeId)] {
        match &self.nodes[self.target(id)].kind {
            Kind::Map { entries, .. } => entries,
            _ => &[],
        }
    }

    /// The value of `key` in a map.
    pub(super) fn child(&self, id: NodeId, key: &str) -> Option<NodeId> {
        let mut entries = self.entries(id).iter();
        let found = entries.find(|(name, _)| self.scalar(*name) == Some(key))?;
        Some(found.1)
    }

    /// Where the node begins, with its anchor.
    pub(super) fn start(&self, id: NodeId) -> usize {
        let node = &self.nodes[id];
        let first_child = match &node.kind {
            Kind::Map {
                flow: Flow::Block,
                entries,
            } => entries.first().map(|(key, _)| self.start(*key)),
            _ => None,
        };
        let content = first_child.unwrap_or(node.span.start);
        node.anchor
            .as_ref()
            .map_or(content, |(_, anchor)| anchor.start)
    }

    /// Where the last character of the node is, or that of its last child.
    pub(super) fn end(&self, text: &str, id: NodeId) -> usize {
        let node = &self.nodes[id];
        let last = match &node.kind {
            Kind::List {
                flow: Flow::Block,
                items,
            } => items.last().copied(),
            Kind::Map {
                flow: Flow::Block,
                entries,
            } => entries.last().map(|(_, value)| *value),
            _ => None,
        };
        if let Some(last) = last {
            return self.end(text, last);
        }
        let end = node.span.end.max(node.span.start);
        // A block scalar's place ends with its line breaks.
        node.span.start + text[node.span.start..end].trim_end().len()
    }
}

impl Builder {
    fn take(&mut self, event: Event<'_>, span: &Span) {
        let place = span.byte_range().unwrap_or(0..0);
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let style = match style {
                    ScalarStyle::Plain => Style::Plain,
                    ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
                    _ => Style::Quoted,
                };
                let empty = style == Style::Plain && place.is_empty();
                let text = if empty {
                    String::new()
                } else {
                    text.into_owned()
                };
                self.place(Kind::Scalar { text, style }, place, anchor);
            }
            Event::Alias(anchor) => {
                if let Some(target) = self.anchors.get(&anchor).copied() {
                    self.place(Kind::Alias(target), place, 0);
                }
            }
            Event::SequenceStart(style, anchor, _) => {
                let flow = flow(style);
                let items = Vec::new();
                let id = self.place(Kind::List { flow, items }, place, anchor);
                self.open.push((id, None));
            }
            Event::MappingStart(style, anchor, _) => {
                let flow = flow(style);
                let entries = Vec::new();
                let id = self.place(Kind::Map { flow, entries }, place, anchor);
                self.open.push((id, None));
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some((id, _)) = self.open.pop() {
                    let end = place.end;
                    let span = &mut self.tree.nodes[id].span;
                    span.end = end.max(span.start);
                }
            }
            Event::Anchor(number, name) => {
                if let Some(id) = self.anchors.get(&number) {
                    self.tree.nodes[*id].anchor = Some((name.into_owned(), place));
                }
            }
            _ => {}
        }
    }

    fn place(&mut self, kind: Kind, span: Range<usize>, anchor: usize) -> NodeId {
        let id = self.tree.nodes.len();
        self.tree.nodes.push(Node {
            kind,
            span,
            anchor: None,
        });
        if anchor != 0 {
            self.anchors.insert(anchor, id);
        }
        match self.open.last_mut() {
            None => self.tree.root = self.tree.root.or(Some(id)),
            Some((parent, key)) => match &mut self.tree.nodes[*parent].kind {
                Kind::List { items, .. } => items.push(id),
                Kind::Map { entries, .. } => match key.take() {
                    None => *key = Some(id),
                    Some(key) => entries.push((key, id)),
                },
                Kind::Scalar { .. } | Kind::Alias(_) => {}
            },
        }
        id
    }
}

fn flow(style: StructureStyle) -> Flow {
    match style {
        StructureStyle::Flow => Flow::Flow,
        StructureStyle::Block => Flow::Block,
    }
}
