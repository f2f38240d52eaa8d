//! Setting and removing single values of an INI file, with the layout around them kept.

use zeroize::Zeroizing;

use super::parse::DEFAULT_SECTION;
use super::print::{print_name, print_value};
use crate::sops::document::splice::{Edits, Overlap};
use crate::sops::document::tree::{Child, Collection, Entry, NodeId, Position, Tree};
use crate::sops::error::EditError;
use crate::sops::stores::new_value::{NewValue, not_found, unsuitable};

/// The tree with `new` at `path`, a section and a name; a missing section is made.
pub(in crate::sops::stores) fn set(
    tree: &Tree,
    path: &[String],
    new: &NewValue,
) -> Result<Tree, EditError> {
    let cannot = |reason| unsuitable(path, reason);
    let target = tree.target_of(path, new)?;
    let [section, name] = path else {
        return Err(cannot(
            "a value of an INI file is named SECTION and NAME; before any section it is DEFAULT and NAME",
        ));
    };
    let value = print_value(new.scalar(path)?).map_err(cannot)?;
    let mut edits = Edits::default();
    if target.missing.is_empty() {
        edits.replace(tree.node(target.node).span.clone(), &value);
        return changed(tree, edits, path);
    }
    let name = print_name(name).map_err(cannot)?;
    let line_break = tree.line_break();
    if target.depth == 1 {
        let line = Zeroizing::new(format!(
            "{name}{}{}{line_break}",
            separator(tree, target.node),
            value.as_str()
        ));
        add_line(tree, target.node, &line, &mut edits);
    } else {
        let is_name = !section.is_empty() && !section.contains(['\n', '\r']);
        if !is_name {
            return Err(cannot("INI has no way to write this name"));
        }
        let separator = separator(tree, tree.documents[0].root);
        let text = &tree.text;
        let break_before = match (text.is_empty(), text.ends_with('\n')) {
            (true, _) => String::new(),
            (false, true) => line_break.to_owned(),
            (false, false) => line_break.repeat(2),
        };
        let new = Zeroizing::new(format!(
            "{break_before}[{section}]{line_break}{name}{separator}{}{line_break}",
            value.as_str()
        ));
        edits.insert(text.len(), &new);
    }
    changed(tree, edits, path)
}

/// What stands between a name and its value in this section, or else anywhere.
fn separator(tree: &Tree, id: NodeId) -> String {
    let of_entry = |entry: &Entry| {
        let key = entry.key.as_ref()?;
        let raw = &tree.text[key.span.clone()];
        let after = key.span.start + raw.trim_end().len();
        let between = tree.text.get(after..tree.node(entry.value).span.start)?;
        // Blanks that align a name say nothing about another.
        let is_tight = !between.starts_with([' ', '\t']);
        Some(if is_tight {
            between.to_owned()
        } else {
            " = ".to_owned()
        })
    };
    let sections = tree.collection(tree.documents[0].root);
    let of_section = |id: NodeId| {
        let last = tree.collection(id)?.last_entry()?;
        tree.scalar(last.value)?;
        of_entry(last)
    };
    of_section(id)
        .or_else(|| {
            sections?
                .entries()
                .find_map(|section| of_section(section.value))
        })
        .filter(|between| between.trim() == "=" || between.trim() == ":")
        .unwrap_or_else(|| " = ".to_owned())
}

/// Puts a line behind the last of a section.
fn add_line(tree: &Tree, id: NodeId, line: &str, edits: &mut Edits) {
    let end = tree.node(id).span.end;
    let has_lines = end > tree.node(id).span.start;
    let at = if has_lines { tree.next_line(end) } else { end };
    let before = tree.text[..at].trim_start_matches('\u{feff}');
    let break_before = if before.is_empty() || before.ends_with('\n') {
        ""
    } else {
        tree.line_break()
    };
    // Before the first section, a comment that follows belongs to what it stands above.
    let is_first = !has_lines && !tree.text[at..].trim().is_empty();
    let break_after = if is_first { tree.line_break() } else { "" };
    edits.insert(at, &format!("{break_before}{line}{break_after}"));
}

