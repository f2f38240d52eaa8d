//! Options in words, for people who look for one.

use schemars::JsonSchema;
use serde::Serialize;

use super::format::Format;
use super::spec::{Bounds, Further, Spec, Specs, Type};
use crate::config::expression::value_of;
use crate::config::yaml::Node;

/// One option of a module, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OptionDescription {
    /// Its name; that of a part has the option's before it: `ssh.port`.
    pub name: String,
    /// What it may be, in words: `list of text`.
    pub kind: String,
    /// What it is when nothing is said; absent if it must be said, `null` if there is nothing then.
    pub default: Option<serde_json::Value>,
    /// Whether it must be said.
    pub required: bool,
    /// What it is for.
    pub description: Option<String>,
}

/// The options and their parts, in the order of their names.
pub(in crate::config) fn describe(options: &Specs) -> Vec<OptionDescription> {
    let mut described = Vec::new();
    for (name, spec) in options {
        add(name, spec, &mut described);
    }
    described
}

fn add(name: &str, spec: &Spec, described: &mut Vec<OptionDescription>) {
    described.push(OptionDescription {
        name: name.to_owned(),
        kind: kind_of(spec),
        default: spec.default.as_ref().map(json),
        required: spec.default.is_none() && !name.contains('.'),
        description: spec.description.clone(),
    });
    let mut parts = |below: &str, properties: &Specs| {
        for (part, spec) in properties {
            add(&format!("{name}{below}.{part}"), spec, described);
        }
    };
    match &spec.kind {
        Type::Object {
            properties,
            further,
            ..
        } => {
            parts("", properties);
            if let Further::Of(of) = further
                && let Type::Object { properties, .. } = &of.kind
            {
                parts(".NAME", properties);
            }
        }
        Type::Array {
            items: Some(of), ..
        } => {
            if let Type::Object { properties, .. } = &of.kind {
                parts("[]", properties);
            }
        }
        _ => {}
    }
}

fn json(node: &Node) -> serde_json::Value {
    // What comes out of a text is text, numbers, booleans, lists and maps, all of which JSON has.
    serde_json::to_value(value_of(node)).unwrap_or_default()
}

/// What a value may be, in words.
fn kind_of(spec: &Spec) -> String {
    if !spec.choices.is_empty() {
        let words: Vec<String> = spec
            .choices
            .iter()
            .map(|choice| json(choice).to_string())
            .collect();
        return format!("one of {}", words.join(", "));
    }
    let format = Format::WORDS
        .iter()
        .find(|(_, format)| Some(*format) == spec.format);
    let word = match (&spec.kind, format) {
        (_, Some((word, _))) => (*word).to_owned(),
        (Type::Any, None) => "anything".to_owned(),
        (Type::String, None) => match &spec.pattern {
            Some(pattern) => format!("text like `{pattern}`"),
            None => "text".to_owned(),
        },
        (Type::Integer, None) => "whole number".to_owned(),
        (Type::Number, None) => "number".to_owned(),
        (Type::Boolean, None) => "true or false".to_owned(),
        (Type::Array { items, .. }, None) => match items {
            Some(of) => format!("list of {}", kind_of(of)),
            None => "list".to_owned(),
        },
        (Type::Object { further, .. }, None) => match further {
            Further::Of(of) => format!("map of {}", kind_of(of)),
            Further::Anything | Further::Refused => "map".to_owned(),
        },
    };
    word + &range(spec.range)
}

fn range(bounds: Bounds<f64>) -> String {
    match (bounds.least, bounds.most) {
        (None, None) => String::new(),
        (Some(least), None) => format!(", at least {least}"),
        (None, Some(most)) => format!(", at most {most}"),
        (Some(least), Some(most)) => format!(", {least} to {most}"),
    }
}
