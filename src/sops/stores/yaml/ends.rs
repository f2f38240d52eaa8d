//! Comments that come to stand at the end of their block when somebody takes the entry behind them out.

use std::collections::HashSet;

use super::seal::set_apart;
use crate::sops::document::splice::Edits;
use crate::sops::document::tree::{Child, NodeId, Position, Tree};
use crate::sops::error::ParseError;
use crate::sops::stores::Store;

/// A comment, and the keys on the way to the block that it stands in; positions count for items.
type Placed<'a> = (Vec<String>, &'a str);

/// The text of `edited`, which `before` was edited into, with a blank line behind every comment that ends its block now and
/// did not before: without one, sops reads it as a part of what follows, and does not open it.
///
/// A comment that is new is [set apart](set_apart) when it is encrypted; one that keeps its ciphertext stays as it is then.
pub(in crate::sops) fn with_new_ends_set_apart(
    before: &Tree,
    edited: Tree,
) -> Result<Tree, ParseError> {
    if edited.store != Store::Yaml {
        return Ok(edited);
    }
    let edits = edits(before, &edited);
    if edits.is_empty() {
        return Ok(edited);
    }
    match edits.apply(&edited.text) {
        Ok(text) => edited.again(&text),
        // Comments on top of each other: they stay as they were typed.
        Err(_overlap) => Ok(edited),
    }
}

fn edits(before: &Tree, edited: &Tree) -> Edits {
    let (old, new) = (Comments::of(before), Comments::of(edited));
    let mut edits = Edits::default();
    for (container, index, placed) in &new.ends {
        if old.inside.contains(placed)
            && !old.ends.iter().any(|(.., there)| there == placed)
            && let Some(Child::Comment(comment)) = edited
                .collection(*container)
                .and_then(|block| block.children.get(*index))
        {
            set_apart(edited, (comment, *container), &mut edits);
        }
    }
    edits
}

/// The comments on lines of their own: those behind the last entry of their block, by block and position, and the others.
#[derive(Default)]
struct Comments<'a> {
    ends: Vec<(NodeId, usize, Placed<'a>)>,
    inside: HashSet<Placed<'a>>,
}

impl<'a> Comments<'a> {
    fn of(tree: &'a Tree) -> Self {
        let mut found = Self::default();
        for document in &tree.documents {
            found.collect(tree, document.root, &mut Vec::new());
        }
        found
    }

    fn collect(&mut self, tree: &'a Tree, id: NodeId, path: &mut Vec<String>) {
        let Some(block) = tree.collection(id) else {
            return;
        };
        let last = block.last_entry().map_or(0, |entry| entry.start);
        let mut item = 0;
        for (index, child) in block.children.iter().enumerate() {
            match child {
                Child::Comment(comment) if comment.position == Position::OwnLine => {
                    let placed = (path.clone(), comment.text.trim_end());
                    if comment.span.start > last {
                        self.ends.push((id, index, placed));
                    } else {
                        self.inside.insert(placed);
                    }
                }
                Child::Comment(_) => {}
                Child::Entry(entry) => {
                    let name = entry.key.as_ref().map(|key| key.text.clone());
                    path.push(name.unwrap_or_else(|| item.to_string()));
                    item += 1;
                    // What is shared is looked at where it is written.
                    self.collect(tree, entry.value, path);
                    path.pop();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(before: &str, after: &str) -> String {
        let parse = |text: &str| Tree::parse(text.as_bytes()).unwrap();
        let tree = with_new_ends_set_apart(&parse(before), parse(after)).unwrap();
        tree.text.to_string()
    }

    #[test]
    fn a_comment_that_comes_to_end_its_block_gets_a_blank_line_behind_it() {
        let before = "a:\n  b: 1\n  # about c\n  c: 2\nd: 3\n";
        let after = "a:\n  b: 1\n  # about c\nd: 3\n";
        let expected = "a:\n  b: 1\n  # about c\n\nd: 3\n";
        assert_eq!(edited(before, after), expected);
        assert_eq!(edited(expected, expected), expected);
    }

    #[test]
    fn one_that_ended_its_block_before_or_is_new_stays_as_it_is_typed() {
        let text = "a:\n  b: 1\n  # foot\nd: 3\n";
        assert_eq!(edited(text, text), text);
        assert_eq!(edited("a:\n  b: 1\nd: 3\n", text), text);
        let at_margin = "a: 1\n# end\n";
        assert_eq!(edited("a: 1\n# end\nb: 2\n", at_margin), at_margin);
    }
}
