//! From an INI text to its tree, by the rules of go-ini.
//!
//! The first section is always `DEFAULT`, for keys before any header. A key's comment stands after its key in the tree.

use std::collections::HashSet;
use std::ops::Range;

use zeroize::Zeroizing;

use super::values::Lines;
use crate::sops::document::tree::{
    Child, Collection, Comment, Document, Entry, EntryPlace, Key, Kind, Node, Position, Scalar,
    Shape, Style, Tree, line_break,
};
use crate::sops::error::ParseError;
use crate::sops::stores::Store;
use crate::sops::stores::yaml::scalar::ScalarForm;
use crate::sops::walk::METADATA_KEY;

/// The section of the keys before any header.
pub(super) const DEFAULT_SECTION: &str = "DEFAULT";
const DELIMITERS: [char; 2] = ['=', ':'];
const COMMENT_SIGNS: [char; 2] = ['#', ';'];

pub(in crate::sops::stores) fn parse(text: &str) -> Result<Tree, ParseError> {
    let start = if text.starts_with('\u{feff}') {
        '\u{feff}'.len_utf8()
    } else {
        0
    };
    let mut parser = Parser {
        text,
        lines: Lines::new(text, start),
        nodes: vec![Node::at_margin(
            Kind::Alias(0),
            0..text.len(),
            1,
            EntryPlace::default(),
        )],
        sections: Vec::new(),
        section: Section::new(
            Key {
                text: DEFAULT_SECTION.to_owned(),
                span: start..start,
            },
            start,
            1,
        ),
        comment: Pending::default(),
    };
    while let Some(line) = parser.lines.next() {
        parser.line(line)?;
    }
    parser.trailing_comment();
    parser.close_section(None);
    let Parser {
        mut nodes,
        sections,
        ..
    } = parser;
    nodes[0].kind = collection(sections);
    Ok(Tree {
        text: Zeroizing::new(text.to_owned()),
        store: Store::Ini,
        nodes,
        documents: vec![Document {
            root: 0,
            end: text.len(),
        }],
        step: 0,
        line_break: line_break(text),
    })
}

fn collection(children: Vec<Child>) -> Kind {
    Kind::Collection(Collection {
        shape: Shape::Map,
        style: Style::Block,
        children,
    })
}

struct Section {
    key: Key,
    /// Where its header stands.
    start: usize,
    /// Where its last key or header ends.
    end: usize,
    line: usize,
    children: Vec<Child>,
    keys: HashSet<String>,
    /// How many keys named `-` there were.
    numbered: usize,
}

impl Section {
    fn new(key: Key, start: usize, line: usize) -> Self {
        Self {
            end: key.span.end,
            key,
            start,
            line,
            children: Vec::new(),
            keys: HashSet::new(),
            numbered: 0,
        }
    }
}

/// A comment that waits for its key or section: several lines are one.
#[derive(Default)]
struct Pending {
    text: Zeroizing<String>,
    pieces: Vec<Range<usize>>,
    line: usize,
    position: Option<Position>,
}

struct Parser<'a> {
    text: &'a str,
    lines: Lines<'a>,
    nodes: Vec<Node>,
    sections: Vec<Child>,
    section: Section,
    comment: Pending,
}

