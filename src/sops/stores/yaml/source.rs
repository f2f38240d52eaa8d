//! Finding in the text what the YAML parser does not tell: headers of block scalars, dashes, columns.

use std::ops::Range;

use super::comments::LooseComment;
use crate::sops::document::tree::BlockSpans;

/// The text that is being parsed.
#[derive(Clone, Copy)]
pub(super) struct Source<'a>(pub(super) &'a str);

/// Offset and column of an item, and the end of its dash.
pub(super) struct ItemStart {
    pub(super) start: usize,
    pub(super) column: usize,
    pub(super) dash_end: usize,
}

impl Source<'_> {
    /// The parser's span begins at the first line of text; the header is what stands before it.
    pub(super) fn block_spans(
        self,
        content: Range<usize>,
        comments: &[LooseComment],
    ) -> BlockSpans {
        let bytes = self.0.as_bytes();
        let is_header = |at: usize| matches!(bytes.get(at), Some(b'|' | b'>'));
        let mut head = self.0[..content.start].trim_end();
        while let Ok(at) = comments.binary_search_by_key(&head.len(), |comment| comment.span.end) {
            head = self.0[..comments[at].span.start].trim_end();
        }
        let start = (head.len().saturating_sub(3)..head.len())
            .rev()
            .find(|at| is_header(*at));
        let header = if let Some(start) = start {
            start..head.len()
        } else {
            let rest = &self.0[content.start..];
            let end = rest.find(|c: char| !matches!(c, '|' | '>' | '+' | '-' | '0'..='9'));
            content.start..content.start + end.unwrap_or(rest.len())
        };
        let line_end = self.0[header.end..]
            .find(['\n', '\r'])
            .map_or(self.0.len(), |at| header.end + at);
        let text = &self.0[..content.end];
        let end = if self.0[header.clone()].contains('+') {
            let lines = text.trim_end_matches([' ', '\t']);
            lines
                .strip_suffix('\n')
                .map_or(lines, |text| text.strip_suffix('\r').unwrap_or(text))
                .len()
        } else {
            end_of_last_line(text, line_end)
        };
        BlockSpans {
            header,
            body: line_end..end.max(line_end),
        }
    }

    /// The next dash after blanks and comments, after the colon of a key without a value, and after a tag `!`, which says
    /// nothing.
    pub(super) fn find_dash(self, from: usize) -> Option<usize> {
        let mut at = from;
        while let Some(byte) = self.0.as_bytes().get(at) {
            match byte {
                b'-' => return Some(at),
                b'#' => {
                    let rest = &self.0[at..];
                    at += rest.find('\n').unwrap_or(rest.len());
                }
                b' ' | b'\t' | b'\r' | b'\n' | b':' | b'!' => at += 1,
                _ => return None,
            }
        }
        None
    }

    /// The item whose dash is the next one.
    pub(super) fn item_start(self, from: usize) -> Option<ItemStart> {
        self.find_dash(from).map(|dash| ItemStart {
            start: dash,
            column: self.column_of(dash),
            dash_end: dash + 1,
        })
    }

    /// Columns count characters, and a byte order mark is none.
    pub(super) fn column_of(self, offset: usize) -> usize {
        let start = self.0[..offset].rfind('\n').map_or(0, |at| at + 1);
        let line = self.0[start..offset].trim_start_matches('\u{feff}');
        line.chars().count()
    }
}

/// Where the last line of a block scalar ends that is content; `text` begins with the block's header line, which ends at
/// `body`, and runs into the blank lines after the block. Blanks at the end of a line are content, as is a line of blanks
/// that is longer than the indentation.
fn end_of_last_line(text: &str, body: usize) -> usize {
    let blank = |line: &str| {
        line.bytes()
            .all(|byte| matches!(byte, b' ' | b'\t' | b'\r'))
    };
    let lines = text[body..].lines().filter(|line| !blank(line));
    let indent = lines
        .map(|line| line.len() - line.trim_start_matches(' ').len())
        .min();
    let mut end = text.len();
    while end > body {
        let start = text[..end].rfind('\n').map_or(0, |at| at + 1).max(body);
        let line = &text[start..end];
        let line = line.strip_suffix('\r').unwrap_or(line);
        if !blank(line) || indent.is_some_and(|indent| line.len() > indent) {
            return start + line.len();
        }
        end = start.saturating_sub(1);
    }
    body
}
