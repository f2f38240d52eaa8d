//! From a text to its [`Tree`]: the events of the YAML parser, with spans, and the limits that hostile files meet.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use granit_parser::{Event, Parser, ScalarStyle, Span, StructureStyle};
use zeroize::Zeroizing;

use super::breaks::as_go_yaml;
use super::comments::{LooseComment, attach};
use super::scalar::{ScalarForm, resolve};
use super::source::{ItemStart, Source};
use crate::sops::document::tree::{
    Child, Collection, Document, Entry, EntryPlace, Key, Kind, Node, NodeId, Scalar, Shape, Style,
    Tag, Tree, indent_step, line_break,
};
use crate::sops::error::ParseError;
use crate::sops::stores::{DEEPEST_NESTING, LARGEST_TEXT_BYTES, Store};
use crate::sops::value::Value;

/// Parses `text` as YAML documents, each a map.
pub(in crate::sops) fn parse(text: &str) -> Result<Tree, ParseError> {
    refuse_lone_carriage_returns(text)?;
    Builder::new(text).build()
}

/// YAML takes one for a line break, as nobody's editor has for decades; what finds lines here does not.
fn refuse_lone_carriage_returns(text: &str) -> Result<(), ParseError> {
    for (at, _) in text.match_indices('\r') {
        if !text[at + 1..].starts_with('\n') {
            let line = text[..at].matches('\n').count() + 1;
            return Err(shape(line, "a carriage return stands without a line feed"));
        }
    }
    Ok(())
}

/// A collection that is still open.
struct Open {
    node: NodeId,
    /// The key that waits for its value.
    key: Option<PendingKey>,
    keys: HashSet<String>,
    /// Where the last child ended: a dash is looked for from here.
    cursor: usize,
}

struct PendingKey {
    key: Key,
    start: usize,
    column: usize,
}

struct Builder<'a> {
    text: &'a str,
    nodes: Vec<Node>,
    documents: Vec<Document>,
    comments: Vec<LooseComment>,
    /// By the parser's number of the anchor.
    anchors: HashMap<usize, NodeId>,
    open: Vec<Open>,
    root: Option<NodeId>,
    marker: Option<Range<usize>>,
}

