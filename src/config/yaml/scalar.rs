//! Scalars by the YAML 1.2 core schema, with the text kept as written.

use std::fmt;

/// One scalar: its text, and what the core schema takes it for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::config) struct Scalar {
    text: String,
    kind: ScalarKind,
}

/// What a scalar is. Only `true` and `false` are booleans; a quoted scalar is always text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::config) enum ScalarKind {
    Null,
    Boolean(bool),
    Integer,
    Float,
    Text,
}

impl Scalar {
    /// Takes a scalar; `plain` is false if it was quoted, a block, or tagged as text.
    pub(in crate::config) fn new(text: String, plain: bool) -> Self {
        let kind = if plain {
            resolve(&text)
        } else {
            ScalarKind::Text
        };
        Self { text, kind }
    }

    /// A text, whatever it looks like.
    pub(in crate::config) fn quoted(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            kind: ScalarKind::Text,
        }
    }

    /// The text as written, escapes resolved.
    pub(in crate::config) fn text(&self) -> &str {
        &self.text
    }

    pub(in crate::config) fn kind(&self) -> ScalarKind {
        self.kind
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }
}

/// What it is, in words that complete "found …".
impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = &self.text;
        match self.kind {
            ScalarKind::Null => f.write_str("nothing"),
            ScalarKind::Boolean(_) => write!(f, "the boolean `{text}`"),
            ScalarKind::Integer | ScalarKind::Float => write!(f, "the number `{text}`"),
            ScalarKind::Text => match text.lines().next() {
                None => f.write_str("an empty text"),
                Some(line) if line.len() < text.trim_end().len() || line.chars().count() > 40 => {
                    let begin: String = line.chars().take(40).collect();
                    write!(f, "the text `{begin}…`")
                }
                Some(line) => write!(f, "the text `{line}`"),
            },
        }
    }
}

/// YAML 1.2.2 §10.3.2, except that `True` and its like are text: a boolean has one spelling.
fn resolve(text: &str) -> ScalarKind {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => ScalarKind::Null,
        "true" => ScalarKind::Boolean(true),
        "false" => ScalarKind::Boolean(false),
        ".nan" | ".NaN" | ".NAN" => ScalarKind::Float,
        _ if is_integer(text) => ScalarKind::Integer,
        _ if is_float(text) => ScalarKind::Float,
        _ => ScalarKind::Text,
    }
}

fn unsigned(text: &str) -> &str {
    text.strip_prefix(['-', '+']).unwrap_or(text)
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_integer(text: &str) -> bool {
    if let Some(octal) = text.strip_prefix("0o") {
        return !octal.is_empty() && octal.bytes().all(|b| (b'0'..=b'7').contains(&b));
    }
    if let Some(hex) = text.strip_prefix("0x") {
        return !hex.is_empty() && hex.bytes().all(|b| b.is_ascii_hexdigit());
    }
    digits(unsigned(text))
}

fn is_float(text: &str) -> bool {
    let text = unsigned(text);
    if matches!(text, ".inf" | ".Inf" | ".INF") {
        return true;
    }
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    if exponent.is_some_and(|exponent| !digits(unsigned(exponent))) {
        return false;
    }
    match mantissa.split_once('.') {
        None => exponent.is_some() && digits(mantissa),
        Some(("", fraction)) => digits(fraction),
        Some((whole, fraction)) => digits(whole) && (fraction.is_empty() || digits(fraction)),
    }
}
