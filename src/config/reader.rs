//! Takes typed values out of a tree, and keeps every error instead of stopping at the first.
//!
//! A method that returns `None` has recorded why.

use std::str::FromStr;

use super::error::{ConfigError, Mark};
use super::files::FileTable;
use super::nearest::nearest;
use super::vocabulary::{Field, keys};
use super::yaml::{Entry, Key, Node, Place, ScalarKind, Value, YamlError};
use super::{Located, Origin};
use crate::host::InvalidName;
use crate::source::RepoPath;

/// Nobody finds a key in a longer list.
const MOST_LISTED: usize = 16;

/// Reads the files of one run.
pub(super) struct Reader {
    files: FileTable,
    errors: Vec<ConfigError>,
}

/// The entries of a map whose keys are known beforehand.
#[derive(Clone, Copy)]
pub(super) struct Fields<'n> {
    entries: &'n [Entry],
}

impl<'n> Fields<'n> {
    /// Takes entries whose keys were checked.
    pub(super) fn over(entries: &'n [Entry]) -> Self {
        Self { entries }
    }

    /// The value of `key`.
    pub(super) fn get(self, key: &str) -> Option<&'n Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// `key` with its value.
    pub(super) fn entry(self, key: &str) -> Option<&'n Entry> {
        self.entries.iter().find(|entry| entry.key.text == key)
    }

    /// Whether there is nothing in it.
    pub(super) fn is_empty(self) -> bool {
        self.entries.is_empty()
    }
}

impl Reader {
    pub(super) fn new(files: FileTable) -> Self {
        Self {
            files,
            errors: Vec::new(),
        }
    }

    pub(super) fn into_errors(mut self) -> Vec<ConfigError> {
        self.take_errors()
    }

    /// An error that is never shown: it would only repeat another one.
    fn unsaid(&mut self) -> &mut ConfigError {
        self.keep(ConfigError::new(""))
    }

    pub(super) fn push(&mut self, error: ConfigError) {
        self.errors.push(error);
    }

    /// The place as an error has it.
    pub(super) fn mark(&self, place: Place) -> Mark {
        Mark {
            origin: self.origin(place),
            length: usize::try_from(place.length).unwrap_or(usize::MAX),
        }
    }

    pub(super) fn origin(&self, place: Place) -> Origin {
        self.files.origin(place)
    }

    /// The folder of the file that a place is in.
    pub(super) fn folder(&self, place: Place) -> String {
        self.files.folder(place.file)
    }

    /// The files of the run.
    pub(super) fn files(&self) -> &FileTable {
        &self.files
    }

    /// The file that a place is in.
    pub(super) fn path(&self, place: Place) -> &RepoPath {
        self.files.path(place.file)
    }

    /// The errors so far; more can follow.
    pub(super) fn take_errors(&mut self) -> Vec<ConfigError> {
        let mut errors = std::mem::take(&mut self.errors);
        errors.retain(|error| !error.message.is_empty());
        errors
    }

    pub(super) fn located<T>(&self, place: Place, value: T) -> Located<T> {
        Located {
            value,
            origin: self.origin(place),
        }
    }

    /// Records an error at a place.
    pub(super) fn error(&mut self, place: Place, message: impl Into<String>) -> &mut ConfigError {
        let error = ConfigError::new(message).at(self.mark(place));
        self.keep(error)
    }

    /// Records an error, to which more can be said.
    pub(super) fn keep(&mut self, error: ConfigError) -> &mut ConfigError {
        self.errors.push(error);
        let last = self.errors.len() - 1;
        &mut self.errors[last]
    }

    /// Records what the text itself got wrong.
    pub(super) fn yaml_error(&mut self, error: YamlError) {
        let mut taken = ConfigError::new(error.message).at(self.mark(error.place));
        taken.related = error
            .related
            .map(|(place, label)| (self.mark(place), label.to_owned()));
        taken.fix = error.fix;
        self.errors.push(taken);
    }

    /// Records that a value has the wrong type.
    pub(super) fn wrong_type(&mut self, node: &Node, wanted: &str) -> &mut ConfigError {
        let found = match &node.value {
            Value::Scalar(scalar) => scalar.to_string(),
            Value::List(_) => "a list".to_owned(),
            Value::Map(_) => "a map".to_owned(),
            Value::File(filled) => format!("the file `{}`", filled.path),
            // Why it is unknown is recorded already.
            Value::Unknown => return self.unsaid(),
        };
        self.error(
            node.place,
            format!("found {found} where {wanted} is wanted"),
        )
    }

