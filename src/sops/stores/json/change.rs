//! Setting and removing single values of a JSON object, with the layout around them kept.

use zeroize::Zeroizing;

use super::metadata::without;
use super::print::{print, print_text};
use super::style::Style;
use crate::sops::document::splice::{Edits, Overlap};
use crate::sops::document::tree::{Collection, NodeId, Shape, Tree};
use crate::sops::error::EditError;
use crate::sops::stores::new_value::{NewContent, NewValue, not_found, unsuitable};

/// The tree with `new` at `path`; missing objects on the way are made.
pub(in crate::sops::stores) fn set(
    tree: &Tree,
    path: &[String],
    new: &NewValue,
) -> Result<Tree, EditError> {
    let cannot = |reason| unsuitable(path, reason);
    let target = tree.target_of(path, new)?;
    let style = Style::of(tree, None);
    let mut edits = Edits::default();
    let span = tree.node(target.node).span.clone();
    match tree.collection(target.node) {
        Some(collection) if !target.missing.is_empty() => {
            let (first, rest) = (&target.missing[0], &target.missing[1..]);
            let value = nested(&style, rest, (new, target.depth + 1)).map_err(cannot)?;
            let entry = match collection.shape {
                Shape::Map => format!(
                    "{}{}{}",
                    print_text(first).as_str(),
                    style.colon,
                    value.as_str()
                ),
                Shape::List => value.to_string(),
            };
            let entry = Zeroizing::new(entry);
            add(
                tree,
                (target.node, collection),
                (&entry, target.depth, &style),
                &mut edits,
            );
        }
        _ => {
            let value = nested(&style, target.missing, (new, target.depth)).map_err(cannot)?;
            edits.replace(span, &value);
        }
    }
    changed(tree, edits, path)
}

fn add(
    tree: &Tree,
    (id, collection): (NodeId, &Collection),
    (entry, depth, style): (&str, usize, &Style),
    edits: &mut Edits,
) {
    if let Some(last) = collection.last_entry() {
        let end = tree.node(last.value).span.end;
        // Lists are often written on one line in a text of many.
        let on_one_line = !tree.text[tree.node(id).span.start..end].contains('\n');
        let separator = if on_one_line {
            ", ".to_owned()
        } else {
            style.separator(depth + 1)
        };
        edits.insert(end, &format!("{separator}{entry}"));
    } else {
        let inside = tree.node(id).span.start + 1..tree.node(id).span.end - 1;
        let (before, after) = (style.break_at(depth + 1), style.break_at(depth));
        edits.replace(inside, &format!("{before}{entry}{after}"));
    }
}

/// `{"a": {"b": value}}`, standing at `depth`.
fn nested(
    style: &Style,
    path: &[String],
    (new, depth): (&NewValue, usize),
) -> Result<Zeroizing<String>, &'static str> {
    let Some((first, rest)) = path.split_first() else {
        return match &new.content {
            NewContent::Scalar(value) => print(value),
            NewContent::Collection(tree, node) => style.print(tree, *node, depth),
        };
    };
    let inner = nested(style, rest, (new, depth + 1))?;
    Ok(Zeroizing::new(format!(
        "{{{}{}{}{}{}}}",
        style.break_at(depth + 1),
        print_text(first).as_str(),
        style.colon,
        inner.as_str(),
        style.break_at(depth),
    )))
}

/// The tree without the entry at `path`; an emptied object or list stays.
pub(in crate::sops::stores) fn unset(tree: &Tree, path: &[String]) -> Result<Tree, EditError> {
    let trail = tree.trail(path).ok_or_else(|| not_found(path))?;
    let [.., parent, node] = trail[..] else {
        return Err(not_found(path));
    };
    let collection = tree.collection(parent).ok_or_else(|| not_found(path))?;
    let entry = collection
        .entries()
        .find(|entry| entry.value == node)
        .ok_or_else(|| not_found(path))?;
    let mut edits = Edits::default();
    edits.remove(without(tree, (parent, collection), entry));
    changed(tree, edits, path)
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
    use crate::sops::stores::Store;

    fn tree(text: &str) -> Tree {
        super::super::parse(text, Store::Json).unwrap()
    }

    fn path(path: &[&str]) -> Vec<String> {
        path.iter().map(|part| (*part).to_owned()).collect()
    }

    #[test]
    fn values_are_set_in_the_layout_that_is_there() {
        let lines = "{\n  \"a\": 1,\n  \"b\": {\n    \"c\": [1, 2]\n  }\n}\n";
        for (text, at, value, expected) in [
            (
                lines,
                vec!["a"],
                "\"x\"",
                lines.replace('1', "\"x\"").replacen("[\"x\"", "[1", 1),
            ),
            (
                lines,
                vec!["b", "c", "2"],
                "3",
                lines.replace("2]", "2, 3]"),
            ),
            (
                lines,
                vec!["b", "d", "e"],
                "{}",
                lines.replace("2]\n", "2],\n    \"d\": {\n      \"e\": {}\n    }\n"),
            ),
            (
                lines,
                vec!["b"],
                "[true,{\"x\":null}]",
                "{\n  \"a\": 1,\n  \"b\": [\n    true,\n    {\n      \"x\": null\n    }\n  ]\n}\n"
                    .to_owned(),
            ),
            ("{}", vec!["a"], "1", "{\n\t\"a\": 1\n}".to_owned()),
            (
                "{\"a\":1}",
                vec!["b", "c"],
                "2.5",
                "{\"a\":1, \"b\":{\"c\":2.5}}".to_owned(),
            ),
            (
                lines,
                vec!["a", "z"],
                "0",
                lines.replacen('1', "{\n    \"z\": 0\n  }", 1),
            ),
        ] {
            let new = NewValue::json(value).unwrap();
            let changed = set(&tree(text), &path(&at), &new).unwrap();
            assert_eq!(changed.text.as_str(), expected, "{at:?}");
        }
        let text = NewValue::text("x");
        assert!(set(&tree(lines), &path(&["b"]), &text).is_err());
        assert!(set(&tree(lines), &path(&["a", "z"]), &text).is_err());
        assert!(set(&tree(lines), &path(&["sops", "z"]), &text).is_err());
        assert!(set(&tree(lines), &path(&["b", "c", "x"]), &text).is_err());
        for text in ["", "1, \"a\": 2", "1} {", "{", "nul"] {
            assert!(NewValue::json(text).is_err(), "{text}");
        }
    }

    #[test]
    fn values_are_removed_with_one_comma() {
        let text = "{\n  \"a\": 1,\n  \"b\": [1, 2]\n}\n";
        for (at, expected) in [
            (vec!["a"], "{\n  \"b\": [1, 2]\n}\n"),
            (vec!["b"], "{\n  \"a\": 1\n}\n"),
            (vec!["b", "0"], "{\n  \"a\": 1,\n  \"b\": [2]\n}\n"),
            (vec!["b", "1"], "{\n  \"a\": 1,\n  \"b\": [1]\n}\n"),
        ] {
            let changed = unset(&tree(text), &path(&at)).unwrap();
            assert_eq!(changed.text.as_str(), expected, "{at:?}");
        }
        assert_eq!(
            unset(&tree("{ \"a\": 1 }"), &path(&["a"]))
                .unwrap()
                .text
                .as_str(),
            "{}"
        );
        assert!(unset(&tree(text), &path(&["c"])).is_err());
        assert!(unset(&tree(text), &[]).is_err());
    }
}
