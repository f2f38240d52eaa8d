//! `config:`, which is one map or a list of maps.

use crate::config::reader::Reader;
use crate::config::yaml::{Node, Value};

/// The maps of a `config:`.
pub(super) fn blocks(node: Option<&Node>, reader: &mut Reader) -> Vec<Node> {
    let Some(node) = node else {
        return Vec::new();
    };
    let items = match &node.value {
        Value::List(items) => items.clone(),
        _ => vec![node.clone()],
    };
    items
        .into_iter()
        .filter(|item| reader.entries(item, "of resources").is_some())
        .collect()
}
