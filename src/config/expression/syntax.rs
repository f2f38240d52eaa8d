//! What can be known of an expression without evaluating it.

use std::collections::BTreeSet;

use minijinja::Environment;

/// What a text holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::config) enum Shape {
    /// No expression: it stands for itself.
    Plain,
    /// One expression and nothing else: its value keeps its type.
    Value,
    /// Expressions with text around them: text comes of it.
    Text,
}

/// What kind of text it is.
pub(in crate::config) fn shape(env: &Environment<'_>, text: &str) -> Shape {
    if !text.contains("{{") && !text.contains("{%") {
        return Shape::Plain;
    }
    let inside = text
        .strip_prefix("{{")
        .and_then(|rest| rest.strip_suffix("}}"));
    let whole = inside.is_some_and(|inside| {
        // `{{ a }}-{{ b }}` begins and ends like one expression, and is none.
        !inside.contains("}}") || env.compile_expression_owned(inside.to_owned()).is_ok()
    });
    if whole { Shape::Value } else { Shape::Text }
}

/// The names that a text with expressions asks for, dotted: `cfg.schedule`, `host.name`, `item`. Sorted.
///
/// Empty if it is not well-formed; evaluating says why.
pub(in crate::config) fn names(env: &Environment<'_>, text: &str) -> BTreeSet<String> {
    match env.template_from_str(text) {
        Ok(template) => template.undeclared_variables(true).into_iter().collect(),
        Err(_) => BTreeSet::new(),
    }
}

/// `for: NAME in LIST` or `for: KEY, VALUE in MAP`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::config) struct Loop {
    /// One name, or two for a key and its value.
    pub(in crate::config) names: Vec<String>,
    /// What is gone through.
    pub(in crate::config) over: String,
}

impl Loop {
    /// Reads the head of a loop; `None` if it is none.
    pub(in crate::config) fn parse(text: &str) -> Option<Self> {
        let (names, over) = text.split_once(" in ")?;
        let names: Vec<String> = names
            .split(',')
            .map(|name| name.trim().to_owned())
            .collect();
        let good = (1..=2).contains(&names.len()) && names.iter().all(|name| is_word(name));
        let reserved = ["cfg", "options", "host", "users", "fleet"];
        let taken = names.iter().any(|name| reserved.contains(&name.as_str()));
        let over = over.trim().to_owned();
        (good && !taken && !over.is_empty()).then_some(Self { names, over })
    }
}

/// Whether an expression can use `text` as a name.
pub(in crate::config) fn is_word(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic())
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}
