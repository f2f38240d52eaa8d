//! Texts with secrets in them: expressions are evaluated, secrets stay names.
//!
//! `secret("name")` gives a mark that no text contains. When everything else is evaluated, marks become
//! `{{ secret("name") }}` again and all other braces are quoted, which is the form that templates are stored in: what a
//! variable contains can never become a placeholder.

use minijinja::{Error, ErrorKind};

use super::failure::Failure;
use crate::secrets::SecretName;

/// Begins and ends the mark of a secret; from a plane that no character is in.
const BEGIN: char = '\u{F0001}';
const END: char = '\u{F0002}';

/// What `secret("name")` gives.
pub(super) fn placeholder(name: &str) -> Result<String, Error> {
    match SecretName::new(name) {
        Ok(name) => Ok(format!("{BEGIN}{name}{END}")),
        Err(invalid) => Err(Error::new(ErrorKind::InvalidOperation, invalid.to_string())),
    }
}

/// Refuses a text that has marks before anything is evaluated.
pub(super) fn check(text: &str) -> Result<(), Failure> {
    if text.contains([BEGIN, END]) {
        return Err(Failure::wrong(
            "a template cannot contain the characters U+F0001 and U+F0002",
        ));
    }
    Ok(())
}

/// The text as templates are stored.
pub(super) fn store(text: &str) -> String {
    let mut stored = String::with_capacity(text.len());
    for (number, part) in text.split(BEGIN).enumerate() {
        let literal = match part.split_once(END) {
            Some((name, literal)) if number > 0 => {
                stored.extend(["{{ secret(\"", name, "\") }}"]);
                literal
            }
            _ => part,
        };
        push_literal(&mut stored, literal);
    }
    stored
}

/// Quotes what would be read as the beginning of a placeholder: two braces, or one at the end.
fn push_literal(stored: &mut String, literal: &str) {
    let mut rest = literal;
    while let Some(at) = rest.find('{') {
        stored.push_str(&rest[..at]);
        let braces = rest[at..].len() - rest[at..].trim_start_matches('{').len();
        let run = &rest[at..at + braces];
        rest = &rest[at + braces..];
        if braces > 1 || rest.is_empty() {
            stored.extend(["{{ \"", run, "\" }}"]);
        } else {
            stored.push_str(run);
        }
    }
    stored.push_str(rest);
}
