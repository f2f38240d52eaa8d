//! The tree of a text, with the place of everything in it. The text itself stays the truth: edits replace spans.

use std::ops::Range;

use zeroize::Zeroizing;

use crate::sops::stores::Store;
use crate::sops::stores::yaml::scalar::ScalarForm;
use crate::sops::value::Value;

/// The place of a node in [`Tree::nodes`].
pub(in crate::sops) type NodeId = usize;

/// A parsed text. May hold secrets: no `Debug`.
pub(in crate::sops) struct Tree {
    pub(in crate::sops) text: Zeroizing<String>,
    /// What the text is written in.
    pub(in crate::sops) store: Store,
    pub(in crate::sops) nodes: Vec<Node>,
    pub(in crate::sops) documents: Vec<Document>,
    /// By how many blanks the text indents.
    pub(in crate::sops) step: usize,
    /// The line break that the text uses.
    pub(in crate::sops) line_break: &'static str,
}

/// The line break that `text` uses.
pub(in crate::sops) fn line_break(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

/// By how many blanks the first nested block among `nodes` is indented.
pub(in crate::sops) fn indent_step(nodes: &[Node]) -> usize {
    const USUAL: usize = 4;
    nodes
        .iter()
        .filter(|node| matches!(&node.kind, Kind::Collection(c) if c.style == Style::Block))
        .filter(|node| node.entry.is_keyed)
        .find_map(|node| {
            node.column
                .checked_sub(node.entry.column)
                .filter(|step| *step > 1)
        })
        .unwrap_or(USUAL)
}

/// One document of the text.
pub(in crate::sops) struct Document {
    /// Always a collection; an empty document has an empty map of no width.
    pub(in crate::sops) root: NodeId,
    /// Where it ends: the start of `...`, of the next `---`, or the end of the text.
    pub(in crate::sops) end: usize,
}

/// A scalar, a collection, or an alias to one.
pub(in crate::sops) struct Node {
    pub(in crate::sops) kind: Kind,
    /// The content without tag and anchor. A block scalar begins at its `|` or `>`; a block collection ends where its
    /// last child does.
    pub(in crate::sops) span: Range<usize>,
    /// Line, from 1.
    pub(in crate::sops) line: usize,
    /// Column, from 0. For a block collection, that of its keys or dashes.
    pub(in crate::sops) column: usize,
    pub(in crate::sops) tag: Option<Tag>,
    pub(in crate::sops) anchor: Option<Range<usize>>,
    /// Whether it stands inside `[…]` or `{…}`.
    pub(in crate::sops) inside_flow: bool,
    pub(in crate::sops) entry: EntryPlace,
}

/// The entry whose value a node is, as far as printing at its place needs it.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::sops) struct EntryPlace {
    /// Column of the key or dash.
    pub(in crate::sops) column: usize,
    /// Where the key (before its colon) or the dash ends.
    pub(in crate::sops) after: usize,
    /// Whether it is a map's entry.
    pub(in crate::sops) is_keyed: bool,
}

impl Node {
    /// A node of a store without nesting by columns, tags and anchors.
    pub(in crate::sops) fn at_margin(
        kind: Kind,
        span: Range<usize>,
        line: usize,
        entry: EntryPlace,
    ) -> Self {
        Self {
            kind,
            span,
            line,
            column: 0,
            tag: None,
            anchor: None,
            inside_flow: false,
            entry,
        }
    }

    /// Where its own text ends; a collection's children are not its own.
    pub(in crate::sops) fn content_end(&self) -> usize {
        match &self.kind {
            Kind::Scalar(_) | Kind::Alias(_) => self.span.end,
            Kind::Collection(_) => self.span.start,
        }
    }
}

/// An explicit tag.
pub(in crate::sops) struct Tag {
    /// `int` for `!!int`; anything outside YAML's own tags keeps its `!`.
    pub(in crate::sops) name: String,
    pub(in crate::sops) span: Range<usize>,
}

impl Tag {
    /// Whether it decides the type of a scalar.
    pub(in crate::sops) fn is_yaml(&self) -> bool {
        !self.name.starts_with('!')
    }
}

pub(in crate::sops) enum Kind {
    Scalar(Scalar),
    Collection(Collection),
    Alias(NodeId),
}

pub(in crate::sops) struct Scalar {
    pub(in crate::sops) text: Zeroizing<String>,
    pub(in crate::sops) form: ScalarForm,
    /// Of a block scalar: header token, and lines from the end of the header's line to the last line with content.
    pub(in crate::sops) block: Option<Box<BlockSpans>>,
}

