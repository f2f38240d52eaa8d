//! What an option may be, in JSON Schema terms.

use std::collections::BTreeMap;

use regex::Regex;

use super::format::Format;
use crate::config::expression::is_word;
use crate::config::reader::{Fields, Reader, listed_or};
use crate::config::vocabulary::SPEC;
use crate::config::yaml::{Entry, Node, Place, Scalar, ScalarKind, Value};

/// Options by name.
pub(in crate::config) type Specs = BTreeMap<String, Spec>;

/// What one option, or a part of one, may be.
#[derive(Debug, Clone)]
pub(in crate::config) struct Spec {
    /// Where it is declared.
    pub(in crate::config) place: Place,
    pub(in crate::config) kind: Type,
    pub(in crate::config) description: Option<String>,
    /// What it is when nothing is said; `null` for nothing.
    pub(in crate::config) default: Option<Node>,
    pub(super) choices: Vec<Node>,
    pub(super) format: Option<Format>,
    pub(super) pattern: Option<Regex>,
    pub(super) length: Bounds<usize>,
    pub(super) range: Bounds<f64>,
}

/// The type of an option.
#[derive(Debug, Clone)]
pub(in crate::config) enum Type {
    Any,
    String,
    Integer,
    Number,
    Boolean,
    Array {
        items: Option<Box<Spec>>,
        unique: bool,
    },
    Object {
        properties: Specs,
        required: Vec<String>,
        further: Further,
    },
}

/// Keys of an object that are not among its properties.
#[derive(Debug, Clone)]
pub(in crate::config) enum Further {
    Refused,
    Anything,
    Of(Box<Spec>),
}

/// A lowest and a highest value, each if there is one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds<T> {
    pub(super) least: Option<T>,
    pub(super) most: Option<T>,
}

