//! `fleet.yml`.

use super::inputs::{Declared, declared};
use crate::config::reader::{Fields, Reader};
use crate::config::vocabulary::{FLEET, keys};
use crate::config::yaml::{Node, Value};

/// Keys that the format has a plan for and this version does not read.
const LATER: [&str; 4] = ["trust", "waves", "notifications", "reports"];

/// What `fleet.yml` says.
#[derive(Default)]
pub(super) struct FleetFile {
    /// The variables that expressions see as `fleet`.
    pub(super) variables: Option<Node>,
    /// The inputs.
    pub(super) inputs: Declared,
}

/// Reads `fleet.yml`. What is wrong is recorded.
pub(super) fn fleet_file(root: &Node, reader: &mut Reader) -> FleetFile {
    let Some(entries) = reader.entries(root, "the keys of fleet.yml") else {
        return FleetFile::default();
    };
    for entry in entries {
        if LATER.contains(&entry.key.text.as_str()) {
            let message = format!("this version does not know `{}` yet", entry.key.text);
            reader.error(entry.key.place, message).fix =
                Some("leave it out; the agent's settings say it for each host".to_owned());
        } else {
            reader.known_key(&entry.key, "fleet.yml", &keys(FLEET));
        }
    }
    let fields = Fields::over(entries);
    FleetFile {
        variables: fields
            .get("variables")
            .and_then(|node| variables(node, reader)),
        inputs: fields
            .get("inputs")
            .map(|node| declared(node, reader))
            .unwrap_or_default(),
    }
}

fn variables(node: &Node, reader: &mut Reader) -> Option<Node> {
    reader.entries(node, "variables by name")?;
    plain(node, reader);
    Some(node.clone())
}

/// Variables are values, not expressions: what they contain is never evaluated.
fn plain(node: &Node, reader: &mut Reader) {
    match &node.value {
        Value::Scalar(scalar) => {
            if scalar.text().contains("{{") {
                reader
                    .error(
                        node.place,
                        "a variable of the fleet is a plain value, not an expression",
                    )
                    .fix = Some("write the value out".to_owned());
            }
        }
        Value::List(items) => items.iter().for_each(|item| plain(item, reader)),
        Value::Map(entries) => entries.iter().for_each(|entry| plain(&entry.value, reader)),
        Value::File(_) | Value::Unknown => {}
    }
}
