//! dotenv without loss: lines of `NAME=value`, exactly as sops takes them apart.
//!
//! There is no quoting: everything after the first `=` is the value. The two characters `\n` stand for a line break.

use std::ops::Range;

use zeroize::Zeroizing;

use super::Store;
use super::new_value::{NewValue, not_found, unsuitable};
use super::yaml::scalar::ScalarForm;
use crate::sops::document::splice::{Edits, Overlap};
use crate::sops::document::tree::{
    Child, Collection, Comment, Document, Entry, EntryPlace, Key, Kind, Node, Position, Scalar,
    Shape, Style, Tree,
};
use crate::sops::error::{EditError, ParseError};
use crate::sops::metadata::{FlatLine, MetadataLayout, MetadataText};
use crate::sops::value::{Value, general_float};

/// What the names of the metadata begin with.
pub(super) const METADATA_PREFIX: &str = "sops_";

pub(super) fn parse(text: &str) -> Result<Tree, ParseError> {
    let mut nodes = vec![Node::at_margin(
        Kind::Alias(0),
        0..text.len(),
        1,
        EntryPlace::default(),
    )];
    let mut children = Vec::new();
    let mut start = 0;
    for (number, line) in text.split('\n').enumerate() {
        let span = start..start + line.len();
        start = span.end + 1;
        if line.is_empty() {
            continue;
        }
        if let Some(comment) = line.strip_prefix('#') {
            children.push(Child::Comment(Comment {
                text: Zeroizing::new(comment.to_owned()),
                span,
                rest: Vec::new(),
                line: number + 1,
                position: Position::OwnLine,
            }));
            continue;
        }
        let Some((name, value)) = line.split_once('=') else {
            return Err(ParseError::Syntax {
                line: number + 1,
                column: 1,
                reason: "a line must be `NAME=value`, or a comment that begins with `#`".to_owned(),
            });
        };
        let key = Key {
            text: name.to_owned(),
            span: span.start..span.start + name.len(),
        };
        let place = EntryPlace {
            column: 0,
            after: key.span.end,
            is_keyed: true,
        };
        let kind = Kind::Scalar(Scalar {
            text: Zeroizing::new(value.replace("\\n", "\n")),
            form: ScalarForm::Quoted,
            block: None,
        });
        let scalar = Node::at_margin(kind, key.span.end + 1..span.end, number + 1, place);
        nodes.push(scalar);
        children.push(Child::Entry(Entry {
            key: Some(key),
            start: span.start,
            column: 0,
            value: nodes.len() - 1,
        }));
    }
    nodes[0].kind = Kind::Collection(Collection {
        shape: Shape::Map,
        style: Style::Block,
        children,
    });
    Ok(Tree {
        text: Zeroizing::new(text.to_owned()),
        store: Store::Dotenv,
        nodes,
        documents: vec![Document {
            root: 0,
            end: text.len(),
        }],
        step: 0,
        line_break: "\n",
    })
}

/// A value on its line.
pub(in crate::sops) fn print(value: &Value) -> Result<Zeroizing<String>, &'static str> {
    let text = match value {
        Value::Null => "<nil>".to_owned(),
        Value::Bool(truth) => truth.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => general_float(*number),
        Value::Time(instant) => instant.without_fraction().to_string(),
        Value::Text(bytes) => {
            let text = std::str::from_utf8(bytes).map_err(
                |_bytes| "the value is not UTF-8 text, which is all that is supported in a dotenv file",
            )?;
            return Ok(Zeroizing::new(text.replace('\n', "\\n")));
        }
    };
    Ok(Zeroizing::new(text))
}

/// A value that is new in a dotenv file, where what it is written as must mean it.
fn print_new(value: &Value) -> Result<Zeroizing<String>, &'static str> {
    match value {
        Value::Null => Err("a dotenv file has no null"),
        Value::Text(bytes) if bytes.windows(2).any(|two| two == b"\\n") => {
            Err("a dotenv file cannot hold the two characters `\\n`: they stand for a line break")
        }
        value => print(value),
    }
}

/// Why `name` cannot be the name of a line, if it cannot.
pub(in crate::sops) fn check_name(name: &str) -> Result<(), &'static str> {
    if name.is_empty() || name.contains(['=', '\n', '\0']) || name.starts_with('#') {
        return Err("this is no name for a line of a dotenv file");
    }
    if name.starts_with(METADATA_PREFIX) {
        return Err("names that begin with `sops_` are reserved for the file's own metadata");
    }
    Ok(())
}

/// One line of a converted file, with its line break.
pub(in crate::sops) fn line(name: &str, value: &Value) -> Result<Zeroizing<String>, &'static str> {
    check_name(name)?;
    let value = match value {
        Value::Null => print(value)?,
        value => print_new(value)?,
    };
    Ok(Zeroizing::new(format!("{name}={}\n", value.as_str())))
}

pub(super) fn set(tree: &Tree, path: &[String], new: &NewValue) -> Result<Tree, EditError> {
    let cannot = |reason| unsuitable(path, reason);
    let [name] = path else {
        return Err(cannot("a dotenv file has names only, no maps"));
    };
    check_name(name).map_err(cannot)?;
    let target = tree.target_of(path, new)?;
    let value = print_new(new.scalar(path)?).map_err(cannot)?;
    let mut edits = Edits::default();
    if target.missing.is_empty() {
        edits.replace(tree.node(target.node).span.clone(), &value);
    } else {
        let line = format!("{name}={}\n", value.as_str());
        add_lines(tree, tree.text.len(), &Zeroizing::new(line), &mut edits);
    }
    changed(tree, edits, path)
}

