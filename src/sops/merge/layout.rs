//! The lines of a block collection, cut into pieces: what stands above each entry, the entry itself, what follows the last.

use std::ops::Range;

use zeroize::Zeroizing;

use crate::sops::document::tree::{Child, Collection, Entry, NodeId, Position, Style, Tree};

/// A collection as places in the text.
pub(super) struct Lines<'a> {
    pub(super) entries: Vec<PlacedEntry<'a>>,
    /// From the first line (or the first entry, where that begins in the middle of a line) to the end of the last.
    pub(super) whole: Range<usize>,
    /// Lines after the last entry.
    pub(super) tail: Range<usize>,
    /// Whether the first entry begins in the middle of a line, as in `- a: 1`.
    pub(super) begins_inside_line: bool,
    pub(super) column: usize,
}

/// One entry as places in the text.
pub(super) struct PlacedEntry<'a> {
    pub(super) entry: &'a Entry,
    /// Comments and blank lines above.
    pub(super) lead: Range<usize>,
    /// From the key or dash to the end of its last line, with the line break.
    pub(super) core: Range<usize>,
}

impl<'a> Lines<'a> {
    /// Cuts up the block collection `id`, which has at least one entry.
    pub(super) fn of(tree: &'a Tree, id: NodeId) -> Option<Self> {
        let collection = tree.collection(id)?;
        let mut entries: Vec<PlacedEntry<'a>> = Vec::new();
        let first = collection.entries().next()?;
        let begins_inside_line = !is_blank(&tree.text[tree.line_start(first.start)..first.start]);
        let start = if begins_inside_line {
            first.start
        } else {
            let after = tree.node(id).entry.after;
            // The comment of an INI section stands above its header.
            let top = own_comments(collection)
                .map(|span| span.start)
                .filter(|at| *at >= after)
                .min();
            let top = top.unwrap_or(first.start).min(first.start);
            tree.line_start(top)
        };
        let mut done = start;
        for entry in collection.entries() {
            let end = if has_no_width(tree, entry) {
                entry.start.max(done)
            } else {
                tree.next_line(extent(tree, entry.value, entry))
            };
            let margin = if begins_inside_line && entries.is_empty() {
                entry.start
            } else {
                tree.line_start(entry.start)
            };
            entries.push(PlacedEntry {
                entry,
                lead: done..margin.max(done),
                core: entry.start.min(end)..end,
            });
            done = end;
        }
        let end = own_comments(collection)
            .map(|span| tree.next_line(span.end))
            .max()
            .unwrap_or(done)
            .max(done);
        Some(Self {
            entries,
            whole: start..end,
            tail: done..end,
            begins_inside_line,
            column: tree.node(id).column,
        })
    }
}

/// The section of an INI file that has no header, without keys.
fn has_no_width(tree: &Tree, entry: &Entry) -> bool {
    let empty = tree
        .collection(entry.value)
        .is_some_and(|it| it.entries().next().is_none());
    empty && entry.key.as_ref().is_some_and(|key| key.span.is_empty())
}

fn own_comments(collection: &Collection) -> impl Iterator<Item = &Range<usize>> {
    collection.children.iter().filter_map(|child| match child {
        Child::Comment(comment) if comment.position == Position::OwnLine => Some(&comment.span),
        _ => None,
    })
}

/// Where the last line of an entry's value still has something of it, comments at its end included.
pub(super) fn extent(tree: &Tree, id: NodeId, entry: &Entry) -> usize {
    let node = tree.node(id);
    let least = node.entry.after.max(entry.start);
    if let Some(collection) = tree.collection(id) {
        let mut end = node.span.end.max(least);
        if collection.style == Style::Block {
            for child in &collection.children {
                end = end.max(match child {
                    Child::Entry(entry) => extent(tree, entry.value, entry),
                    Child::Comment(comment) => comment.span.end,
                });
            }
        }
        return end;
    }
    match tree.scalar(id).and_then(|scalar| scalar.block.as_ref()) {
        Some(block) => block.body.end.max(block.header.end),
        None if node.span.is_empty() => least,
        None => node.span.end.max(least),
    }
}

pub(super) fn is_blank(text: &str) -> bool {
    text.trim_matches([' ', '\t', '\r', '\n', '\u{feff}'])
        .is_empty()
}

/// The lines of `text` moved from `column` to the left edge; the first line has no margin if `text` begins in it.
pub(super) fn dedent(text: &str, column: usize) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(text.len()));
    for line in text.split_inclusive('\n') {
        let blanks = line.len() - line.trim_start_matches(' ').len();
        out.push_str(&line[blanks.min(column)..]);
    }
    out
}

/// The lines of `text` moved to `column`.
pub(super) fn indent(text: &str, column: usize, out: &mut String) {
    for line in text.split_inclusive('\n') {
        if !line.trim_end_matches(['\r', '\n']).is_empty() {
            out.extend(std::iter::repeat_n(' ', column));
        }
        out.push_str(line);
    }
}