    /// A map whose keys are all in `known`. Nothing at all is an empty map.
    pub(super) fn fields<'n>(
        &mut self,
        node: &'n Node,
        what: &str,
        known: &[Field],
    ) -> Option<Fields<'n>> {
        let entries = self.entries(node, what)?;
        let known = keys(known);
        for entry in entries {
            self.known_key(&entry.key, what, &known);
        }
        Some(Fields { entries })
    }

    /// A map with keys of its own. Nothing at all is an empty map.
    pub(super) fn entries<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n [Entry]> {
        match &node.value {
            Value::Map(entries) => Some(entries),
            Value::Scalar(scalar) if scalar.kind() == ScalarKind::Null => Some(&[]),
            _ => {
                let fix = map_meant(node);
                self.wrong_type(node, &format!("a map, {what},")).fix = fix;
                None
            }
        }
    }

    /// Records a key that is not in `known`.
    pub(super) fn known_key(&mut self, key: &Key, what: &str, known: &[&str]) {
        if known.contains(&key.text.as_str()) {
            return;
        }
        let fix = match nearest(&key.text, known.iter().copied()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None if known.len() > MOST_LISTED => format!(
                "no key of {what} is spelled nearly like it; docs/repository.md has all of them, and `steadfast config schema --out .schema` makes editors complete them"
            ),
            None => format!("the keys of {what} are {}", listed(known)),
        };
        self.error(key.place, format!("`{}` is not a key of {what}", key.text))
            .fix = Some(fix);
    }

    /// The value of a key that must be there; `owner` is where its absence is reported.
    pub(super) fn required<'n>(
        &mut self,
        fields: Fields<'n>,
        key: &str,
        owner: (Place, &str),
    ) -> Option<&'n Node> {
        let found = fields.get(key);
        if found.is_none() {
            let (place, what) = owner;
            self.error(place, format!("{what} needs the key `{key}`"));
        }
        found
    }

    /// Text; a plain number is taken as it is spelled.
    pub(super) fn text<'n>(&mut self, node: &'n Node) -> Option<&'n str> {
        if let Value::Scalar(scalar) = &node.value {
            match scalar.kind() {
                ScalarKind::Text | ScalarKind::Integer | ScalarKind::Float => {
                    return Some(scalar.text());
                }
                ScalarKind::Boolean(_) => {
                    let fix = format!("put it in quotes: \"{}\"", scalar.text());
                    self.wrong_type(node, "text").fix = Some(fix);
                    return None;
                }
                ScalarKind::Null => {}
            }
        }
        self.wrong_type(node, "text");
        None
    }

    /// Text on one line with something in it.
    pub(super) fn line<'n>(&mut self, node: &'n Node) -> Option<&'n str> {
        let text = self.text(node)?;
        if text.trim().is_empty() || text.contains(['\n', '\r', '\0']) {
            self.wrong_type(node, "one line of text");
            return None;
        }
        Some(text)
    }

    pub(super) fn boolean(&mut self, node: &Node) -> Option<bool> {
        let Value::Scalar(scalar) = &node.value else {
            self.wrong_type(node, "`true` or `false`");
            return None;
        };
        if let ScalarKind::Boolean(value) = scalar.kind() {
            return Some(value);
        }
        let meant = match scalar.text().to_lowercase().as_str() {
            "true" | "yes" | "on" | "y" | "1" => Some("true"),
            "false" | "no" | "off" | "n" | "0" => Some("false"),
            _ => None,
        };
        self.wrong_type(node, "`true` or `false`").fix =
            meant.map(|meant| format!("write `{meant}`, without quotes"));
        None
    }

    /// A whole number in decimal, at most `max`.
    pub(super) fn number(&mut self, node: &Node, max: u32) -> Option<u32> {
        let wanted = format!("a whole number from 0 to {max}");
        if let Value::Scalar(scalar) = &node.value
            && scalar.kind() == ScalarKind::Integer
        {
            let text = scalar.text();
            let decimal = text.bytes().all(|b| b.is_ascii_digit());
            let padded = text.len() > 1 && text.starts_with('0');
            match text.parse::<u32>() {
                Ok(number) if decimal && !padded && number <= max => return Some(number),
                _ => {}
            }
        }
        self.wrong_type(node, &wanted);
        None
    }

    /// A checked name, or anything else that is parsed from text.
    pub(super) fn name<T: FromStr<Err = InvalidName>>(&mut self, node: &Node) -> Option<T> {
        let text = self.text(node)?;
        self.checked(text, node.place)
    }

    /// A checked name from a key.
    pub(super) fn key_name<T: FromStr<Err = InvalidName>>(&mut self, key: &Key) -> Option<T> {
        self.checked(&key.text, key.place)
    }

    fn checked<T: FromStr<Err = InvalidName>>(&mut self, text: &str, place: Place) -> Option<T> {
        self.valid(text.parse(), place)
    }

    /// A name that was checked already; what is wrong with it is recorded.
    pub(super) fn valid<T>(&mut self, checked: Result<T, InvalidName>, place: Place) -> Option<T> {
        match checked {
            Ok(name) => Some(name),
            Err(invalid) => {
                let fix = suggestion(&invalid);
                self.error(place, invalid.to_string()).fix = fix;
                None
            }
        }
    }

    /// One of a few words.
    pub(super) fn one_of<T: Copy>(&mut self, node: &Node, words: &[(&str, T)]) -> Option<T> {
        let spelled: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let wanted = listed_or(&spelled);
        if let Value::Scalar(scalar) = &node.value
            && scalar.kind() != ScalarKind::Null
        {
            if let Some((_, value)) = words.iter().find(|(word, _)| *word == scalar.text()) {
                return Some(*value);
            }
            let meant = nearest(scalar.text(), spelled.iter().copied());
            self.wrong_type(node, &wanted).fix =
                meant.map(|meant| format!("did you mean `{meant}`?"));
            return None;
        }
        self.wrong_type(node, &wanted);
        None
    }

    /// A list; nothing at all is an empty one.
    pub(super) fn list<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n [Node]> {
        match &node.value {
            Value::List(items) => Some(items),
            Value::Scalar(scalar) if scalar.kind() == ScalarKind::Null => Some(&[]),
            Value::Scalar(scalar) => {
                let fix = format!("write `[{}]`", scalar.text());
                self.wrong_type(node, &format!("a list of {what}")).fix = Some(fix);
                None
            }
            Value::Map(_) | Value::File(_) | Value::Unknown => {
                self.wrong_type(node, &format!("a list of {what}"));
                None
            }
        }
    }

    /// A list of checked names, without repetitions.
    pub(super) fn names<T: FromStr<Err = InvalidName> + PartialEq>(
        &mut self,
        node: &Node,
        what: &str,
    ) -> Option<Vec<Located<T>>> {
        let items = self.list(node, what)?;
        let mut names: Vec<Located<T>> = Vec::new();
        for item in items {
            let Some(name) = self.name::<T>(item) else {
                continue;
            };
            if let Some(first) = names.iter().find(|taken| taken.value == name) {
                let first = Mark::from(&first.origin);
                let text = self.text(item).unwrap_or_default().to_owned();
                self.error(item.place, format!("`{text}` is listed twice"))
                    .related = Some((first, "it was here first".to_owned()));
                continue;
            }
            names.push(self.located(item.place, name));
        }
        Some(names)
    }
}