pub(in crate::sops) struct BlockSpans {
    pub(in crate::sops) header: Range<usize>,
    pub(in crate::sops) body: Range<usize>,
}

pub(in crate::sops) struct Collection {
    pub(in crate::sops) shape: Shape,
    pub(in crate::sops) style: Style,
    /// In the order in which sops walks them.
    pub(in crate::sops) children: Vec<Child>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sops) enum Shape {
    Map,
    List,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sops) enum Style {
    Block,
    Flow,
}

pub(in crate::sops) enum Child {
    Entry(Entry),
    Comment(Comment),
}

/// A map's entry or a list's item.
pub(in crate::sops) struct Entry {
    pub(in crate::sops) key: Option<Key>,
    /// Where it begins: its key (or the key's tag, anchor or `?`), or its dash.
    pub(in crate::sops) start: usize,
    pub(in crate::sops) column: usize,
    pub(in crate::sops) value: NodeId,
}

pub(in crate::sops) struct Key {
    pub(in crate::sops) text: String,
    pub(in crate::sops) span: Range<usize>,
}

pub(in crate::sops) struct Comment {
    /// Everything after the `#`.
    pub(in crate::sops) text: Zeroizing<String>,
    pub(in crate::sops) span: Range<usize>,
    /// Further places of the same comment, where a store takes several lines for one.
    pub(in crate::sops) rest: Vec<Range<usize>>,
    pub(in crate::sops) line: usize,
    pub(in crate::sops) position: Position,
}

/// Where a comment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sops) enum Position {
    OwnLine,
    /// After the scalar, or the key, of the entry that it comes before in the walk.
    AfterScalar,
    /// On the line of a dash, a tag or an anchor whose value is the block that it belongs to.
    AfterDash,
    /// Inside a flow collection, or after it on its last line.
    Flow,
}

impl Tree {
    pub(in crate::sops) fn indent_step(&self) -> usize {
        self.step
    }

    pub(in crate::sops) fn has_alias(&self) -> bool {
        self.nodes
            .iter()
            .any(|node| matches!(node.kind, Kind::Alias(_)))
    }

