//! Bringing YAML into a form of which every part can be sealed in place, and putting sealed comments into it.

use std::collections::HashSet;

use crate::sops::document::splice::Edits;
use crate::sops::document::tree::{Collection, Comment, NodeId, Position, Shape, Style, Tree};
use crate::sops::stores::{Origin, SealedComment};
use crate::sops::walk::is_comment_item;

/// Puts a comment's ciphertext where the comment is; in a block list it becomes an item.
pub(in crate::sops::stores) fn put_comment(
    tree: &Tree,
    (comment, container): (&Comment, NodeId),
    cipher: &SealedComment,
    edits: &mut Edits,
) {
    let Some(collection) = tree.collection(container) else {
        return;
    };
    let column = tree.node(container).column;
    let margin = " ".repeat(column);
    let line_break = tree.line_break();
    let was_line = cipher.text.starts_with('#');
    let is_list = collection.shape == Shape::List && collection.style == Style::Block && !was_line;
    let text = cipher.text.trim_start_matches('#');
    let blanks = tree.text[..comment.span.start]
        .trim_end_matches([' ', '\t'])
        .len();
    match (comment.position, is_list) {
        (Position::OwnLine, true) => {
            let line = tree.line_start(comment.span.start)..comment.span.end;
            edits.replace(line, &format!("{margin}- {text}"));
        }
        (Position::AfterScalar, true) => {
            edits.remove(blanks..comment.span.end);
            if let Some(entry) = collection.last_entry_before(comment.span.start) {
                edits.insert(entry.start, &format!("- {text}{line_break}{margin}"));
            }
        }
        (Position::AfterDash, true) => {
            let node = tree.node(container);
            let on_dash_line = !node.entry.is_keyed && node.anchor.is_none() && node.tag.is_none();
            let blank_columns = column.saturating_sub(node.entry.column + 1);
            let new = if on_dash_line && blank_columns > 0 {
                format!("{}- {text}", " ".repeat(blank_columns))
            } else {
                format!("{line_break}{margin}- {text}")
            };
            edits.replace(blanks..comment.span.end, &new);
        }
        // On a dash's line sops would take it for a comment above the dash.
        (Position::AfterDash, false)
            if cipher.origin == Origin::Fresh && !tree.node(container).entry.is_keyed =>
        {
            let new = format!("{line_break}{margin}#{text}");
            edits.replace(blanks..comment.span.end, &new);
        }
        (Position::OwnLine, false) => {
            edits.replace(comment.span.clone(), &format!("#{text}"));
            if cipher.origin == Origin::Fresh {
                set_apart(tree, (comment, container), edits);
            }
        }
        _ => edits.replace(comment.span.clone(), &format!("#{text}")),
    }
}

/// A comment that ends an indented block needs a blank line after it and none before, or sops takes it for part of a
/// deeper or shallower block.
pub(super) fn set_apart(tree: &Tree, (comment, container): (&Comment, NodeId), edits: &mut Edits) {
    let is_last = tree
        .collection(container)
        .and_then(Collection::last_entry)
        .is_some_and(|entry| entry.start < comment.span.start);
    if !is_last || tree.node(container).column == 0 {
        return;
    }
    let next = tree.next_line(comment.span.end);
    let following = tree.text[next..].lines().next().unwrap_or_default();
    let indent = following.len() - following.trim_start().len();
    let own_indent = comment.span.start - tree.line_start(comment.span.start);
    // A comment that is indented less is not the next line of this one, but the first of what follows.
    let goes_on = following[indent..].starts_with('#') && indent >= own_indent;
    if !following.trim().is_empty() && !goes_on || next >= tree.text.len() {
        edits.insert(comment.span.end, tree.line_break());
    }
    let line = tree.line_start(comment.span.start);
    let content = tree.text[..line]
        .trim_end_matches([' ', '\t', '\r', '\n'])
        .len();
    let first_break = tree.next_line(content);
    let after_comment = tree.text[tree.line_start(content.saturating_sub(1))..content]
        .trim_start()
        .starts_with('#');
    if first_break < line && !after_comment {
        edits.remove(first_break..line);
    }
}

/// A list of comments alone would become nothing at all; brackets keep it a list.
pub(in crate::sops) fn hold_comment_lists(tree: &Tree, edits: &mut Edits) {
    let lists: HashSet<NodeId> = (0..tree.nodes.len())
        .filter(|id| is_comment_list(tree, *id))
        .collect();
    for id in lists {
        let node = tree.node(id);
        let margin = " ".repeat(node.column.max(1));
        edits.insert(node.span.start, &format!("[\n{margin}"));
        edits.insert(node.span.end, &format!("\n{margin}]"));
    }
}

fn is_comment_list(tree: &Tree, id: NodeId) -> bool {
    tree.collection(id).is_some_and(|list| {
        list.shape == Shape::List
            && list.style == Style::Block
            && list.entries().next().is_some()
            && list
                .entries()
                .all(|entry| is_comment_item(tree, entry.value))
    })
}