/// How a map is written, by what stands in its place.
fn map_meant(node: &Node) -> Option<String> {
    match &node.value {
        Value::List(_) => Some(
            "write each entry as `NAME:` with what it says indented below it, without `-`"
                .to_owned(),
        ),
        Value::Scalar(scalar) => {
            let (key, value) = scalar.text().split_once(' ')?;
            let word = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
            (word(key) && !value.contains(' '))
                .then(|| format!("write `{key}: {value}`, with a colon"))
        }
        Value::Map(_) | Value::File(_) | Value::Unknown => None,
    }
}

/// What was probably meant by a name that is not valid.
pub(super) fn suggestion(invalid: &InvalidName) -> Option<String> {
    let text = invalid.text.as_str();
    match invalid.what {
        "unit name" if !text.is_empty() && !text.contains('.') => {
            Some(format!("did you mean `{text}.service`?"))
        }
        "file mode" => Some("write the mode as four octal digits, such as `0644`".to_owned()),
        "host path" if text.len() > 1 && text.contains('/') && !text.contains("..") => {
            let parts: Vec<&str> = text.split('/').filter(|part| !part.is_empty()).collect();
            let meant = format!("/{}", parts.join("/"));
            (meant != text).then(|| format!("write `{meant}`"))
        }
        "secret name" => Some(
            "its parts are the keys on the way to the value in the secret file: `database/password`"
                .to_owned(),
        ),
        "package name" | "user name" | "group name" if text != text.to_lowercase() => {
            Some(format!("write `{}`", text.to_lowercase()))
        }
        _ => None,
    }
}

/// `a`, `b` and `c`.
pub(super) fn listed(words: &[&str]) -> String {
    joined(words, "and")
}

/// `a`, `b` or `c`.
pub(super) fn listed_or(words: &[&str]) -> String {
    joined(words, "or")
}

fn joined(words: &[&str], conjunction: &str) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        None => String::new(),
        Some((only, [])) => only.clone(),
        Some((last, rest)) => format!("{} {conjunction} {last}", rest.join(", ")),
    }
}
