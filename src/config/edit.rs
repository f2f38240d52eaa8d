//! Changing one entry of a YAML text and nothing else: no comment, no order, no quote of another entry moves.

use std::collections::BTreeMap;
use std::ops::Range;

use granit_parser::{Event, Parser, ScalarStyle};

/// An entry as it is written: its key stands at a known place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenEntry {
    form: Form,
    /// What it says, by key; only what is text. An entry that is text itself has it under the empty key.
    fields: BTreeMap<String, Field>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Form {
    /// Text, or nothing; here.
    Scalar { span: Range<usize>, colon: usize },
    /// `{ … }`; its closing brace is here.
    Flow { end: usize, is_empty: bool },
    /// A line for each key; the first one is here.
    Block { first: usize },
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Field {
    key: usize,
    value: String,
    span: Range<usize>,
    /// Written with `|` or `>`, and so on lines of its own.
    is_block: bool,
}

impl WrittenEntry {
    /// The entry of `text` whose key stands at `line` and `column`, both from 1; the column counts characters. `None` if
    /// there is none, or if it is no map and no text.
    #[must_use]
    pub fn at(text: &str, line: u32, column: u32) -> Option<Self> {
        let options = granit_parser::options! { emit_comments: false };
        let events = Parser::new_from_str_with_options(text, options).map(Result::ok);
        let events: Option<Vec<_>> = events.collect();
        let mut events = events?.into_iter();
        let wanted = (usize::try_from(line).ok()?, usize::try_from(column).ok()?);
        let (_, key) = events.find(|(event, span)| {
            matches!(event, Event::Scalar(..))
                && (span.start.line(), span.start.col() + 1) == wanted
        })?;
        let (event, span) = events.next()?;
        match event {
            Event::Scalar(value, ..) => {
                let span = span.byte_range()?;
                let key = key.byte_range()?.end;
                let colon = key + text[key..].find(':')? + 1;
                let field = Field {
                    key: span.start,
                    value: value.into_owned(),
                    span: span.clone(),
                    is_block: false,
                };
                Some(Self {
                    form: Form::Scalar { span, colon },
                    fields: [(String::new(), field)].into(),
                })
            }
            Event::MappingStart(..) => Self::of_map(text, span.byte_range()?.start, events),
            _ => None,
        }
    }

    fn of_map<'e>(
        text: &str,
        start: usize,
        mut events: impl Iterator<Item = (Event<'e>, granit_parser::Span)>,
    ) -> Option<Self> {
        let mut fields = BTreeMap::new();
        let mut first = None;
        let end = loop {
            let (key, key_span) = match events.next()? {
                (Event::MappingEnd, span) => break span.byte_range()?,
                (Event::Scalar(key, ..), span) => (key.into_owned(), span.byte_range()?),
                _ => return None,
            };
            first.get_or_insert(key_span.start);
            let (value, span) = events.next()?;
            match value {
                Event::Scalar(value, style, ..) => {
                    let field = Field {
                        key: key_span.start,
                        value: value.into_owned(),
                        span: span.byte_range()?,
                        is_block: matches!(style, ScalarStyle::Literal | ScalarStyle::Folded),
                    };
                    fields.insert(key, field);
                }
                Event::MappingStart(..) | Event::SequenceStart(..) => skip(&mut events)?,
                _ => return None,
            }
        };
        let form = if text[start..].starts_with('{') {
            let is_empty = first.is_none();
            let end = text[..end.end].rfind('}')?;
            Form::Flow { end, is_empty }
        } else {
            Form::Block { first: first? }
        };
        Some(Self { form, fields })
    }

    /// What it says under `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.fields.get(key).map(|field| field.value.as_str())
    }

    /// `text` with `value` under `key` of this entry. `text` is what the entry was found in.
    #[must_use]
    pub fn set(&self, text: &str, key: &str, value: &str) -> String {
        let field = self.fields.get(key);
        match (&self.form, field) {
            (Form::Scalar { span, .. }, _) if key.is_empty() => {
                replaced(text, span.clone(), &quoted(value))
            }
            (Form::Scalar { span, colon }, _) => {
                let written = format!(" {{ {key}: {} }}", quoted(value));
                let end = if text[span.clone()].trim().is_empty() {
                    *colon
                } else {
                    span.end
                };
                replaced(text, *colon..end, &written)
            }
            (Form::Flow { .. }, Some(field)) => replaced(text, field.span.clone(), &quoted(value)),
            (Form::Flow { end, is_empty }, None) => {
                let at = text[..*end].trim_end().len();
                let comma = if *is_empty { " " } else { ", " };
                let written = format!("{comma}{key}: {} ", quoted(value));
                replaced(text, at..*end, &written)
            }
            (Form::Block { .. }, Some(field)) => in_block(text, field, key, value),
            (Form::Block { first }, None) => {
                let indent = indent_of(text, *first);
                let line = format!("{key}: {}\n{}", quoted(value), " ".repeat(indent));
                replaced(text, *first..*first, &line)
            }
        }
    }
}