const TYPES: [(&str, Name); 7] = [
    ("any", Name::Any),
    ("string", Name::String),
    ("integer", Name::Integer),
    ("number", Name::Number),
    ("boolean", Name::Boolean),
    ("array", Name::Array),
    ("object", Name::Object),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Name {
    Any,
    String,
    Integer,
    Number,
    Boolean,
    Array,
    Object,
}

/// Which keys go with which type.
const ONLY_FOR: [(&str, &[Name]); 13] = [
    ("format", &[Name::String]),
    ("pattern", &[Name::String]),
    ("minLength", &[Name::String]),
    ("maxLength", &[Name::String]),
    ("minimum", &[Name::Integer, Name::Number]),
    ("maximum", &[Name::Integer, Name::Number]),
    ("items", &[Name::Array]),
    ("minItems", &[Name::Array]),
    ("maxItems", &[Name::Array]),
    ("uniqueItems", &[Name::Array]),
    ("properties", &[Name::Object]),
    ("required", &[Name::Object]),
    ("additionalProperties", &[Name::Object]),
];

/// Words that mean something in every map that is evaluated.
const RESERVED: [&str; 3] = ["when", "for", "value"];

/// The largest program that a pattern may compile to.
const PATTERN_BYTES: usize = 64 * 1024;

impl Spec {
    /// `enable`, which every module has.
    pub(in crate::config) fn enable(place: Place) -> Self {
        let mut spec = Self::any(place);
        spec.kind = Type::Boolean;
        spec.description = Some("Whether the module is on.".to_owned());
        let off = Scalar::new("false".to_owned(), true);
        spec.default = Some(Node::new(place, Value::Scalar(off)));
        spec
    }

    fn any(place: Place) -> Self {
        Self {
            place,
            kind: Type::Any,
            description: None,
            default: None,
            choices: Vec::new(),
            format: None,
            pattern: None,
            length: Bounds {
                least: None,
                most: None,
            },
            range: Bounds {
                least: None,
                most: None,
            },
        }
    }

    /// Reads the options of a module, or the properties of an object.
    pub(in crate::config) fn read_all(node: &Node, reader: &mut Reader) -> Specs {
        let mut specs = Specs::new();
        for entry in reader.entries(node, "options by name").unwrap_or_default() {
            let spec = Self::read(entry, reader);
            if good_name(entry, reader)
                && let Some(spec) = spec
            {
                specs.insert(entry.key.text.clone(), spec);
            }
        }
        specs
    }

    fn read(entry: &Entry, reader: &mut Reader) -> Option<Self> {
        let mut spec = Self::of(&entry.value, reader)?;
        spec.place = entry.key.place;
        Some(spec)
    }

    /// Reads one specification. `None` is recorded.
    fn of(node: &Node, reader: &mut Reader) -> Option<Self> {
        let fields = reader.fields(node, "an option", SPEC)?;
        let name = match fields.get("type") {
            Some(node) => type_name(node, reader)?,
            None => implied(fields, node, reader)?,
        };
        misplaced_keys(fields, name, reader);
        let mut spec = Self::any(node.place);
        spec.kind = kind(name, fields, reader)?;
        spec.description = fields
            .get("description")
            .and_then(|node| reader.text(node))
            .map(|text| text.trim_end().to_owned());
        spec.default = fields.get("default").cloned();
        if let Some(node) = fields.get("enum") {
            spec.choices = reader.list(node, "values")?.to_vec();
        }
        spec.format = fields
            .get("format")
            .and_then(|node| reader.one_of(node, &Format::WORDS));
        spec.pattern = fields.get("pattern").and_then(|node| pattern(node, reader));
        let (least, most) = match name {
            Name::Array => ("minItems", "maxItems"),
            _ => ("minLength", "maxLength"),
        };
        spec.length = Bounds {
            least: count(fields, least, reader),
            most: count(fields, most, reader),
        };
        spec.range = Bounds {
            least: float(fields, "minimum", reader),
            most: float(fields, "maximum", reader),
        };
        Some(spec)
    }
}

fn good_name(entry: &Entry, reader: &mut Reader) -> bool {
    let name = entry.key.text.as_str();
    if RESERVED.contains(&name) {
        reader
            .error(
                entry.key.place,
                format!("`{name}` cannot be the name of an option"),
            )
            .cause = Some("`when`, `for` and `value` mean something in every map".to_owned());
        return false;
    }
    if !is_word(name) {
        let fix =
            is_word(&name.replace('-', "_")).then(|| format!("write `{}`", name.replace('-', "_")));
        let message = format!(
            "`{name}` cannot be the name of an option: letters, digits and `_`, a letter first"
        );
        reader.error(entry.key.place, message).fix = fix;
        return false;
    }
    true
}

/// The type, when other keys leave only one; else it must be said.
fn implied(fields: Fields<'_>, node: &Node, reader: &mut Reader) -> Option<Name> {
    if fields.get("enum").is_some() {
        return Some(Name::Any);
    }
    let only = ONLY_FOR.iter().find_map(|(key, names)| {
        let [name] = names else { return None };
        fields.get(key).map(|_| *name)
    });
    if only.is_none() {
        reader.error(node.place, "an option says its `type`").fix = Some(
            "write `type: string`, or integer, number, boolean, array, object or any".to_owned(),
        );
    }
    only
}

fn misplaced_keys(fields: Fields<'_>, name: Name, reader: &mut Reader) {
    for (key, names) in ONLY_FOR {
        if !names.contains(&name)
            && let Some(entry) = fields.entry(key)
        {
            let word = TYPES.iter().find(|(_, other)| *other == names[0]);
            let word = word.map_or("", |(word, _)| word);
            reader.error(entry.key.place, format!("`{key}` goes with `type: {word}`"));
        }
    }
}

fn kind(name: Name, fields: Fields<'_>, reader: &mut Reader) -> Option<Type> {
    Some(match name {
        Name::Any => Type::Any,
        Name::String => Type::String,
        Name::Integer => Type::Integer,
        Name::Number => Type::Number,
        Name::Boolean => Type::Boolean,
        Name::Array => Type::Array {
            items: match fields.get("items") {
                Some(node) => Some(Box::new(Spec::of(node, reader)?)),
                None => None,
            },
            unique: fields
                .get("uniqueItems")
                .and_then(|node| reader.boolean(node))
                .unwrap_or(false),
        },
        Name::Object => {
            let properties = match fields.get("properties") {
                Some(node) => Spec::read_all(node, reader),
                None => Specs::new(),
            };
            let further = match fields.get("additionalProperties") {
                Some(node) if matches!(node.value, Value::Map(_)) => {
                    Further::Of(Box::new(Spec::of(node, reader)?))
                }
                Some(node) if reader.boolean(node)? => Further::Anything,
                Some(_) | None => Further::Refused,
            };
            Type::Object {
                required: required(fields, &properties, reader),
                properties,
                further,
            }
        }
    })
}

fn required(fields: Fields<'_>, properties: &Specs, reader: &mut Reader) -> Vec<String> {
    let Some(node) = fields.get("required") else {
        return Vec::new();
    };
    let mut names = Vec::new();
    for item in reader.list(node, "property names").unwrap_or_default() {
        let Some(name) = reader.line(item) else {
            continue;
        };
        if properties.contains_key(name) {
            names.push(name.to_owned());
        } else {
            reader.error(item.place, format!("there is no property `{name}`"));
        }
    }
    names
}

/// The word under `type:`; what other languages call it is told what it is called here.
fn type_name(node: &Node, reader: &mut Reader) -> Option<Name> {
    let meant = match node.scalar().map(Scalar::text) {
        Some("text" | "str") => Some("string"),
        Some("int") => Some("integer"),
        Some("float" | "double") => Some("number"),
        Some("bool") => Some("boolean"),
        Some("list" | "sequence") => Some("array"),
        Some("map" | "dict" | "mapping" | "attrs") => Some("object"),
        _ => None,
    };
    let Some(meant) = meant else {
        return reader.one_of(node, &TYPES);
    };
    let words: Vec<&str> = TYPES.iter().map(|(word, _)| *word).collect();
    reader.wrong_type(node, &listed_or(&words)).fix = Some(format!("write `{meant}`"));
    None
}

fn pattern(node: &Node, reader: &mut Reader) -> Option<Regex> {
    let text = reader.text(node)?;
    match regex::RegexBuilder::new(text)
        .size_limit(PATTERN_BYTES)
        .build()
    {
        Ok(regex) => Some(regex),
        Err(error) => {
            let cause = error.to_string();
            let cause = cause
                .lines()
                .last()
                .unwrap_or_default()
                .trim_start_matches("error: ")
                .to_owned();
            let wrong = reader.error(node.place, "this is not a regular expression");
            wrong.cause = Some(cause);
            wrong.fix = Some(
                "close what it says, or put `\\` before a character that stands for itself"
                    .to_owned(),
            );
            None
        }
    }
}

fn count(fields: Fields<'_>, key: &str, reader: &mut Reader) -> Option<usize> {
    let number = reader.number(fields.get(key)?, u32::MAX)?;
    usize::try_from(number).ok()
}

fn float(fields: Fields<'_>, key: &str, reader: &mut Reader) -> Option<f64> {
    let node = fields.get(key)?;
    let number = number(node);
    if number.is_none() {
        reader.wrong_type(node, "a number");
    }
    number
}

/// The number that a scalar is, if it is one.
pub(super) fn number(node: &Node) -> Option<f64> {
    let scalar = node.scalar()?;
    match scalar.kind() {
        ScalarKind::Integer | ScalarKind::Float => {
            scalar.text().parse().ok().filter(|n: &f64| n.is_finite())
        }
        _ => None,
    }
}
