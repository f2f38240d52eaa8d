//! Conflict markers, in the form that git users know: two texts that are the same but for what is in conflict, as one.

use std::ops::Range;

use similar::{Algorithm, DiffOp, capture_diff_slices};
use zeroize::Zeroizing;

use super::layout::extent;
use crate::sops::document::tree::Tree;

/// Whose version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The branch that is merged into; in a rebase, the one that is rebased onto.
    Ours,
    /// The branch that is merged.
    Theirs,
}

/// What conflict markers look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Markers {
    /// How many signs a marker has; git's usual number is 7.
    pub size: usize,
}

impl Default for Markers {
    fn default() -> Self {
        Self { size: 7 }
    }
}

impl Markers {
    fn begin(self) -> String {
        format!("{} ours\n", "<".repeat(self.size))
    }

    fn middle(self) -> String {
        format!("{}\n", "=".repeat(self.size))
    }

    fn end(self) -> String {
        format!("{} theirs\n", ">".repeat(self.size))
    }

    /// Two whole texts as one conflict.
    #[must_use]
    pub fn around(self, ours: &[u8], theirs: &[u8]) -> Vec<u8> {
        let mut text = self.begin().into_bytes();
        for (side, marker) in [(ours, self.middle()), (theirs, self.end())] {
            text.extend_from_slice(side);
            if !text.ends_with(b"\n") {
                text.push(b'\n');
            }
            text.extend_from_slice(marker.as_bytes());
        }
        text
    }

    /// Where `ours` and `theirs` differ, both; `whole` are the parts of each that are not taken apart.
    pub(super) fn between(self, ours: &Cut<'_>, theirs: &Cut<'_>) -> Zeroizing<String> {
        let markers = (self.size + 10) * 3 * (ours.0.len() + theirs.0.len());
        let bytes: usize = ours
            .0
            .iter()
            .chain(&theirs.0)
            .map(|part| part.len() + 1)
            .sum();
        let mut text = Zeroizing::new(String::with_capacity(bytes + markers));
        let push = |text: &mut Zeroizing<String>, parts: &[&str]| {
            for part in parts {
                text.push_str(part);
                if !part.ends_with('\n') {
                    text.push('\n');
                }
            }
        };
        let ops = capture_diff_slices(Algorithm::Myers, &ours.0, &theirs.0);
        let mut at = 0;
        while at < ops.len() {
            if let DiffOp::Equal { .. } = ops[at] {
                push(&mut text, &ours.0[ops[at].old_range()]);
                at += 1;
                continue;
            }
            let first = at;
            while at < ops.len() && !matches!(ops[at], DiffOp::Equal { .. }) {
                at += 1;
            }
            let (first, last) = (&ops[first], &ops[at - 1]);
            text.push_str(&self.begin());
            push(
                &mut text,
                &ours.0[first.old_range().start..last.old_range().end],
            );
            text.push_str(&self.middle());
            push(
                &mut text,
                &theirs.0[first.new_range().start..last.new_range().end],
            );
            text.push_str(&self.end());
        }
        text
    }
}

/// A text in lines, values of several lines in one.
pub(super) struct Cut<'a>(Vec<&'a str>);

impl<'a> Cut<'a> {
    /// Keeps together what is one value of `tree`.
    pub(super) fn of(tree: &'a Tree) -> Self {
        let mut values: Vec<Range<usize>> = Vec::new();
        for id in 0..tree.nodes.len() {
            let Some(collection) = tree.collection(id) else {
                continue;
            };
            for entry in collection.entries() {
                if tree.collection(entry.value).is_none() {
                    let end = extent(tree, entry.value, entry);
                    values.push(tree.line_start(entry.start)..tree.next_line(end));
                }
            }
        }
        values.sort_by_key(|span| (span.start, span.end));
        let mut parts = Vec::new();
        let mut at = 0;
        for value in values {
            if value.start < at {
                continue;
            }
            parts.extend(tree.text[at..value.start].split_inclusive('\n'));
            parts.push(&tree.text[value.clone()]);
            at = value.end;
        }
        parts.extend(tree.text[at..].split_inclusive('\n'));
        Self(parts)
    }
}

/// What a line is to conflict markers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    Begin,
    Base,
    Middle,
    End,
    Text,
}

impl Line {
    fn of(line: &[u8]) -> Self {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let size = |sign: u8| line.iter().take_while(|byte| **byte == sign).count();
        let marks = |sign: u8| {
            let size = size(sign);
            size >= 7 && line.get(size).is_none_or(|byte| *byte == b' ')
        };
        match line.first() {
            Some(b'<') if marks(b'<') => Self::Begin,
            Some(b'|') if marks(b'|') => Self::Base,
            Some(b'=') if size(b'=') == line.len() && line.len() >= 7 => Self::Middle,
            Some(b'>') if marks(b'>') => Self::End,
            _ => Self::Text,
        }
    }
}

/// The number, from 1, of the first line of `text` that is a conflict marker.
#[must_use]
pub fn first_marker(text: &[u8]) -> Option<usize> {
    let lines = text.split(|byte| *byte == b'\n');
    let found = lines
        .enumerate()
        .find(|(_, line)| Line::of(line) != Line::Text)?;
    Some(found.0 + 1)
}

/// A text with conflict markers as `side` had it; nothing if the markers do not pair up.
#[must_use]
pub fn one_side(text: &[u8], side: Side) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    // Which part of a conflict the line is in.
    let mut part = Line::Text;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        match (part, Line::of(line)) {
            (Line::Text, Line::Begin) => part = Line::Begin,
            (Line::Begin, Line::Base) => part = Line::Base,
            (Line::Begin | Line::Base, Line::Middle) => part = Line::Middle,
            (Line::Middle, Line::End) => part = Line::Text,
            (_, Line::Text) => {
                let wanted = match part {
                    Line::Begin => side == Side::Ours,
                    Line::Middle => side == Side::Theirs,
                    Line::Base => false,
                    Line::Text | Line::End => true,
                };
                if wanted {
                    out.extend_from_slice(line);
                }
            }
            _ => return None,
        }
    }
    (part == Line::Text).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_with_markers_gives_back_each_side() {
        let text = b"a\n<<<<<<< ours\nb\n||||||| base\nx\n=======\nc\n>>>>>>> theirs\nd\n";
        assert_eq!(first_marker(text), Some(2));
        assert_eq!(one_side(text, Side::Ours).unwrap(), b"a\nb\nd\n");
        assert_eq!(one_side(text, Side::Theirs).unwrap(), b"a\nc\nd\n");
        assert_eq!(one_side(b"<<<<<<< ours\na\n", Side::Ours), None);
        assert_eq!(first_marker(b"a: <<<<<<<\n======\n# =======\n"), None);
        let whole = Markers::default().around(b"a: 1\n", b"a: 2");
        assert_eq!(one_side(&whole, Side::Theirs).unwrap(), b"a: 2\n");
    }
}