impl<'a> Builder<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            nodes: Vec::new(),
            documents: Vec::new(),
            comments: Vec::new(),
            anchors: HashMap::new(),
            open: Vec::new(),
            root: None,
            marker: None,
        }
    }

    fn build(mut self) -> Result<Tree, ParseError> {
        self.read()?;
        if self.documents.is_empty() {
            return Err(ParseError::Empty);
        }
        let mut tree = Tree {
            text: Zeroizing::new(self.text.to_owned()),
            store: Store::Yaml,
            step: indent_step(&self.nodes),
            line_break: line_break(self.text),
            nodes: self.nodes,
            documents: self.documents,
        };
        attach(&mut tree, self.comments);
        Ok(tree)
    }

    /// Takes all events but comments, which are set aside: the parser gives them before the end of the block they follow.
    /// An event is taken when the next one is known, since an anchor comes after what it belongs to.
    fn read(&mut self) -> Result<(), ParseError> {
        let options = granit_parser::options! {
            emit_anchor_events: true,
            block_scalar_eof_without_line_feed: true,
            max_buffered_comment_events: LARGEST_TEXT_BYTES,
            flow_nesting_limit: DEEPEST_NESTING,
            block_nesting_limit: DEEPEST_NESTING,
        };
        let mut before: Option<(Event<'a>, Span)> = None;
        for event in Parser::new_from_str_with_options(self.text, options) {
            let (event, span) = event.map_err(|error| ParseError::Syntax {
                line: error.marker().line(),
                column: error.marker().col() + 1,
                reason: error.info(),
            })?;
            if let Event::Comment(text, _placement) = event {
                self.comments.push(LooseComment {
                    text: Zeroizing::new(text.into_owned()),
                    span: range(&span),
                    line: span.start.line(),
                    column: span.start.col(),
                });
                continue;
            }
            let anchor = matches!(event, Event::Anchor(..)).then(|| range(&span));
            if let Some((event, span)) = before.replace((event, span)) {
                self.take(&event, &span, anchor)?;
            }
        }
        match before {
            Some((event, span)) => self.take(&event, &span, None),
            None => Ok(()),
        }
    }

    fn take(
        &mut self,
        event: &Event<'a>,
        span: &Span,
        anchor: Option<Range<usize>>,
    ) -> Result<(), ParseError> {
        match event {
            Event::DocumentStart(explicit, _) => {
                self.anchors.clear();
                self.root = None;
                self.marker = explicit.then(|| range(span));
                if let (Some(marker), Some(last)) = (&self.marker, self.documents.last_mut()) {
                    last.end = last.end.min(marker.start);
                }
                Ok(())
            }
            Event::DocumentEnd => self.end_document(span),
            Event::Scalar(text, style, anchor_id, tag) => {
                let scalar = self.scalar(text, *style, span);
                let mut placed = self.placed(span, tag.as_deref(), anchor);
                if let Some(block) = &scalar.block {
                    placed.span = block.header.start..block.body.end;
                }
                self.place(placed, Kind::Scalar(scalar), *anchor_id)
            }
            Event::Alias(anchor_id) => {
                let target = self.alias_target(*anchor_id, span)?;
                let placed = self.placed(span, None, None);
                self.place(placed, Kind::Alias(target), 0)
            }
            Event::MappingStart(style, anchor_id, tag) => {
                let placed = self.placed(span, tag.as_deref(), anchor);
                self.begin(Shape::Map, *style, (placed, *anchor_id))
            }
            Event::SequenceStart(style, anchor_id, tag) => {
                let placed = self.placed(span, tag.as_deref(), anchor);
                self.begin(Shape::List, *style, (placed, *anchor_id))
            }
            Event::MappingEnd | Event::SequenceEnd => {
                self.end(span);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn end_document(&mut self, span: &Span) -> Result<(), ParseError> {
        let place = range(span);
        let explicit = self.text[place.clone()].starts_with("...");
        let at = self
            .marker
            .as_ref()
            .map_or(place.start, |marker| marker.end);
        let root = match self.root.take() {
            Some(root) if self.is_null(root) => {
                self.empty_root(self.nodes[root].span.clone(), span)
            }
            Some(root) => root,
            None => self.empty_root(at..at, span),
        };
        if !matches!(&self.nodes[root].kind, Kind::Collection(c) if c.shape == Shape::Map) {
            return Err(shape(
                self.nodes[root].line,
                "a document must be a map at its top, not a list or a single value",
            ));
        }
        self.documents.push(Document {
            root,
            end: if explicit {
                place.start
            } else {
                self.text.len()
            },
        });
        Ok(())
    }

    fn is_null(&self, root: NodeId) -> bool {
        match &self.nodes[root].kind {
            Kind::Scalar(scalar) => {
                let tag = self.nodes[root].tag.as_ref().map(|tag| tag.name.as_str());
                matches!(resolve(&scalar.text, scalar.form, tag), Ok(Value::Null))
            }
            Kind::Collection(_) | Kind::Alias(_) => false,
        }
    }

    fn empty_root(&mut self, span: Range<usize>, at: &Span) -> NodeId {
        self.nodes.push(Node {
            kind: Kind::Collection(Collection {
                shape: Shape::Map,
                style: Style::Block,
                children: Vec::new(),
            }),
            span,
            line: at.start.line(),
            column: 0,
            tag: None,
            anchor: None,
            inside_flow: false,
            entry: EntryPlace::default(),
        });
        self.nodes.len() - 1
    }

    /// A node without content yet.
    fn placed(
        &self,
        span: &Span,
        tag: Option<&granit_parser::Tag>,
        anchor: Option<Range<usize>>,
    ) -> Node {
        let inside_flow = self.open.last().is_some_and(|open| {
            matches!(&self.nodes[open.node].kind, Kind::Collection(c) if c.style == Style::Flow)
        });
        let tag = tag.filter(|tag| tag.original() != "!").map(|tag| Tag {
            name: tag.suffix_in_namespace("tag:yaml.org,2002:").map_or_else(
                || format!("!{}", tag.suffix()),
                std::borrow::Cow::into_owned,
            ),
            span: span.tag_span().map_or(0..0, |span| range(&span)),
        });
        Node {
            kind: Kind::Alias(0),
            span: range(span),
            line: span.start.line(),
            column: span.start.col(),
            tag,
            anchor,
            inside_flow,
            entry: EntryPlace::default(),
        }
    }

    fn alias_target(&self, anchor_id: usize, span: &Span) -> Result<NodeId, ParseError> {
        let line = span.start.line();
        let target = *self
            .anchors
            .get(&anchor_id)
            .ok_or_else(|| shape(line, "the alias has no anchor"))?;
        if self.open.iter().any(|open| open.node == target) {
            return Err(shape(line, "the alias stands inside its own anchor"));
        }
        Ok(target)
    }

    fn scalar(&self, text: &str, style: ScalarStyle, span: &Span) -> Scalar {
        let form = match style {
            ScalarStyle::Plain => ScalarForm::Plain,
            ScalarStyle::Literal | ScalarStyle::Folded => ScalarForm::Block,
            _ => ScalarForm::Quoted,
        };
        let empty = form == ScalarForm::Plain && range(span).is_empty();
        Scalar {
            // The parser writes `~` for what is not there.
            text: if empty {
                Zeroizing::default()
            } else {
                as_go_yaml(text, style, (self.text, range(span)))
            },
            form,
            block: (form == ScalarForm::Block).then(|| {
                Source(self.text)
                    .block_spans(range(span), &self.comments)
                    .into()
            }),
        }
    }

    fn begin(
        &mut self,
        shape_of: Shape,
        style: StructureStyle,
        (placed, anchor_id): (Node, usize),
    ) -> Result<(), ParseError> {
        if self.open.len() >= DEEPEST_NESTING {
            return Err(shape(placed.line, "it is nested too deeply"));
        }
        let kind = Kind::Collection(Collection {
            shape: shape_of,
            style: match style {
                StructureStyle::Block => Style::Block,
                StructureStyle::Flow => Style::Flow,
            },
            children: Vec::new(),
        });
        self.place(placed, kind, anchor_id)?;
        let node = self.nodes.len() - 1;
        if shape_of == Shape::List && style == StructureStyle::Block {
            self.correct_list_start(node);
        }
        let cursor = self.nodes[node].span.start;
        self.open.push(Open {
            node,
            key: None,
            keys: HashSet::new(),
            cursor,
        });
        Ok(())
    }

    /// The parser says that a list as deep as its key begins behind its first dash; here it begins at it.
    fn correct_list_start(&mut self, id: NodeId) {
        let node = &self.nodes[id];
        let tag_end = node.tag.as_ref().map_or(0, |tag| tag.span.end);
        let anchor_end = node.anchor.as_ref().map_or(0, |anchor| anchor.end);
        let from = node.entry.after.max(tag_end).max(anchor_end);
        let rest = &self.text[from..];
        let from =
            from + (rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n', ':']).len());
        if let Some(dash) = Source(self.text).find_dash(from) {
            let column = Source(self.text).column_of(dash);
            let node = &mut self.nodes[id];
            node.span = dash..dash.max(node.span.end);
            node.column = column;
        }
    }

    fn end(&mut self, span: &Span) {
        let Some(closed) = self.open.pop() else {
            return;
        };
        let node = &mut self.nodes[closed.node];
        node.span.end = match &node.kind {
            Kind::Collection(collection) if collection.style == Style::Flow => range(span).end,
            _ => closed.cursor.max(node.span.start),
        };
        let end = node.span.end;
        if let Some(parent) = self.open.last_mut() {
            parent.cursor = end;
        }
    }

    /// Puts a node where it belongs: the root, a key, a value or an item.
    fn place(&mut self, mut node: Node, kind: Kind, anchor_id: usize) -> Result<(), ParseError> {
        node.kind = kind;
        let Some(open) = self.open.last() else {
            let id = self.store(node, anchor_id);
            self.root = Some(id);
            return Ok(());
        };
        let is_map =
            matches!(&self.nodes[open.node].kind, Kind::Collection(c) if c.shape == Shape::Map);
        if is_map && open.key.is_none() {
            return self.place_key(node, anchor_id);
        }
        let item = if is_map {
            None
        } else {
            Some(self.item_start(&node))
        };
        let end = node.content_end();
        let pending = self.open.last_mut().and_then(|open| open.key.take());
        let (key, start, column, dash_end) = match (pending, item) {
            (Some(pending), _) => (Some(pending.key), pending.start, pending.column, end),
            (None, Some(item)) => (None, item.start, item.column, item.dash_end),
            (None, None) => (None, end, node.column, end),
        };
        node.entry = EntryPlace {
            column,
            after: key.as_ref().map_or(dash_end, |key| key.span.end),
            is_keyed: key.is_some(),
        };
        let after = node.entry.after;
        let id = self.store(node, anchor_id);
        let Some(open) = self.open.last_mut() else {
            return Ok(());
        };
        open.cursor = open.cursor.max(end).max(after);
        let entry = Entry {
            key,
            start,
            column,
            value: id,
        };
        if let Kind::Collection(collection) = &mut self.nodes[open.node].kind {
            collection.children.push(Child::Entry(entry));
        }
        Ok(())
    }

    fn place_key(&mut self, node: Node, anchor_id: usize) -> Result<(), ParseError> {
        let line = node.line;
        let scalar = match &node.kind {
            Kind::Scalar(scalar) => (scalar, node.tag.as_ref()),
            Kind::Alias(target) => match &self.nodes[*target].kind {
                Kind::Scalar(scalar) => (scalar, self.nodes[*target].tag.as_ref()),
                _ => return Err(shape(line, "a map or list cannot be a key")),
            },
            Kind::Collection(_) => return Err(shape(line, "a map or list cannot be a key")),
        };
        let tag = scalar.1.map(|tag| tag.name.as_str());
        let text = match resolve(&scalar.0.text, scalar.0.form, tag) {
            Ok(Value::Text(bytes)) => String::from_utf8(bytes.to_vec()).ok(),
            _ => None,
        };
        let Some(text) = text else {
            return Err(shape(line, "a key must be a string: put it in quotes"));
        };
        let mut start = node.span.start;
        for place in [node.tag.as_ref().map(|tag| &tag.span), node.anchor.as_ref()]
            .into_iter()
            .flatten()
        {
            start = start.min(place.start);
        }
        let before = self.text[..start].trim_end_matches([' ', '\t']);
        if before.ends_with('?') && start > before.len() {
            start = before.len() - 1;
        }
        let column = if node.inside_flow {
            node.column
        } else {
            Source(self.text).column_of(start)
        };
        let (end, span) = (node.content_end(), node.span.clone());
        if anchor_id != 0 || matches!(node.kind, Kind::Alias(_)) {
            // Any other key is in its entry: nobody asks for it as a node.
            self.store(node, anchor_id);
        }
        let Some(open) = self.open.last_mut() else {
            return Ok(());
        };
        if !open.keys.insert(text.clone()) {
            return Err(shape(line, "the same key stands twice in this map"));
        }
        open.cursor = open.cursor.max(end);
        open.key = Some(PendingKey {
            key: Key { text, span },
            start,
            column,
        });
        Ok(())
    }

    fn store(&mut self, node: Node, anchor_id: usize) -> NodeId {
        self.nodes.push(node);
        let id = self.nodes.len() - 1;
        if anchor_id != 0 {
            self.anchors.insert(anchor_id, id);
        }
        id
    }

    /// Where an item's dash stands; in flow style, or where no dash is found, the item itself.
    fn item_start(&self, node: &Node) -> ItemStart {
        let open = self.open.last().filter(|_| !node.inside_flow);
        open.and_then(|open| Source(self.text).item_start(open.cursor))
            .unwrap_or(ItemStart {
                start: node.span.start,
                column: node.column,
                dash_end: node.span.start,
            })
    }
}

fn range(span: &Span) -> Range<usize> {
    span.byte_range().unwrap_or(0..0)
}

fn shape(line: usize, reason: &str) -> ParseError {
    ParseError::Shape {
        line,
        reason: reason.to_owned(),
    }
}