/// The tree without a value, with its comment, or without a section.
pub(in crate::sops::stores) fn unset(tree: &Tree, path: &[String]) -> Result<Tree, EditError> {
    let trail = tree.trail(path).ok_or_else(|| not_found(path))?;
    let [.., parent, node] = trail[..] else {
        return Err(not_found(path));
    };
    let collection = tree.collection(parent).ok_or_else(|| not_found(path))?;
    let mut edits = Edits::default();
    if let Some(section) = tree.collection(node) {
        if path[0] == DEFAULT_SECTION && tree.node(node).span.start == tree.node(parent).span.start
        {
            return Err(unsuitable(path, "it is the part before any section"));
        }
        let start = comment_start(tree, section.children.first())
            .unwrap_or_else(|| tree.line_start(tree.node(node).span.start));
        edits.remove(start..tree.next_line(tree.node(node).span.end));
    } else {
        let (entry, comment) = with_comment(collection, node).ok_or_else(|| not_found(path))?;
        let start = comment_start(tree, comment)
            .unwrap_or_else(|| tree.line_start(entry.start))
            .min(tree.line_start(entry.start));
        edits.remove(start..tree.next_line(tree.node(node).span.end));
    }
    changed(tree, edits, path)
}

/// Where the lines of a comment begin that stands above its key.
fn comment_start(tree: &Tree, child: Option<&Child>) -> Option<usize> {
    match child? {
        Child::Comment(comment) if comment.position == Position::OwnLine => {
            Some(tree.line_start(comment.span.start))
        }
        _ => None,
    }
}

/// The entry of `node`, and what follows it in the tree: a comment is the entry's own.
fn with_comment(collection: &Collection, node: NodeId) -> Option<(&Entry, Option<&Child>)> {
    let at = collection
        .children
        .iter()
        .position(|child| matches!(child, Child::Entry(entry) if entry.value == node))?;
    let Child::Entry(entry) = &collection.children[at] else {
        return None;
    };
    let own = collection.children.get(at + 1).filter(|child| match child {
        Child::Comment(comment) => {
            comment.span.start < entry.start || comment.position != Position::OwnLine
        }
        Child::Entry(_) => false,
    });
    Some((entry, own))
}

fn changed(tree: &Tree, edits: Edits, path: &[String]) -> Result<Tree, EditError> {
    let text = edits
        .apply(&tree.text)
        .map_err(|Overlap| unsuitable(path, "the layout around it is not understood"))?;
    Ok(tree.again(&text)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "; top\nroot=1\n\n[sec]\n; c for a\na = 1\nb = 2 ; inline\n\n; for s2\n[s2]\n";

    fn tree() -> Tree {
        super::super::parse(TEXT).unwrap()
    }

    fn path(path: &[&str]) -> Vec<String> {
        path.iter().map(|part| (*part).to_owned()).collect()
    }

    #[test]
    fn lines_are_set_where_they_belong() {
        for (at, text, expected) in [
            (vec!["sec", "a"], "x;y", TEXT.replace("a = 1", "a = `x;y`")),
            (
                vec!["sec", "c"],
                "3",
                TEXT.replace("inline\n", "inline\nc = 3\n"),
            ),
            (
                vec!["DEFAULT", "r2"],
                "3",
                TEXT.replace("root=1\n", "root=1\nr2=3\n"),
            ),
            (vec!["s2", "a"], "3", TEXT.replace("[s2]\n", "[s2]\na=3\n")),
            (vec!["s3", "a"], "3", format!("{TEXT}\n[s3]\na=3\n")),
        ] {
            let changed = set(&tree(), &path(&at), &NewValue::text(text)).unwrap();
            assert_eq!(changed.text.as_str(), expected, "{at:?}");
            assert_eq!(
                changed
                    .scalar(changed.find(&path(&at)).unwrap())
                    .unwrap()
                    .text
                    .as_str(),
                text
            );
        }
        for at in [
            vec!["a"],
            vec!["sops", "a"],
            vec!["sec", "a", "b"],
            vec!["sec", "a\nb"],
        ] {
            assert!(
                set(&tree(), &path(&at), &NewValue::text("x")).is_err(),
                "{at:?}"
            );
        }
    }

    #[test]
    fn lines_are_removed_with_their_comment() {
        for (at, expected) in [
            (vec!["sec", "a"], TEXT.replace("; c for a\na = 1\n", "")),
            (vec!["sec", "b"], TEXT.replace("b = 2 ; inline\n", "")),
            (vec!["DEFAULT", "root"], TEXT.replace("; top\nroot=1\n", "")),
            (vec!["s2"], TEXT.replace("; for s2\n[s2]\n", "")),
        ] {
            let changed = unset(&tree(), &path(&at)).unwrap();
            assert_eq!(changed.text.as_str(), expected, "{at:?}");
        }
        assert!(unset(&tree(), &path(&["sec", "z"])).is_err());
    }
}
