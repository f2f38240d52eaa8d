//! Key paths: which value of a secret file is meant.

use std::fmt;

/// The path to one value inside a secret file, outermost key first: `db/password`, or as sops writes it
/// `["db"]["password"]`, which can also name keys that contain a slash. List items are named by their position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPath(Vec<String>);

/// Text that is not a key path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a key path: {reason}")]
pub struct KeyPathError {
    /// What was given.
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl KeyPathError {
    /// How to go on.
    #[must_use]
    pub fn fix(&self) -> &'static str {
        "write `db/password`, or `[\"db\"][\"password\"]` for keys that contain a slash"
    }
}

impl KeyPath {
    /// The path of `keys`, outermost first, of which there is at least one.
    #[must_use]
    pub fn of(keys: &[String]) -> Self {
        Self(keys.to_vec())
    }

    /// The keys, outermost first; at least one.
    #[must_use]
    pub fn keys(&self) -> &[String] {
        &self.0
    }

    /// The path of `key` below this one.
    #[must_use]
    pub fn below(&self, key: &str) -> Self {
        let mut keys = self.0.clone();
        keys.push(key.to_owned());
        Self(keys)
    }

    /// The path whose last key has `suffix` at its end.
    #[must_use]
    pub fn with_suffix(&self, suffix: &str) -> Self {
        let mut keys = self.0.clone();
        if let Some(last) = keys.last_mut() {
            last.push_str(suffix);
        }
        Self(keys)
    }
}

impl std::str::FromStr for KeyPath {
    type Err = KeyPathError;

    fn from_str(text: &str) -> Result<Self, KeyPathError> {
        let invalid = |reason| KeyPathError {
            text: text.to_owned(),
            reason,
        };
        if !text.starts_with('[') {
            let keys: Vec<String> = text.split('/').map(str::to_owned).collect();
            if keys.iter().any(String::is_empty) {
                return Err(invalid("it has an empty part"));
            }
            if text.contains(['[', ']', '"']) {
                return Err(invalid(
                    "brackets and quotes belong to the other way to write it",
                ));
            }
            return Ok(Self(keys));
        }
        let mut keys = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let inside = rest
                .strip_prefix('[')
                .ok_or_else(|| invalid("each key stands in brackets of its own"))?;
            let (key, after) = if let Some(quote @ ('"' | '\'')) = inside.chars().next() {
                inside[1..]
                    .split_once(quote)
                    .ok_or_else(|| invalid("a quote is not closed"))?
            } else {
                let end = inside.find(']').unwrap_or(inside.len());
                let (number, after) = inside.split_at(end);
                if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
                    return Err(invalid(
                        "a key stands in quotes, a position in a list does not",
                    ));
                }
                (number, after)
            };
            rest = after
                .strip_prefix(']')
                .ok_or_else(|| invalid("a bracket is not closed"))?;
            keys.push(key.to_owned());
        }
        Ok(Self(keys))
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("/"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_to_write_a_path_are_read() {
        for (text, expected) in [
            ("db/password", vec!["db", "password"]),
            ("a", vec!["a"]),
            ("list/0", vec!["list", "0"]),
            ("[\"a/b\"]['c d'][2]", vec!["a/b", "c d", "2"]),
        ] {
            assert_eq!(text.parse::<KeyPath>().unwrap().keys(), expected, "{text}");
        }
        for text in [
            "", "a//b", "/a", "[a]", "[\"a]", "[\"a\"", "[\"a\"]b", "[]", "a]", "a[\"b\"]",
        ] {
            let error = text.parse::<KeyPath>().unwrap_err();
            assert!(!error.reason.is_empty(), "{text}");
        }
    }
}