/// Passes over the rest of a list or map that has begun.
fn skip<'e>(events: &mut impl Iterator<Item = (Event<'e>, granit_parser::Span)>) -> Option<()> {
    let mut depth = 1_u32;
    while depth > 0 {
        match events.next()?.0 {
            Event::MappingStart(..) | Event::SequenceStart(..) => depth += 1,
            Event::MappingEnd | Event::SequenceEnd => depth -= 1,
            _ => {}
        }
    }
    Some(())
}

fn in_block(text: &str, field: &Field, key: &str, value: &str) -> String {
    let indent = indent_of(text, field.key);
    let is_long = field.is_block || value.contains('\n');
    let Some(lines) = is_long.then(|| literal(value, indent + 2)).flatten() else {
        let span = if field.is_block {
            value_lines(text, field, indent)
        } else {
            field.span.clone()
        };
        let end = if field.is_block { "\n" } else { "" };
        return replaced(text, span, &format!("{}{end}", quoted(value)));
    };
    let span = field.key..value_lines(text, field, indent).end;
    replaced(text, span, &format!("{key}: {lines}"))
}

/// From the value of a key to the end of its last line: those that are indented more than the key, and blank ones between.
fn value_lines(text: &str, field: &Field, indent: usize) -> Range<usize> {
    let mut end = field.key;
    let mut last = field.key;
    for (number, line) in text[field.key..].split_inclusive('\n').enumerate() {
        let blank = line.trim().is_empty();
        let deeper = line.len() - line.trim_start_matches(' ').len() > indent;
        if number > 0 && !blank && !deeper {
            break;
        }
        end += line.len();
        if !blank {
            last = end;
        }
    }
    let start = text[field.key..]
        .find(':')
        .map_or(field.key, |colon| field.key + colon + 1);
    let start = start + text[start..].len() - text[start..].trim_start_matches(' ').len();
    start..last
}

/// `value` as a literal block with its lines indented by `indent`; `None` if it has to be quoted.
fn literal(value: &str, indent: usize) -> Option<String> {
    let odd =
        |c: char| (c.is_control() && c != '\n' && c != '\t') || c == '\u{feff}' || c == '\u{85}';
    let first = value.lines().next()?;
    if value.chars().any(odd) || first.trim().is_empty() || first.starts_with([' ', '\t']) {
        return None;
    }
    let header = match value.len() - value.trim_end_matches('\n').len() {
        0 => "|-",
        1 => "|",
        _ => "|+",
    };
    let mut lines = format!("{header}\n");
    for line in value.lines() {
        if !line.is_empty() {
            lines.push_str(&" ".repeat(indent));
            lines.push_str(line);
        }
        lines.push('\n');
    }
    Some(lines)
}

/// `value` in double quotes. Whatever JSON makes of a text is YAML as well.
fn quoted(value: &str) -> String {
    serde_json::Value::from(value).to_string()
}

fn indent_of(text: &str, at: usize) -> usize {
    let line = text[..at].rfind('\n').map_or(0, |end| end + 1);
    at - line
}

fn replaced(text: &str, span: Range<usize>, by: &str) -> String {
    format!("{}{by}{}", &text[..span.start], &text[span.end..])
}

#[cfg(test)]
mod tests;
