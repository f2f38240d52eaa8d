//! YAML text to a tree that knows its lines.
//!
//! One document per file, YAML 1.2 core scalars, at most 1 MiB, 64 levels and 100 000 nodes after aliases are
//! expanded. A node that came through an alias keeps the place where it was written.

mod loader;
mod scalar;
#[cfg(test)]
mod tests;

use granit_parser::{Marker, Parser, ScanError, Span};

use super::origin::line_and_column;
use loader::Loader;
pub(super) use scalar::{Scalar, ScalarKind};

const MAX_BYTES: usize = 1024 * 1024;

/// Where something is in a text: line and column from 1, length in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) line: u32,
    pub(super) column: u32,
    pub(super) length: u32,
}

/// A value and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) value: Value,
}

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Scalar(Scalar),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// One key of a map with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) key: Key,
    pub(super) value: Node,
}

/// A key of a map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) text: String,
    pub(super) place: Place,
}

/// Something that the text gets wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct YamlError {
    pub(super) place: Place,
    pub(super) message: String,
    pub(super) related: Option<(Place, &'static str)>,
    pub(super) fix: Option<String>,
}

impl YamlError {
    fn new(place: Place, message: impl Into<String>) -> Self {
        Self {
            place,
            message: message.into(),
            related: None,
            fix: None,
        }
    }

    fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }
}

/// What a text holds: a tree as far as it could be read, and everything that is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Loaded {
    /// `None` if the text could not be read to its end.
    pub(super) root: Option<Node>,
    pub(super) errors: Vec<YamlError>,
}

/// Reads one YAML document. An empty text is an empty map.
pub(super) fn load(content: &[u8]) -> Loaded {
    let failed = |error| Loaded {
        root: None,
        errors: vec![error],
    };
    let top = Place {
        line: 1,
        column: 1,
        length: 1,
    };
    if content.len() > MAX_BYTES {
        return failed(YamlError::new(
            top,
            format!(
                "the file has {} bytes; at most {MAX_BYTES} are read",
                content.len()
            ),
        ));
    }
    let text = match std::str::from_utf8(content) {
        Ok(text) => text,
        Err(error) => return failed(not_utf8(content, error.valid_up_to())),
    };
    let options = granit_parser::options! {
        emit_comments: false,
        strict_indentation: true,
        disallow_directives: true,
    };
    let mut loader = Loader::default();
    for step in Parser::new_from_str_with_options(text, options) {
        let taken = match step {
            Ok((event, span)) => loader.take(event, span),
            Err(error) => Err(syntax(&error, text)),
        };
        if let Err(error) = taken {
            loader.errors.push(error);
            return Loaded {
                root: None,
                errors: loader.errors,
            };
        }
    }
    Loaded {
        root: Some(loader.root.unwrap_or(Node {
            place: top,
            value: Value::Map(Vec::new()),
        })),
        errors: loader.errors,
    }
}

fn not_utf8(content: &[u8], valid: usize) -> YamlError {
    let before = String::from_utf8_lossy(&content[..valid]);
    let (line, column) = line_and_column(&before);
    YamlError::new(
        Place {
            line,
            column,
            length: 1,
        },
        "the file is not UTF-8 text from here on",
    )
}

fn syntax(error: &ScanError, text: &str) -> YamlError {
    let marker = error.marker();
    let line = text
        .lines()
        .nth(marker.line().saturating_sub(1))
        .unwrap_or_default();
    let indent: String = line.chars().take_while(|c| c.is_whitespace()).collect();
    let message = format!("this is not YAML: {}", lower_first(&error.info()));
    let failure = YamlError::new(place_at(marker, 1), message);
    if indent.contains('\t') {
        failure.fix("indent with spaces; YAML allows no tabs there")
    } else {
        failure
    }
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_lowercase().chain(chars).collect(),
        None => String::new(),
    }
}

fn place_of(span: &Span) -> Place {
    place_at(&span.start, span.len().max(1))
}

fn place_at(marker: &Marker, length: usize) -> Place {
    Place {
        line: small(marker.line().max(1)),
        column: small(marker.col() + 1),
        length: small(length),
    }
}

fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
