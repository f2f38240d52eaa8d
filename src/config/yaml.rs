//! YAML text to a tree that knows its files and lines.
//!
//! One document per file, YAML 1.2 core scalars, at most 1 MiB, 64 levels and 100 000 nodes after aliases are
//! expanded. A node that came through an alias keeps the place where it was written.

mod loader;
mod scalar;
mod syntax;
#[cfg(test)]
mod tests;

use granit_parser::{Marker, Parser, Span};

use super::origin::line_and_column;
use crate::source::RepoPath;
use loader::Loader;
pub(super) use scalar::{Scalar, ScalarKind};
use syntax::syntax;

const MAX_BYTES: usize = 1024 * 1024;

/// A file of the run, by its place in the run's [`FileTable`](super::files::FileTable).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct FileId(pub(super) u32);

/// Where something is: the file, line and column from 1, length in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) file: FileId,
    pub(super) line: u32,
    pub(super) column: u32,
    pub(super) length: u32,
}

/// A value and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) merge: Merge,
    pub(super) value: Value,
}

impl Node {
    /// A value that merges as values do.
    pub(super) fn new(place: Place, value: Value) -> Self {
        Self {
            place,
            merge: Merge::Plain,
            value,
        }
    }

    /// The entries of a map; none for anything else.
    pub(super) fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The value of a key of a map.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        let entry = self.entries().iter().find(|entry| entry.key.text == key);
        entry.map(|entry| &entry.value)
    }

    /// The scalar, if it is one.
    pub(super) fn scalar(&self) -> Option<&Scalar> {
        match &self.value {
            Value::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// Whether nothing is said.
    pub(super) fn is_null(&self) -> bool {
        self.scalar()
            .is_some_and(|scalar| scalar.kind() == ScalarKind::Null)
    }

    /// Whether both say the same, wherever they were written.
    pub(super) fn says_the_same(&self, other: &Self) -> bool {
        match (&self.value, &other.value) {
            (Value::List(a), Value::List(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.says_the_same(b))
            }
            (Value::Map(a), Value::Map(b)) => {
                a.len() == b.len()
                    && a.iter()
                        .zip(b)
                        .all(|(a, b)| a.key.text == b.key.text && a.value.says_the_same(&b.value))
            }
            (a, b) => a == b,
        }
    }
}

/// What a tag asks of merging.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Merge {
    /// Nothing.
    #[default]
    Plain,
    /// `!override`: what is below its rank, and what is not so tagged at its rank, does not count.
    Override,
    /// `!default`: it counts only if nothing else is said.
    Default,
}

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Scalar(Scalar),
    List(Vec<Node>),
    Map(Vec<Entry>),
    /// A file of the repository that was filled in; never comes out of a text.
    File(Box<FilledFile>),
    /// Something that could not be evaluated, which is recorded; nothing more is said about it.
    Unknown,
}

/// A file of the repository with its expressions evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FilledFile {
    pub(super) path: RepoPath,
    pub(super) text: String,
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

/// Reads the YAML document of `file`. An empty text is an empty map.
pub(super) fn load(file: FileId, content: &[u8]) -> Loaded {
    let failed = |error| Loaded {
        root: None,
        errors: vec![error],
    };
    let top = Place {
        file,
        line: 1,
        column: 1,
        length: 1,
    };
    if content.len() > MAX_BYTES {
        return failed(
            YamlError::new(
                top,
                format!(
                    "the file has {} bytes; at most {MAX_BYTES} are read",
                    content.len()
                ),
            )
            .fix("keep large contents in files of their own, and name those with `file:`"),
        );
    }
    let text = match std::str::from_utf8(content) {
        Ok(text) => text,
        Err(error) => return failed(not_utf8(file, content, error.valid_up_to())),
    };
    let options = granit_parser::options! {
        emit_comments: false,
        strict_indentation: true,
        disallow_directives: true,
    };
    let mut loader = Loader::new(file);
    for step in Parser::new_from_str_with_options(text, options) {
        let taken = match step {
            Ok((event, span)) => loader
                .take(event, span)
                .map_err(|error| unquoted_expression(error, text)),
            Err(error) => Err(syntax(file, &error, text)),
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
        root: Some(
            loader
                .root
                .unwrap_or(Node::new(top, Value::Map(Vec::new()))),
        ),
        errors: loader.errors,
    }
}

fn not_utf8(file: FileId, content: &[u8], valid: usize) -> YamlError {
    let before = String::from_utf8_lossy(&content[..valid]);
    let (line, column) = line_and_column(&before);
    YamlError::new(
        Place {
            file,
            line,
            column,
            length: 1,
        },
        "the file is not UTF-8 text from here on",
    )
    .fix("save it as UTF-8 in the editor; if it is no text at all, it is the wrong file")
}

/// `{{ … }}` at the beginning of a value without quotes, which YAML takes for a map in a map.
fn unquoted_expression(error: YamlError, text: &str) -> YamlError {
    let index = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    let line = text.lines().nth(index(error.place.line).saturating_sub(1));
    let line = line.unwrap_or_default();
    let before: String = line
        .chars()
        .take(index(error.place.column).saturating_sub(1))
        .collect();
    if error.message != loader::KEY_IS_TEXT || !before.ends_with('{') {
        return error;
    }
    let from = before.chars().count().saturating_sub(1);
    let place = Place {
        column: small(from + 1),
        length: 2,
        ..error.place
    };
    YamlError::new(
        place,
        "a value that begins with an expression must be in quotes",
    )
    .fix("write `\"{{ … }}\"`")
}

fn place_of(file: FileId, span: &Span) -> Place {
    place_at(file, &span.start, span.len().max(1))
}

fn place_at(file: FileId, marker: &Marker, length: usize) -> Place {
    Place {
        file,
        line: small(marker.line().max(1)),
        column: small(marker.col() + 1),
        length: small(length),
    }
}

fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