    pub(in crate::sops) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id]
    }

    /// The node itself, or what it is an alias of.
    pub(in crate::sops) fn target(&self, id: NodeId) -> NodeId {
        let mut id = id;
        while let Kind::Alias(target) = self.nodes[id].kind {
            id = target;
        }
        id
    }

    pub(in crate::sops) fn collection(&self, id: NodeId) -> Option<&Collection> {
        match &self.nodes[id].kind {
            Kind::Collection(collection) => Some(collection),
            Kind::Scalar(_) | Kind::Alias(_) => None,
        }
    }

    pub(in crate::sops) fn scalar(&self, id: NodeId) -> Option<&Scalar> {
        match &self.nodes[id].kind {
            Kind::Scalar(scalar) => Some(scalar),
            Kind::Collection(_) | Kind::Alias(_) => None,
        }
    }

    /// The typed value of a scalar node; `None` if it is no scalar.
    pub(in crate::sops) fn value(&self, id: NodeId) -> Option<Result<Value, &'static str>> {
        let scalar = self.scalar(id)?;
        let tag = self.nodes[id].tag.as_ref().map(|tag| tag.name.as_str());
        Some(self.store.value(scalar, tag))
    }

    /// The node at `path` in the first document, through aliases; list positions count from 0.
    ///
    /// Where a key stands several times, the first that leads to the end of the path.
    pub(in crate::sops) fn find(&self, path: &[String]) -> Option<NodeId> {
        self.trail(path)?.last().copied()
    }

    /// The nodes on the way to the one at `path`, from the root on.
    pub(in crate::sops) fn trail(&self, path: &[String]) -> Option<Vec<NodeId>> {
        let mut trail = Vec::with_capacity(path.len() + 1);
        self.follow(self.documents.first()?.root, path, &mut trail)?;
        Some(trail)
    }

    fn follow(&self, id: NodeId, path: &[String], trail: &mut Vec<NodeId>) -> Option<()> {
        trail.push(id);
        let found = match path.split_first() {
            None => Some(()),
            Some((first, rest)) => self.follow_entry(self.target(id), (first, rest), trail),
        };
        if found.is_none() {
            trail.pop();
        }
        found
    }

    fn follow_entry(
        &self,
        id: NodeId,
        (first, rest): (&str, &[String]),
        trail: &mut Vec<NodeId>,
    ) -> Option<()> {
        let collection = self.collection(id)?;
        match collection.shape {
            Shape::List => self.follow(self.child(id, first)?.value, rest, trail),
            Shape::Map => collection
                .entries()
                .filter(|entry| entry.key.as_ref().is_some_and(|key| key.text == first))
                .find_map(|entry| self.follow(entry.value, rest, trail)),
        }
    }

    /// The entry of the collection `id` that `component` names.
    pub(in crate::sops) fn child(&self, id: NodeId, component: &str) -> Option<&Entry> {
        let collection = self.collection(id)?;
        match collection.shape {
            Shape::Map => collection
                .entries()
                .find(|entry| entry.key.as_ref().is_some_and(|key| key.text == component)),
            Shape::List => collection.entries().nth(component.parse().ok()?),
        }
    }

    /// Paths of all leaves of the first document, without those of the metadata.
    pub(in crate::sops) fn leaf_paths(&self) -> Vec<Vec<String>> {
        let mut paths = Vec::new();
        if let Some(document) = self.documents.first() {
            self.collect_leaves(document.root, &mut Vec::new(), &mut paths);
        }
        paths.retain(|path: &Vec<String>| {
            !path
                .first()
                .is_some_and(|key| self.store.is_metadata_key(key))
        });
        paths
    }

    /// The entries of the metadata in one document: the `sops` entry, or all lines of it where it is flat.
    pub(in crate::sops) fn metadata_entries(
        &self,
        document: &Document,
    ) -> impl Iterator<Item = &Entry> {
        self.collection(document.root)
            .into_iter()
            .flat_map(Collection::entries)
            .filter(|entry| {
                let key = entry.key.as_ref();
                key.is_some_and(|key| self.store.is_metadata_key(&key.text))
            })
    }

    fn collect_leaves(&self, id: NodeId, path: &mut Vec<String>, paths: &mut Vec<Vec<String>>) {
        /// Enough for every real file, and a bound for aliases of aliases.
        const MOST_PATHS: usize = 100_000;
        let id = self.target(id);
        let Some(collection) = self.collection(id) else {
            paths.push(path.clone());
            return;
        };
        for (position, entry) in collection.entries().enumerate() {
            if paths.len() >= MOST_PATHS {
                return;
            }
            path.push(match &entry.key {
                Some(key) => key.text.clone(),
                None => position.to_string(),
            });
            self.collect_leaves(entry.value, path, paths);
            path.pop();
        }
    }

    /// Where the line of `offset` begins.
    pub(in crate::sops) fn line_start(&self, offset: usize) -> usize {
        self.text[..offset].rfind('\n').map_or(0, |at| at + 1)
    }

    /// Where the line of `offset` ends, before its line break.
    pub(in crate::sops) fn line_end(&self, offset: usize) -> usize {
        let end = self.text[offset..]
            .find('\n')
            .map_or(self.text.len(), |at| offset + at);
        if end > offset && self.text.as_bytes()[end - 1] == b'\r' {
            end - 1
        } else {
            end
        }
    }

    /// Where the line after that of `offset` begins.
    pub(in crate::sops) fn next_line(&self, offset: usize) -> usize {
        self.text[offset..]
            .find('\n')
            .map_or(self.text.len(), |at| offset + at + 1)
    }

    /// The line break that the text uses.
    pub(in crate::sops) fn line_break(&self) -> &'static str {
        self.line_break
    }
}

impl Collection {
    /// The last entry or item that begins before `offset`.
    pub(in crate::sops) fn last_entry_before(&self, offset: usize) -> Option<&Entry> {
        let end = self.children.partition_point(|child| match child {
            Child::Entry(entry) => entry.start < offset,
            Child::Comment(comment) => comment.span.start <= offset,
        });
        self.children[..end]
            .iter()
            .rev()
            .find_map(|child| match child {
                Child::Entry(entry) => Some(entry),
                Child::Comment(_) => None,
            })
    }

    /// The last entry or item.
    pub(in crate::sops) fn last_entry(&self) -> Option<&Entry> {
        self.children.iter().rev().find_map(|child| match child {
            Child::Entry(entry) => Some(entry),
            Child::Comment(_) => None,
        })
    }

    /// Entries or items, without comments.
    pub(in crate::sops) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.children.iter().filter_map(|child| match child {
            Child::Entry(entry) => Some(entry),
            Child::Comment(_) => None,
        })
    }
}

impl Tree {
    /// The text of a scalar on one line as it stands, with its quotes; nothing for one of several lines.
    pub(in crate::sops) fn raw_scalar(&self, id: NodeId) -> Option<&str> {
        let raw = &self.text[self.node(id).span.clone()];
        let scalar = self.scalar(id)?;
        (scalar.block.is_none() && !raw.contains('\n')).then_some(raw)
    }
}