impl Parser<'_> {
    fn error(&self, reason: &str) -> ParseError {
        ParseError::Syntax {
            line: self.lines.number(),
            column: 1,
            reason: reason.to_owned(),
        }
    }

    fn line(&mut self, range: Range<usize>) -> Result<(), ParseError> {
        let whole = &self.text[range.clone()];
        let line = whole.trim_start();
        let start = range.end - line.len();
        if line.is_empty() {
            return Ok(());
        }
        if line.starts_with(COMMENT_SIGNS) {
            let end = start + line.trim_end().len();
            self.add_comment(start..end, line, Position::OwnLine);
            return Ok(());
        }
        if line.starts_with('[') {
            return self.header(start, line);
        }
        self.key(start, line)
    }

    fn add_comment(&mut self, span: Range<usize>, text: &str, position: Position) {
        if self.comment.pieces.is_empty() {
            self.comment.line = self.lines.number();
            self.comment.position = Some(position);
        }
        // Lines that follow the first go as whole lines, and what follows a value with the blanks before it.
        let span = match (self.comment.pieces.is_empty(), position) {
            (true, _) => span,
            (false, Position::OwnLine) => {
                let start = self.text[..span.start].rfind('\n').map_or(0, |at| at + 1);
                start..self.lines.end_of_line(span.end)
            }
            (false, _) => self.text[..span.start].trim_end().len()..span.end,
        };
        self.comment.pieces.push(span);
        self.comment.text.push_str(text);
    }

    /// The waiting comment, as go-ini and sops clean it.
    fn take_comment(&mut self) -> Option<Comment> {
        let pending = std::mem::take(&mut self.comment);
        let mut pieces = pending.pieces.into_iter();
        let span = pieces.next()?;
        let text = pending.text.trim();
        let sign = if text.starts_with(';') { ';' } else { '#' };
        let text = if text.starts_with(sign) {
            text.trim_start_matches([sign, ' '])
        } else {
            text
        };
        Some(Comment {
            text: Zeroizing::new(text.to_owned()),
            span,
            rest: pieces.collect(),
            line: pending.line,
            position: pending.position.unwrap_or(Position::OwnLine),
        })
    }

    /// A comment that no key follows: sops drops it, here it stays with the section before.
    fn trailing_comment(&mut self) {
        if let Some(comment) = self.take_comment() {
            self.section.children.push(Child::Comment(comment));
        }
    }

    fn header(&mut self, start: usize, line: &str) -> Result<(), ParseError> {
        let close = line
            .rfind(']')
            .ok_or_else(|| self.error("the section's name is not closed with `]`"))?;
        let name = &line[1..close];
        if name.is_empty() {
            return Err(self.error("the section has no name"));
        }
        let key = Key {
            text: name.to_owned(),
            span: start + 1..start + close,
        };
        if name == METADATA_KEY {
            self.trailing_comment();
        }
        let end = start + close + 1;
        if let Some(at) = line[close + 1..].find(COMMENT_SIGNS) {
            let from = end + at;
            let text = &self.text[from..start + line.len()];
            self.add_comment(
                from..from + text.trim_end().len(),
                text,
                Position::AfterScalar,
            );
        }
        let comment = self.take_comment();
        let mut section = Section::new(key, start, self.lines.number());
        section.end = end;
        section.children.extend(comment.map(Child::Comment));
        self.close_section(Some(section));
        Ok(())
    }

    fn close_section(&mut self, next: Option<Section>) {
        let closed = match next {
            Some(next) => std::mem::replace(&mut self.section, next),
            None => std::mem::replace(
                &mut self.section,
                Section::new(
                    Key {
                        text: String::new(),
                        span: 0..0,
                    },
                    0,
                    1,
                ),
            ),
        };
        let place = EntryPlace {
            column: 0,
            after: closed.key.span.end,
            is_keyed: true,
        };
        let kind = collection(closed.children);
        let map = Node::at_margin(kind, closed.start..closed.end, closed.line, place);
        self.nodes.push(map);
        self.sections.push(Child::Entry(Entry {
            key: Some(closed.key),
            start: closed.start,
            column: 0,
            value: self.nodes.len() - 1,
        }));
    }

    fn key(&mut self, start: usize, line: &str) -> Result<(), ParseError> {
        let (name, offset) = name_of(line).map_err(|reason| self.error(reason))?;
        let mut name = name.to_owned();
        if name.is_empty() {
            return Err(self.error("the key has no name"));
        }
        if name == "-" {
            self.section.numbered += 1;
            name = format!("#{}", self.section.numbered);
        }
        if !self.section.keys.insert(name.clone()) {
            return Err(self.error("the same key stands twice in this section"));
        }
        let number = self.lines.number();
        let after = start + offset - 1;
        let value = self
            .lines
            .value(start + offset)
            .map_err(|reason| self.error(reason))?;
        if let Some(comment) = &value.comment {
            let text = &self.text[comment.clone()];
            self.add_comment(comment.clone(), text, Position::AfterScalar);
        }
        let place = EntryPlace {
            column: 0,
            after,
            is_keyed: true,
        };
        self.section.end = value.span.end.max(after + 1);
        let kind = Kind::Scalar(Scalar {
            text: value.text,
            form: ScalarForm::Quoted,
            block: None,
        });
        let scalar = Node::at_margin(kind, value.span, number, place);
        self.nodes.push(scalar);
        self.section.children.push(Child::Entry(Entry {
            key: Some(Key {
                text: name,
                span: start..after,
            }),
            start,
            column: 0,
            value: self.nodes.len() - 1,
        }));
        let comment = self.take_comment();
        self.section.children.extend(comment.map(Child::Comment));
        Ok(())
    }
}

/// A key's name, and where its value begins. `line` is not empty.
fn name_of(line: &str) -> Result<(&str, usize), &'static str> {
    let quote = if line.starts_with("\"\"\"") && line.len() > 6 {
        "\"\"\""
    } else if line.starts_with('"') {
        "\""
    } else if line.starts_with('`') {
        "`"
    } else {
        ""
    };
    let no_delimiter = "a line must be `name = value`, `[section]`, or a comment";
    if quote.is_empty() {
        let end = line.find(DELIMITERS).ok_or(no_delimiter)?;
        return Ok((line[..end].trim(), end + 1));
    }
    let close = line[quote.len()..]
        .find(quote)
        .ok_or("the key's quote is not closed")?
        + quote.len();
    let after = close + quote.len();
    let delimiter = line[after..].find(DELIMITERS).ok_or(no_delimiter)?;
    Ok((line[quote.len()..close].trim(), after + delimiter + 1))
}
