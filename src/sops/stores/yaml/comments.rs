//! Which map or list a comment belongs to: the column rule, which reproduces where go-yaml puts comments.
//!
//! The container decides the associated data of an encrypted comment and what comment selectors see.
//!
//! Source: SOPS format §comments: where they belong.

use std::collections::HashMap;
use std::ops::Range;

use zeroize::Zeroizing;

use crate::sops::document::tree::{Child, Comment, Kind, NodeId, Position, Style, Tree};

/// A comment that has no place in the tree yet.
pub(super) struct LooseComment {
    pub(super) text: Zeroizing<String>,
    pub(super) span: Range<usize>,
    pub(super) line: usize,
    pub(super) column: usize,
}

/// One entry of any collection of a document; all of them in the order of the text.
struct Flat {
    start: usize,
    column: usize,
    container: NodeId,
    value: NodeId,
}

struct Layout {
    root: NodeId,
    entries: Vec<Flat>,
    /// The entry whose value a collection is.
    parents: HashMap<NodeId, usize>,
}

/// Orders the children of a collection: an offset, and what comes first of two things that share it.
type Rank = (usize, u8);

/// Where a comment goes: the container, and its rank among the container's children.
struct Home {
    container: NodeId,
    rank: Rank,
    position: Position,
}

/// Puts every comment into the collection that it belongs to.
pub(super) fn attach(tree: &mut Tree, comments: Vec<LooseComment>) {
    if comments.is_empty() {
        return;
    }
    let layouts: Vec<Layout> = tree
        .documents
        .iter()
        .map(|document| Layout::of(tree, document.root))
        .collect();
    let mut homes: HashMap<NodeId, Vec<(Rank, Child)>> = HashMap::new();
    for comment in comments {
        let document = tree
            .documents
            .partition_point(|document| document.end <= comment.span.start)
            .min(layouts.len() - 1);
        let home = layouts[document].home(tree, &comment);
        let child = Child::Comment(Comment {
            text: comment.text,
            span: comment.span,
            rest: Vec::new(),
            line: comment.line,
            position: home.position,
        });
        homes
            .entry(home.container)
            .or_default()
            .push((home.rank, child));
    }
    for (container, new) in homes {
        if let Kind::Collection(collection) = &mut tree.nodes[container].kind {
            let old = std::mem::take(&mut collection.children);
            let mut all: Vec<(Rank, Child)> = old
                .into_iter()
                .map(|child| match child {
                    Child::Entry(entry) => ((entry.start, 1), Child::Entry(entry)),
                    Child::Comment(comment) => ((comment.span.start, 1), Child::Comment(comment)),
                })
                .chain(new)
                .collect();
            all.sort_by_key(|(rank, _)| *rank);
            collection.children = all.into_iter().map(|(_, child)| child).collect();
        }
    }
}

impl Layout {
    fn of(tree: &Tree, root: NodeId) -> Self {
        let mut layout = Self {
            root,
            entries: Vec::new(),
            parents: HashMap::new(),
        };
        layout.collect(tree, root);
        layout
    }

    fn collect(&mut self, tree: &Tree, container: NodeId) {
        let Some(collection) = tree.collection(container) else {
            return;
        };
        for entry in collection.entries() {
            self.entries.push(Flat {
                start: entry.start,
                column: entry.column,
                container,
                value: entry.value,
            });
            self.parents.insert(entry.value, self.entries.len() - 1);
            self.collect(tree, entry.value);
        }
    }

    fn home(&self, tree: &Tree, comment: &LooseComment) -> Home {
        let offset = comment.span.start;
        let next = self.entries.partition_point(|entry| entry.start < offset);
        let before = next.checked_sub(1).map(|at| &self.entries[at]);
        let Some(before) = before else {
            return own_line(self.root, offset);
        };
        if let Some(flow) = self.flow_around(tree, before, offset) {
            return Home {
                container: flow,
                rank: (offset, 1),
                position: Position::Flow,
            };
        }
        let line_start = tree.line_start(offset);
        let inline = !tree.text[line_start..offset]
            .trim_matches([' ', '\t', '\u{feff}'])
            .is_empty();
        if inline && before.start.max(tree.node(before.value).span.end) >= line_start {
            return self.inline_home(tree, before);
        }
        let following = self.entries.get(next);
        match following {
            Some(following)
                if comment.column <= following.column || following.container == before.value =>
            {
                own_line(following.container, offset)
            }
            _ => own_line(self.innermost_open(tree, before, comment.column), offset),
        }
    }

    /// The innermost flow collection that `offset` is inside of.
    fn flow_around(&self, tree: &Tree, before: &Flat, offset: usize) -> Option<NodeId> {
        let mut candidate = Some(before.value);
        while let Some(id) = candidate {
            let node = tree.node(id);
            let is_flow = tree.collection(id).is_some_and(|c| c.style == Style::Flow);
            if is_flow && node.span.contains(&offset) {
                return Some(id);
            }
            candidate = self.parents.get(&id).map(|at| self.entries[*at].container);
        }
        None
    }

    /// A comment after something on the same line.
    fn inline_home(&self, tree: &Tree, before: &Flat) -> Home {
        if let Some(flow) = self.flow_ended(tree, before) {
            return Home {
                container: flow,
                rank: (0, 0),
                position: Position::Flow,
            };
        }
        let value = tree.node(before.value);
        // After `key:` it is the key's; after a dash, a tag or an anchor it is the first thing in the block below.
        let is_of_key = value.entry.is_keyed && value.tag.is_none() && value.anchor.is_none();
        if tree.collection(before.value).is_some() && !is_of_key {
            return Home {
                container: before.value,
                rank: (0, 0),
                position: Position::AfterDash,
            };
        }
        Home {
            container: before.container,
            rank: (before.start, 0),
            position: Position::AfterScalar,
        }
    }

    /// The outermost flow collection that `before` is, or stands in.
    fn flow_ended(&self, tree: &Tree, before: &Flat) -> Option<NodeId> {
        let mut outermost = None;
        let mut candidate = Some(before.value);
        while let Some(id) = candidate {
            if tree.collection(id).is_some_and(|c| c.style == Style::Flow) {
                outermost = Some(id);
            }
            candidate = self.parents.get(&id).map(|at| self.entries[*at].container);
        }
        outermost
    }

    /// The innermost block collection still open after `before` that is not indented deeper than `column`.
    fn innermost_open(&self, tree: &Tree, before: &Flat, column: usize) -> NodeId {
        let mut container = before.container;
        loop {
            let node = tree.node(container);
            let is_block = tree
                .collection(container)
                .is_some_and(|c| c.style == Style::Block);
            if is_block && node.column <= column {
                return container;
            }
            match self.parents.get(&container) {
                Some(at) => container = self.entries[*at].container,
                None => return container,
            }
        }
    }
}

fn own_line(container: NodeId, offset: usize) -> Home {
    Home {
        container,
        rank: (offset, 1),
        position: Position::OwnLine,
    }
}
