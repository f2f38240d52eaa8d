//! JSON Schemas of the five kinds of files, for editors.

use serde_json::{Map, Value, json};

use super::disk::DISK;
use super::field::{Field, Kind};
use super::files::{FLEET, HOST, MODULE, PERSON_FILE, SPEC};
use super::resources::RESOURCES;

/// A kind of file of the config repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// `fleet.yml`
    Fleet,
    /// `hosts/NAME/host.yml`
    Host,
    /// `hosts/NAME/disk.yml`
    Disk,
    /// `modules/NAME/module.yml`
    Module,
    /// `users/NAME.yml`
    User,
}

impl FileKind {
    /// All five.
    pub const ALL: [Self; 5] = [
        Self::Fleet,
        Self::Host,
        Self::Disk,
        Self::Module,
        Self::User,
    ];

    /// The word for it, which names its schema.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fleet => "fleet",
            Self::Host => "host",
            Self::Disk => "disk",
            Self::Module => "module",
            Self::User => "user",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Fleet => "fleet.yml",
            Self::Host => "hosts/NAME/host.yml",
            Self::Disk => "hosts/NAME/disk.yml",
            Self::Module => "modules/NAME/module.yml",
            Self::User => "users/NAME.yml",
        }
    }

    fn tables(self) -> Vec<&'static [Field]> {
        match self {
            Self::Fleet => vec![FLEET],
            Self::Disk => vec![DISK],
            Self::Host => vec![HOST, RESOURCES],
            Self::Module => vec![MODULE],
            Self::User => PERSON_FILE.to_vec(),
        }
    }
}

/// The JSON Schema of a kind of file.
#[must_use]
pub fn schema(kind: FileKind) -> Value {
    let mut schema = object(&kind.tables(), Evaluated::of(kind));
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!(kind.title());
    if kind == FileKind::Module {
        schema["$defs"] = json!({ "option": object(&[SPEC], Evaluated::No) });
    }
    schema
}

/// Whether expressions, `when` and `for` may stand in it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Evaluated {
    Yes,
    No,
}

impl Evaluated {
    fn of(kind: FileKind) -> Self {
        match kind {
            FileKind::Fleet | FileKind::Disk => Self::No,
            FileKind::Host | FileKind::Module | FileKind::User => Self::Yes,
        }
    }
}

fn object(tables: &[&[Field]], evaluated: Evaluated) -> Value {
    let mut properties = Map::new();
    for field in tables.iter().copied().flatten() {
        let mut property = of_kind(&field.kind, evaluated);
        property["description"] = json!(field.doc);
        properties.insert(field.key.to_owned(), property);
    }
    if evaluated == Evaluated::Yes {
        for (key, doc) in [
            ("when", "It counts only if this expression is true."),
            (
                "for",
                "It is repeated: `NAME in LIST` or `KEY, VALUE in MAP`.",
            ),
            (
                "value",
                "With `when` or `for`: what stands here instead of the map.",
            ),
        ] {
            if !properties.contains_key(key) {
                properties.insert(key.to_owned(), json!({ "description": doc }));
            }
        }
    }
    json!({
        "type": ["object", "null"],
        "properties": properties,
        "additionalProperties": false,
    })
}

fn of_kind(kind: &Kind, evaluated: Evaluated) -> Value {
    let exact = match kind {
        Kind::Any => return json!({}),
        Kind::Text => return json!({ "type": ["string", "number", "null", "object"] }),
        Kind::Option => return json!({ "$ref": "#/$defs/option" }),
        Kind::Boolean => json!({ "type": "boolean" }),
        Kind::Number => json!({ "type": "integer", "minimum": 0 }),
        Kind::Float => json!({ "type": "number" }),
        Kind::Words(words) => json!({ "enum": words }),
        Kind::List(item) => {
            json!({ "type": ["array", "null"], "items": of_kind(item, evaluated) })
        }
        Kind::Map(value) => json!({
            "type": ["object", "null"],
            "additionalProperties": of_kind(value, evaluated),
        }),
        Kind::Object(fields) => object(&[fields], evaluated),
        Kind::Either(kinds) => {
            let kinds: Vec<Value> = kinds.iter().map(|kind| of_kind(kind, evaluated)).collect();
            json!({ "anyOf": kinds })
        }
    };
    match evaluated {
        Evaluated::No => exact,
        Evaluated::Yes => json!({ "anyOf": [exact, { "type": "string", "pattern": "\\{\\{" }] }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::vocabulary::keys;

    #[test]
    fn the_schema_of_a_file_has_the_keys_that_its_reader_takes() {
        let properties = |kind| {
            let schema = schema(kind);
            let properties = schema["properties"].as_object().unwrap();
            properties.keys().cloned().collect::<Vec<_>>()
        };
        let mut known: Vec<&str> = keys(HOST).into_iter().chain(keys(RESOURCES)).collect();
        // What may stand in every map that is evaluated.
        known.extend(["when", "for", "value"]);
        known.sort_unstable();
        let mut host = properties(FileKind::Host);
        host.sort_unstable();
        assert_eq!(host, known);
        let mut fleet = properties(FileKind::Fleet);
        fleet.sort_unstable();
        let mut known = keys(FLEET);
        known.sort_unstable();
        assert_eq!(fleet, known);
    }

    #[test]
    fn every_reference_in_a_schema_leads_somewhere() {
        for kind in FileKind::ALL {
            let schema = schema(kind);
            let text = schema.to_string();
            assert_eq!(
                text.contains("#/$defs/option"),
                kind == FileKind::Module,
                "{kind:?}"
            );
            assert!(schema["title"].as_str().unwrap().contains(".yml"));
        }
        let module = schema(FileKind::Module);
        let option = &module["$defs"]["option"]["properties"];
        assert_eq!(option["items"]["$ref"], "#/$defs/option");
        assert!(
            option["format"]["enum"]
                .as_array()
                .unwrap()
                .contains(&json!("systemd-calendar"))
        );
    }

    #[test]
    fn a_value_may_be_an_expression_wherever_it_is_evaluated() {
        let host = schema(FileKind::Host);
        let packages = &host["properties"]["packages"]["anyOf"];
        assert_eq!(packages[0]["type"], json!(["array", "null"]));
        assert_eq!(packages[1]["pattern"], "\\{\\{");
    }
}
