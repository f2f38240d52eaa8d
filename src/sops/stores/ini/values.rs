//! The lines of an INI text, and the values in them, which may span several.

use std::ops::Range;

use zeroize::Zeroizing;

const COMMENT_SIGNS: [char; 2] = ['#', ';'];

/// The lines of a text, each with its line break.
pub(super) struct Lines<'a> {
    text: &'a str,
    at: usize,
    /// Of the last line given, from 1.
    number: usize,
    /// Where the last line given ends.
    end: usize,
}

/// A value as it was read.
pub(super) struct Read {
    pub(super) text: Zeroizing<String>,
    /// All of it as it is written, with its quotes.
    pub(super) span: Range<usize>,
    /// A comment behind it.
    pub(super) comment: Option<Range<usize>>,
}

impl<'a> Lines<'a> {
    pub(super) fn new(text: &'a str, start: usize) -> Self {
        Self {
            text,
            at: start,
            number: 0,
            end: start,
        }
    }

    pub(super) fn number(&self) -> usize {
        self.number
    }

    /// The next line.
    pub(super) fn next(&mut self) -> Option<Range<usize>> {
        if self.at >= self.text.len() {
            return None;
        }
        let start = self.at;
        self.at = self.end_of_line(start);
        self.end = self.at;
        self.number += 1;
        Some(start..self.at)
    }

    /// Behind the line break of the line of `offset`.
    pub(super) fn end_of_line(&self, offset: usize) -> usize {
        self.text[offset..]
            .find('\n')
            .map_or(self.text.len(), |at| offset + at + 1)
    }

    /// The value that begins at `start`, in the last line given; takes further lines as it needs them.
    pub(super) fn value(&mut self, start: usize) -> Result<Read, &'static str> {
        let whole = &self.text[start..self.end];
        let line = whole.trim_start();
        if line.is_empty() {
            let blanks = whole.len() - whole.trim_start_matches([' ', '\t']).len();
            return Ok(self.read(start + blanks..start + blanks, "", None));
        }
        let start = self.end - line.len();
        let quote = if line.starts_with("\"\"\"") && line.len() > 3 {
            "\"\"\""
        } else if line.starts_with('`') {
            "`"
        } else {
            return Ok(self.unquoted(start, line.trim()));
        };
        let inside = start + quote.len();
        match self.text[inside..self.end].rfind(quote) {
            Some(close) => Ok(self.quoted(start, inside..inside + close, quote)),
            None => self.multiline(start, inside, quote),
        }
    }

    fn read(&self, span: Range<usize>, text: &str, comment: Option<Range<usize>>) -> Read {
        debug_assert!(span.end <= self.text.len());
        Read {
            text: Zeroizing::new(text.to_owned()),
            span,
            comment,
        }
    }

    /// A quoted value whose closing quote is known; what follows on its line is a comment or nothing.
    fn quoted(&self, start: usize, inside: Range<usize>, quote: &str) -> Read {
        let after = inside.end + quote.len();
        let rest = &self.text[after..self.end];
        let comment = rest.find(COMMENT_SIGNS).map(|at| {
            let from = after + at;
            from..from + self.text[from..self.end].trim_end().len()
        });
        let end = comment.as_ref().map_or(self.end, |comment| comment.start);
        let end = after + self.text[after..end].trim_end().len();
        self.read(start..end, &self.text[inside], comment)
    }

    fn multiline(
        &mut self,
        start: usize,
        inside: usize,
        quote: &str,
    ) -> Result<Read, &'static str> {
        while let Some(line) = self.next() {
            if let Some(close) = self.text[line.clone()].rfind(quote) {
                return Ok(self.quoted(start, inside..line.start + close, quote));
            }
        }
        Err("the value's quote is not closed")
    }

    fn unquoted(&mut self, start: usize, line: &str) -> Read {
        if let Some(first) = line.strip_suffix('\\') {
            return self.continued(start, (start + line.len(), first));
        }
        let sign = line.find(COMMENT_SIGNS);
        let comment = sign.map(|at| start + at..start + line.len());
        let value = sign.map_or(line, |at| line[..at].trim());
        let has_quotes = |quote: char| {
            value.len() >= 2
                && value.starts_with(quote)
                && value[1..].find(quote) == Some(value.len() - 2)
        };
        let text = if has_quotes('\'') || has_quotes('"') {
            &value[1..value.len() - 1]
        } else {
            value
        };
        self.read(start..start + value.len(), text, comment)
    }

    /// A value whose line ends in a backslash.
    fn continued(&mut self, start: usize, (end, first): (usize, &str)) -> Read {
        let mut text = Zeroizing::new(first.to_owned());
        let mut end = end;
        while let Some(line) = self.next() {
            let more = self.text[line.clone()].trim();
            if more.is_empty() {
                break;
            }
            end = line.start + self.text[line].trim_end().len();
            text.push_str(more);
            if !text.ends_with('\\') {
                break;
            }
            text.pop();
        }
        Read {
            text,
            span: start..end,
            comment: None,
        }
    }
}
