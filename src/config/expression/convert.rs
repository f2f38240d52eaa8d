//! Between trees and the values that expressions see.

use minijinja::value::{Value, ValueKind};

use crate::config::yaml::{Entry, Key, Node, Place, Scalar, ScalarKind, Value as Content};

/// How deep a value may nest.
const MAX_DEPTH: usize = 64;

/// Text of this length counts as one value more.
const BYTES_OF_A_VALUE: usize = 256;

/// A value that is too large, too deep or of no kind that a file could have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::config) enum TooMuch {
    /// More values than are left of the host's budget.
    Values,
    /// Nested too deep.
    Depth,
    /// Not text, number, boolean, list or map with text keys.
    Kind,
}

/// A tree as expressions see it. A number that is not spelled as it would be printed (`0640`, `1.10`) is text.
pub(in crate::config) fn value_of(node: &Node) -> Value {
    match &node.value {
        Content::Scalar(scalar) => value_of_scalar(scalar),
        Content::List(items) => items.iter().map(value_of).collect(),
        Content::Map(entries) => Value::from_pairs(
            entries
                .iter()
                .map(|entry| (entry.key.text.clone(), value_of(&entry.value))),
        ),
        Content::File(filled) => Value::from(filled.text.as_str()),
        Content::Unknown => Value::from(()),
    }
}

fn value_of_scalar(scalar: &Scalar) -> Value {
    let text = scalar.text();
    match scalar.kind() {
        ScalarKind::Null => Value::from(()),
        ScalarKind::Boolean(value) => Value::from(value),
        ScalarKind::Integer => match text.parse::<i64>() {
            Ok(number) if number.to_string() == text => Value::from(number),
            _ => Value::from(text),
        },
        ScalarKind::Float => match text.parse::<f64>() {
            Ok(number) if number.to_string() == text => Value::from(number),
            _ => Value::from(text),
        },
        ScalarKind::Text => Value::from(text),
    }
}

/// A value as a tree, all of it at `place`. Every value in it is taken from `left`.
pub(in crate::config) fn node_of(
    value: &Value,
    place: Place,
    left: &mut usize,
) -> Result<Node, TooMuch> {
    at_depth(value, place, left, 0)
}

fn at_depth(value: &Value, place: Place, left: &mut usize, depth: usize) -> Result<Node, TooMuch> {
    if depth > MAX_DEPTH {
        return Err(TooMuch::Depth);
    }
    *left = left.checked_sub(1).ok_or(TooMuch::Values)?;
    let content = match value.kind() {
        ValueKind::Undefined | ValueKind::None => Content::Scalar(Scalar::new(String::new(), true)),
        ValueKind::Bool => {
            let text = if value.is_true() { "true" } else { "false" };
            Content::Scalar(Scalar::new(text.to_owned(), true))
        }
        ValueKind::Number => Content::Scalar(Scalar::new(value.to_string(), true)),
        ValueKind::String => {
            let text = value.as_str().unwrap_or_default();
            // One text can be many times in a list without taking room there; here, each is a copy.
            let paid = text.len() / BYTES_OF_A_VALUE;
            *left = left.checked_sub(paid).ok_or(TooMuch::Values)?;
            Content::Scalar(Scalar::quoted(text))
        }
        ValueKind::Seq | ValueKind::Iterable => {
            let mut items = Vec::new();
            for item in value.try_iter().map_err(|_| TooMuch::Kind)? {
                items.push(at_depth(&item, place, left, depth + 1)?);
            }
            Content::List(items)
        }
        ValueKind::Map => {
            let mut entries = Vec::new();
            for key in value.try_iter().map_err(|_| TooMuch::Kind)? {
                let text = key.as_str().ok_or(TooMuch::Kind)?.to_owned();
                let item = value.get_item(&key).map_err(|_| TooMuch::Kind)?;
                let value = at_depth(&item, place, left, depth + 1)?;
                let key = Key { text, place };
                entries.push(Entry { key, value });
            }
            Content::Map(entries)
        }
        _ => return Err(TooMuch::Kind),
    };
    Ok(Node::new(place, content))
}
