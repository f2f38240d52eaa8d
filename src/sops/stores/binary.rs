//! Binary files: any bytes, encrypted as the one string of a JSON object.
//!
//! An opened one is its envelope with the string in base64, so that every byte survives in a text, and the envelope's own
//! layout too.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::new_value::{NewValue, unsuitable};
use super::{LARGEST_TEXT_BYTES, json};
use crate::sops::document::splice::Edits;
use crate::sops::document::tree::{NodeId, Scalar, Tree};
use crate::sops::error::{EditError, ParseError};
use crate::sops::stores::yaml::scalar::ScalarForm;
use crate::sops::value::Value;

/// The member of the envelope that holds the bytes.
const DATA_KEY: &str = "data";
/// Base64 is longer by a third, and the metadata needs room.
const LARGEST_CONTENT_BYTES: usize = LARGEST_TEXT_BYTES / 4 * 3 - 256 * 1024;

/// The envelope of `content`, opened, indented by a tab or by `indent` blanks.
pub(in crate::sops) fn enveloped(
    content: &[u8],
    indent: Option<usize>,
) -> Result<Zeroizing<String>, ParseError> {
    if content.len() > LARGEST_CONTENT_BYTES {
        return Err(ParseError::TooLarge {
            bytes: content.len(),
            limit: LARGEST_CONTENT_BYTES,
        });
    }
    let data = Zeroizing::new(STANDARD.encode(content));
    let margin = indent.map_or_else(|| "\t".to_owned(), |indent| " ".repeat(indent));
    Ok(Zeroizing::new(format!(
        "{{\n{margin}\"{DATA_KEY}\": \"{}\"\n}}\n",
        data.as_str()
    )))
}

/// The node that holds the bytes.
pub(in crate::sops) fn data_node(tree: &Tree) -> Option<NodeId> {
    let node = tree.find(&[DATA_KEY.to_owned()])?;
    tree.scalar(node)
        .filter(|scalar| scalar.form == ScalarForm::Quoted)
        .map(|_| node)
}

/// The bytes of an opened binary file.
pub(in crate::sops) fn content(tree: &Tree) -> Option<Zeroizing<Vec<u8>>> {
    match tree.value(data_node(tree)?)? {
        Ok(Value::Text(bytes)) => Some(bytes),
        _ => None,
    }
}

/// The bytes of the string named `data` in a tree of any store.
pub(in crate::sops) fn text_of(tree: &Tree) -> Option<Zeroizing<Vec<u8>>> {
    let node = tree.find(&[DATA_KEY.to_owned()])?;
    match tree.value(tree.target(node))? {
        Ok(Value::Text(bytes)) => Some(bytes),
        _ => None,
    }
}

/// An opened envelope with other bytes in it.
pub(in crate::sops) fn with_content(tree: &Tree, content: &[u8]) -> Result<Tree, ParseError> {
    let new = enveloped(content, None)?;
    let Some(node) = data_node(tree) else {
        return tree.again(&new);
    };
    let mut edits = Edits::default();
    let value = Value::Text(Zeroizing::new(content.to_vec()));
    if let Ok(printed) = print(&value) {
        edits.replace(tree.node(node).span.clone(), &printed);
    }
    match edits.apply(&tree.text) {
        Ok(text) => tree.again(&text),
        Err(_overlap) => tree.again(&new),
    }
}

/// The value of a scalar of an opened envelope: strings are base64.
pub(super) fn value(scalar: &Scalar) -> Result<Value, &'static str> {
    if scalar.form == ScalarForm::Quoted {
        return STANDARD
            .decode(scalar.text.as_str())
            .map(|bytes| Value::Text(Zeroizing::new(bytes)))
            .map_err(|_not_base64| "the value is not base64");
    }
    json::value(scalar)
}

/// A value in an opened envelope.
pub(super) fn print(value: &Value) -> Result<Zeroizing<String>, &'static str> {
    match value {
        Value::Text(bytes) => {
            let data = Zeroizing::new(STANDARD.encode(bytes));
            Ok(Zeroizing::new(format!("\"{}\"", data.as_str())))
        }
        other => json::print(other),
    }
}

/// A binary file has one value, which has no path but the name of its member.
pub(super) fn set(tree: &Tree, path: &[String], new: &NewValue) -> Result<Tree, EditError> {
    match (path, new.scalar(path)?) {
        ([only], Value::Text(bytes)) if only == DATA_KEY => Ok(with_content(tree, bytes)?),
        _ => Err(unstructured(path)),
    }
}

pub(super) fn unstructured(path: &[String]) -> EditError {
    unsuitable(
        path,
        "it is a binary file, which has no entries; `edit` or `encrypt` the whole",
    )
}
