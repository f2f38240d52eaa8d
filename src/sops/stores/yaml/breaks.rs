//! Line breaks that go-yaml knows and YAML 1.2 does not: U+0085, U+2028 and U+2029, as sops writes them into values.

use std::ops::Range;

use granit_parser::ScalarStyle;
use zeroize::Zeroizing;

const BREAKS: [char; 3] = ['\u{85}', '\u{2028}', '\u{2029}'];

/// Whether `text` has a character that readers of YAML do not agree on.
pub(in crate::sops) fn has_odd_break(text: &str) -> bool {
    text.contains(BREAKS)
}

/// The value of the scalar at `span` of `source` as go-yaml reads it; `text` is what the parser read.
///
/// sops itself writes them into single quotes and literal blocks only. Where a person mixed them with line feeds or, in
/// double quotes, with escapes for the same characters, they stay as the parser reads them.
pub(super) fn as_go_yaml(
    text: &str,
    style: ScalarStyle,
    (source, span): (&str, Range<usize>),
) -> Zeroizing<String> {
    if !has_odd_break(text) {
        return Zeroizing::new(text.to_owned());
    }
    let written = &source[span.clone()];
    let is_one_line = !written.trim_end().contains('\n');
    match style {
        ScalarStyle::SingleQuoted | ScalarStyle::Plain if is_one_line => folded(text),
        ScalarStyle::DoubleQuoted
            if is_one_line && written.matches(BREAKS).count() == text.matches(BREAKS).count() =>
        {
            folded(text)
        }
        ScalarStyle::Folded if is_one_line => {
            joined(text, indent_of(source, span.start)).unwrap_or_else(|| text.to_owned().into())
        }
        ScalarStyle::Literal => {
            let indent = indent_of(source, span.start);
            unindented(text, indent)
        }
        _ => Zeroizing::new(text.to_owned()),
    }
}

/// By how many blanks the block is indented whose first line of text `at` is in.
fn indent_of(source: &str, at: usize) -> usize {
    let line = source[..at].rfind('\n').map_or(0, |at| at + 1);
    let mut lines = source[line..].lines().map(str::trim_end);
    let first = lines.find(|line| !line.is_empty());
    first.map_or(0, |line| line.len() - line.trim_start_matches(' ').len())
}

/// In a folded block: what follows a break is a line, indented like the first; U+0085 between two of them is a blank.
/// Nothing for lines that are indented further or empty, which would not be folded.
fn joined(text: &str, indent: usize) -> Option<Zeroizing<String>> {
    let mut read = Zeroizing::new(String::with_capacity(text.len()));
    let mut rest = text;
    while let Some(at) = rest.find(BREAKS) {
        let (line, after) = rest.split_at(at);
        let found = after.chars().next()?;
        let after = &after[found.len_utf8()..];
        let next = after.trim_start_matches(' ');
        let is_folded = after.len() - next.len() == indent && !next.starts_with(BREAKS);
        if !is_folded || line.ends_with([' ', '\t']) || next.starts_with('\t') || next.is_empty() {
            return None;
        }
        read.push_str(line);
        read.push(if found == '\u{85}' { ' ' } else { found });
        rest = next;
    }
    read.push_str(rest);
    Some(read)
}

/// In quotes and plain: blanks around breaks go; the first, if it is U+0085, is a blank where it stands alone, and else nothing.
fn folded(text: &str) -> Zeroizing<String> {
    const BLANKS: [char; 2] = [' ', '\t'];
    let mut read = Zeroizing::new(String::with_capacity(text.len()));
    let mut rest = text;
    while let Some(at) = rest.find(BREAKS) {
        read.push_str(rest[..at].trim_end_matches(BLANKS));
        let after = rest[at..].trim_start_matches(|c| BREAKS.contains(&c) || BLANKS.contains(&c));
        let run = &rest[at..rest.len() - after.len()];
        let mut breaks = run.chars().filter(|c| BREAKS.contains(c)).peekable();
        if breaks.next_if_eq(&'\u{85}').is_some() && breaks.peek().is_none() {
            read.push(' ');
        }
        read.extend(breaks.map(line_feed));
        rest = after;
    }
    read.push_str(rest);
    read
}

/// In a literal block: what follows a break is a line, indented like the others.
fn unindented(text: &str, indent: usize) -> Zeroizing<String> {
    let mut read = Zeroizing::new(String::with_capacity(text.len()));
    let mut rest = text;
    while let Some(at) = rest.find(BREAKS) {
        let width = rest[at..].chars().next().map_or(0, char::len_utf8);
        read.push_str(&rest[..at]);
        read.extend(rest[at..at + width].chars().map(line_feed));
        rest = &rest[at + width..];
        let blanks = rest.len() - rest.trim_start_matches(' ').len();
        rest = &rest[blanks.min(indent)..];
    }
    read.push_str(rest);
    read
}

fn line_feed(c: char) -> char {
    if c == '\u{85}' { '\n' } else { c }
}

#[cfg(test)]
mod tests {
    use crate::sops::document::tree::Tree;

    /// What sops 3.11 reads.
    #[test]
    fn line_breaks_of_unicode_are_read_as_go_yaml_reads_them() {
        for (written, expected) in [
            ("'x\u{2028}    y'", "x\u{2028}y"),
            ("'x \u{2029} y'", "x\u{2029}y"),
            ("'x\u{2028}\u{2028}    y'", "x\u{2028}\u{2028}y"),
            ("'x\u{85}y'", "x y"),
            ("'x\u{85}\u{2028}y'", "x\u{2028}y"),
            ("'x\u{2028}\u{85}y'", "x\u{2028}\ny"),
            ("'\u{2028}    y'", "\u{2028}y"),
            ("'x\u{85}'", "x "),
            ("|-\n    x\n    y\u{2028}    z", "x\ny\u{2028}z"),
            ("|\n  x\u{85}  y\n", "x\ny\n"),
            ("\"x\\u2028  y\\x85z\"", "x\u{2028}  y\u{85}z"),
            ("x\u{2028}  y", "x\u{2028}y"),
            ("x \u{85} y", "x y"),
            ("\"x \u{2029}  y\"", "x\u{2029}y"),
            ("\"x\u{85}y\"", "x y"),
            (">-\n  x\u{2028}  y", "x\u{2028}y"),
            (">\n  x\u{85}  y\n", "x y\n"),
        ] {
            let tree = Tree::parse(format!("a: {written}").as_bytes()).unwrap_or_else(|error| {
                panic!("{written:?}: {error}");
            });
            let node = tree.find(&["a".to_owned()]).unwrap();
            assert_eq!(*tree.scalar(node).unwrap().text, expected, "{written:?}");
        }
    }
}