pub(super) fn unset(tree: &Tree, path: &[String]) -> Result<Tree, EditError> {
    let [name] = path else {
        return Err(not_found(path));
    };
    let entry = tree.child(0, name).ok_or_else(|| not_found(path))?;
    let mut edits = Edits::default();
    edits.remove(entry.start..tree.next_line(tree.node(entry.value).span.end));
    changed(tree, edits, path)
}

fn changed(tree: &Tree, edits: Edits, path: &[String]) -> Result<Tree, EditError> {
    let text = edits
        .apply(&tree.text)
        .map_err(|Overlap| unsuitable(path, "the layout around it is not understood"))?;
    Ok(tree.again(&text)?)
}

/// Puts whole lines at `at`, which begins a line or ends the text.
fn add_lines(tree: &Tree, at: usize, lines: &str, edits: &mut Edits) {
    let before = &tree.text[..at];
    let break_before = if before.is_empty() || before.ends_with('\n') {
        ""
    } else {
        "\n"
    };
    edits.insert(at, &format!("{break_before}{lines}"));
}

fn metadata_lines(tree: &Tree) -> impl Iterator<Item = (&Entry, &str)> {
    tree.metadata_entries(&tree.documents[0])
        .filter_map(|entry| {
            let name = entry.key.as_ref()?.text.strip_prefix(METADATA_PREFIX)?;
            Some((entry, name))
        })
}

pub(super) fn metadata_layout(tree: &Tree) -> MetadataLayout {
    let lines = metadata_lines(tree).map(|(entry, name)| {
        let span = tree.node(entry.value).span.clone();
        FlatLine {
            name: name.to_owned(),
            before: tree.text[entry.start..span.start].to_owned(),
            raw: tree.text[span].to_owned(),
            value: tree
                .scalar(entry.value)
                .map_or_else(String::new, |scalar| scalar.text.to_string()),
        }
    });
    let lines = lines.collect();
    MetadataLayout {
        lines,
        ..MetadataLayout::of(tree)
    }
}

pub(super) fn metadata_text(tree: &Tree) -> Result<MetadataText, ParseError> {
    let layout = metadata_layout(tree);
    if layout.lines.is_empty() {
        return Err(ParseError::NotSealed);
    }
    let lines = layout.lines.iter();
    MetadataText::unflattened(lines.map(|line| (line.name.as_str(), line.value.as_str())))
}

pub(super) fn remove_metadata(tree: &Tree, edits: &mut Edits) {
    for (entry, _) in metadata_lines(tree) {
        edits.remove(entry.start..tree.next_line(tree.node(entry.value).span.end));
    }
}

fn printed_metadata(text: &MetadataText, layout: &MetadataLayout) -> String {
    let lines = text.lines(
        layout,
        |name| format!("{METADATA_PREFIX}{name}="),
        |value| value.replace('\n', "\\n"),
    );
    lines.join("\n") + "\n"
}

pub(super) fn add_metadata(
    tree: &Tree,
    text: &MetadataText,
    layout: &MetadataLayout,
    edits: &mut Edits,
) {
    let lines = printed_metadata(text, layout);
    let at = layout.place(tree, 0).unwrap_or(tree.text.len());
    add_lines(tree, at, &lines, edits);
}

pub(super) fn replace_metadata(
    tree: &Tree,
    text: &MetadataText,
    layout: &MetadataLayout,
    edits: &mut Edits,
) {
    let mut ranges: Vec<Range<usize>> = metadata_lines(tree)
        .map(|(entry, _)| entry.start..tree.next_line(tree.node(entry.value).span.end))
        .collect();
    // Lines that stand apart come together where the last of them is.
    if let Some(last) = ranges.pop() {
        edits.replace(last, &printed_metadata(text, layout));
    }
    for range in ranges {
        edits.remove(range);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_taken_apart_as_sops_does() {
        let tree = parse("# c\nA=1\n\n B =x=y \nC=\nA=l\\nm\r\nexport D=\"q\"").unwrap();
        let found: Vec<(String, String)> = tree
            .collection(0)
            .unwrap()
            .entries()
            .map(|entry| {
                let name = entry.key.as_ref().unwrap().text.clone();
                (name, tree.scalar(entry.value).unwrap().text.to_string())
            })
            .collect();
        let expected = [
            ("A", "1"),
            (" B ", "x=y "),
            ("C", ""),
            ("A", "l\nm\r"),
            ("export D", "\"q\""),
        ];
        assert_eq!(
            found,
            expected.map(|(a, b)| (a.to_owned(), b.to_owned())).to_vec()
        );
        assert!(parse("A").is_err());
        assert!(parse("").is_ok());
    }

    #[test]
    fn lines_are_set_and_removed_alone() {
        let tree = parse("# c\nA=1\nB=2").unwrap();
        let at = |name: &str| vec![name.to_owned()];
        let set = |name: &str, text: &str| super::set(&tree, &at(name), &NewValue::text(text));
        assert_eq!(set("A", "x\ny").unwrap().text.as_str(), "# c\nA=x\\ny\nB=2");
        assert_eq!(set("C", "3").unwrap().text.as_str(), "# c\nA=1\nB=2\nC=3\n");
        assert!(set("A", "a\\nb").is_err());
        assert!(set("sops_x", "a").is_err());
        assert!(set("a=b", "a").is_err());
        let json = NewValue::json("{\"a\": 1}").unwrap();
        assert!(super::set(&tree, &at("A"), &json).is_err());
        assert_eq!(unset(&tree, &at("A")).unwrap().text.as_str(), "# c\nB=2");
        assert!(unset(&tree, &at("Z")).is_err());
    }
}
