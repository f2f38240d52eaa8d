//! What an expression gets wrong, in words for the person who wrote it.

use std::ops::Range;

use minijinja::{Error, ErrorKind};

use crate::config::nearest::nearest;

/// An expression that has no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::config) struct Failure {
    pub(in crate::config) kind: FailureKind,
    /// What is wrong.
    pub(in crate::config) message: String,
    /// How to put it right.
    pub(in crate::config) fix: Option<String>,
    /// The bytes of the text that it is about.
    pub(in crate::config) range: Option<Range<usize>>,
}

/// What sort of failure it is, for those who know more about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::config) enum FailureKind {
    /// Something in it is not defined; who knows the variables can say what.
    Undefined,
    /// The host's budget is used up; nothing more can be evaluated.
    Exhausted,
    /// Anything else.
    Wrong,
}

const BRACES: &str = "braces that are to stay as they are: `{{ \"{{\" }}`, or between `{% raw %}` and `{% endraw %}`";

impl Failure {
    pub(super) fn wrong(message: impl Into<String>) -> Self {
        Self {
            kind: FailureKind::Wrong,
            message: message.into(),
            fix: None,
            range: None,
        }
    }

    pub(super) fn exhausted() -> Self {
        Self {
            kind: FailureKind::Exhausted,
            message: "the expressions of this host do more than is allowed".to_owned(),
            fix: Some(
                "shorten its lists and loops; the bound is on all of them together".to_owned(),
            ),
            range: None,
        }
    }

    /// Turns the engine's error into words. `filters` and `tests` are the names that are known.
    pub(super) fn of(error: &Error, filters: &[&str]) -> Self {
        let detail = error.detail().unwrap_or_default().to_owned();
        let named = |text: &str| {
            let word = text.split_whitespace().find(|word| {
                !matches!(
                    *word,
                    "filter" | "test" | "function" | "is" | "unknown" | "the"
                )
            });
            word.unwrap_or_default().trim_matches('`').to_owned()
        };
        let mut failure = match error.kind() {
            ErrorKind::SyntaxError => {
                let (message, fix) = syntax(&detail);
                let mut failure = Self::wrong(message);
                failure.fix = Some(fix);
                failure
            }
            ErrorKind::UnknownFilter => {
                let name = named(&detail);
                let mut failure = Self::wrong(format!("there is no filter `{name}`"));
                failure.fix = Some(match nearest(&name, filters.iter().copied()) {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => format!("the filters are {}", filters.join(", ")),
                });
                failure
            }
            ErrorKind::UnknownFunction if detail.contains("secret") => {
                let mut failure = Self::wrong("no secret is put in here");
                failure.fix = Some(
                    "declare the text under `templates:`, where secrets are filled in".to_owned(),
                );
                failure
            }
            ErrorKind::UnknownFunction => {
                let mut failure = Self::wrong(format!("there is no function `{}`", named(&detail)));
                failure.fix = Some(
                    "the functions are range and dict; in `templates`, also secret".to_owned(),
                );
                failure
            }
            ErrorKind::UnknownTest => Self::wrong(format!("there is no test `{}`", named(&detail))),
            ErrorKind::UndefinedError => {
                let mut failure = Self::wrong("something in this expression is not defined");
                failure.kind = FailureKind::Undefined;
                failure
            }
            ErrorKind::OutOfFuel => {
                let mut failure = Self::wrong("this does more than one expression may");
                failure.fix = Some("shorten its lists and loops".to_owned());
                failure
            }
            _ if detail.contains("range has too many elements") => {
                let mut failure = Self::wrong("this range has too many numbers in it");
                failure.fix =
                    Some("go through fewer: one `for` repeats at most 10,000 times".to_owned());
                failure
            }
            _ if detail.contains(" cannot stand in a text; ") => {
                let (message, fix) = detail.split_once("; ").unwrap_or((&detail, ""));
                let mut failure = Self::wrong(message);
                failure.fix = Some(fix.to_owned());
                failure
            }
            _ if detail.is_empty() => {
                Self::wrong(format!("this expression fails: {}", error.kind()))
            }
            _ => Self::wrong(format!("this expression fails: {detail}")),
        };
        failure.range = error.range().filter(|range| range.start < range.end);
        failure
    }
}

/// What is no expression, and what to do about it.
fn syntax(detail: &str) -> (String, String) {
    if detail.contains("expected end of variable block") && detail.contains("end of input") {
        let fix = format!("end it with `}}}}`; {BRACES}");
        return ("an expression is not closed".to_owned(), fix);
    }
    if detail.contains("end of input") {
        let fix = format!(
            "end every `{{% if %}}` with `{{% endif %}}` and every `{{% for %}}` with `{{% endfor %}}`; {BRACES}"
        );
        return ("a block of an expression is not closed".to_owned(), fix);
    }
    if let Some(name) = detail.strip_prefix("unknown statement ") {
        let fix = "there are `if`, `for`, `set`, `with`, `filter` and `raw`; a file is named with `file:`";
        return (format!("there is no statement `{name}`"), fix.to_owned());
    }
    (
        format!("this is not an expression: {detail}"),
        BRACES.to_owned(),
    )
}
