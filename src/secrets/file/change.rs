//! Changing a secret file: one value, or all of it, with nothing lost on the way.

use std::path::PathBuf;

use super::error::{SecretFileError, SecretFileErrorKind, no_entry};
use super::recipe::{Recipe, RecipeError};
use super::{KeyPath, MacCheck, SecretFile};
use crate::host::durable::{self, Lock, LockError};
use crate::host::{FileError, clock};
use crate::identity::{Identities, Plaintext};
use crate::sops::{EditError, Format, OpenedFile, SealError, SealedFile, convert};

/// What happened to a secret file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    /// It is as it was; nothing was written.
    Unchanged,
    /// It has other contents now.
    Changed,
    /// It was made.
    Created,
}

/// A change that was not made; the file is as it was.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The file does not open, or does not take the change.
    #[error(transparent)]
    File(#[from] SecretFileError),
    /// Somebody else is editing it.
    #[error("somebody else is changing {}", path.display())]
    Locked {
        /// The file.
        path: PathBuf,
        /// Who holds the lock.
        source: LockError,
    },
    /// Nobody knows who shall read a new file.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
}

impl ChangeError {
    /// How to go on.
    #[must_use]
    pub fn fix(&self) -> Option<String> {
        match self {
            Self::File(error) => error.fix(),
            Self::Locked { source, .. } => source.hint(),
            Self::Recipe(error) => Some(error.fix().to_owned()),
        }
    }
}

/// A secret file that is being changed: what was there when it was read, and nobody else of us may change it.
pub(super) struct Draft<'a> {
    pub(super) file: &'a SecretFile<'a>,
    before: Option<Vec<u8>>,
    _lock: Option<Lock>,
}

impl<'a> Draft<'a> {
    /// Takes the lock and reads the file. A file that could not be replaced in the end is refused here already, before
    /// anything is typed.
    pub(super) fn begin(file: &'a SecretFile<'a>) -> Result<Self, ChangeError> {
        let lock = file.lock().map_err(|source| match source {
            source @ LockError::Held { .. } => ChangeError::Locked {
                path: file.path().to_owned(),
                source,
            },
            LockError::File(error) => {
                SecretFileError::new("change", file.path(), SecretFileErrorKind::File(error)).into()
            }
        })?;
        let failed =
            |error| SecretFileError::new("change", file.path(), SecretFileErrorKind::File(error));
        durable::check_replaceable(file.path()).map_err(failed)?;
        let before = file.read().map_err(failed)?;
        Ok(Self {
            file,
            before,
            _lock: lock,
        })
    }

    pub(super) fn failed(&self, action: &'static str, kind: SecretFileErrorKind) -> ChangeError {
        SecretFileError::new(action, self.file.path(), kind).into()
    }

    /// What was there at the beginning.
    pub(super) fn before(&self) -> Option<&[u8]> {
        self.before.as_deref()
    }

    /// Opens what is there; `None` if there is nothing yet.
    pub(super) fn open(
        &self,
        identities: &Identities,
        mac: MacCheck,
    ) -> Result<Option<OpenedFile>, ChangeError> {
        let Some(text) = &self.before else {
            return Ok(None);
        };
        Ok(Some(self.file.open_text(text, identities, mac)?))
    }

    /// Whether there is nothing yet.
    pub(super) fn is_new(&self) -> bool {
        self.before.is_none()
    }

    /// Makes a new file with nothing but the way to `key`, whose value is still empty.
    pub(super) fn create_for(
        &self,
        key: &KeyPath,
        recipe: &Recipe,
    ) -> Result<OpenedFile, ChangeError> {
        let text = empty_document(key, self.file.format());
        self.create(text.as_bytes(), recipe)
    }

    /// Makes a new file with the contents `plain`.
    pub(super) fn create(&self, plain: &[u8], recipe: &Recipe) -> Result<OpenedFile, ChangeError> {
        recipe
            .create(plain, self.file.format())
            .map_err(|error| self.failed("encrypt", SecretFileErrorKind::Seal(error)))
    }

    /// Replaces the file, if it is still what it was at the beginning.
    pub(super) fn write(&self, sealed: &str) -> Result<Changed, WriteError> {
        if self.file.read()? != self.before {
            return Err(WriteError::Changed);
        }
        self.file.replace(sealed.as_bytes())?;
        Ok(match self.before {
            None => Changed::Created,
            Some(_) => Changed::Changed,
        })
    }
}

/// Encrypts `opened`, as of now. Nothing is written yet.
pub(super) fn seal(opened: &OpenedFile) -> Result<String, SealError> {
    opened.seal(&clock::now_rfc3339())
}

/// A sealed text that could not be put in place.
pub(super) enum WriteError {
    Changed,
    File(FileError),
}

impl From<FileError> for WriteError {
    fn from(error: FileError) -> Self {
        Self::File(error)
    }
}

impl From<WriteError> for SecretFileErrorKind {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Changed => Self::Changed,
            WriteError::File(error) => Self::File(error),
        }
    }
}

/// Keys, and what is done about the MAC.
#[derive(Clone, Copy)]
#[expect(missing_debug_implementations, reason = "it holds private keys")]
pub struct Access<'a> {
    /// The keys to open the file with.
    pub identities: &'a Identities,
    /// Whether the MAC must fit.
    pub mac: MacCheck,
}

/// A value to set.
#[derive(Clone, Copy)]
#[expect(
    missing_debug_implementations,
    reason = "plaintext must not be printable"
)]
pub enum NewValue<'a> {
    /// A string, in the place of a single value.
    Text(&'a Plaintext),
    /// Any JSON value, in the place of anything, as sops takes it.
    Json(&'a Plaintext),
}

/// Sets one value. A file that is not there is made, with `recipe`; without one it must be there.
pub fn set(
    file: &SecretFile<'_>,
    (key, value): (&KeyPath, NewValue<'_>),
    access: Access<'_>,
    recipe: Option<&Recipe>,
) -> Result<Changed, ChangeError> {
    let draft = Draft::begin(file)?;
    let opened = draft.open(access.identities, access.mac)?;
    let mut opened = match (opened, recipe) {
        (Some(opened), _) => opened,
        (None, Some(recipe)) => draft.create_for(key, recipe)?,
        (None, None) => return Err(draft.failed("change", SecretFileErrorKind::Missing)),
    };
    let before = opened.plain_text();
    let same = match value {
        NewValue::Text(text) => {
            let there = opened.get(key.keys());
            let same = there.is_some_and(|there| there.same_as(text.expose()));
            if !same {
                opened
                    .set(key.keys(), text)
                    .map_err(|error| draft.failed("change", SecretFileErrorKind::Edit(error)))?;
            }
            same
        }
        NewValue::Json(json) => {
            opened
                .set_json(key.keys(), json)
                .map_err(|error| draft.failed("change", SecretFileErrorKind::Edit(error)))?;
            opened.plain_text().same_as(before.expose())
        }
    };
    if same && !draft.is_new() {
        return Ok(Changed::Unchanged);
    }
    finish(&draft, &opened)
}

/// Removes one value, or everything below a key.
pub fn unset(
    file: &SecretFile<'_>,
    key: &KeyPath,
    access: Access<'_>,
) -> Result<Changed, ChangeError> {
    let draft = Draft::begin(file)?;
    let Some(mut opened) = draft.open(access.identities, access.mac)? else {
        return Err(draft.failed("change", SecretFileErrorKind::Missing));
    };
    let there = opened.key_paths();
    opened.unset(key.keys()).map_err(|error| match error {
        EditError::NotFound { .. } => ChangeError::File(no_entry(file.path(), key, &there)),
        other => draft.failed("change", SecretFileErrorKind::Edit(other)),
    })?;
    finish(&draft, &opened)
}

/// Encrypts a file that lies in the clear, in place, into a file in the format `output`.
pub fn encrypt(
    file: &SecretFile<'_>,
    recipe: &Recipe,
    output: Format,
) -> Result<Changed, ChangeError> {
    let draft = Draft::begin(file)?;
    let Some(text) = draft.before.clone() else {
        return Err(draft.failed("encrypt", SecretFileErrorKind::Missing));
    };
    let sealed = encrypted(file, &Plaintext::new(text), recipe, output)?;
    draft
        .write(&sealed)
        .map_err(|error| draft.failed("write", error.into()))
}

/// The sealed form of `plain`, a text in the format of `file`, as a file in the format `output`.
pub fn encrypted(
    file: &SecretFile<'_>,
    plain: &Plaintext,
    recipe: &Recipe,
    output: Format,
) -> Result<String, SecretFileError> {
    let failed = |kind| SecretFileError::new("encrypt", file.path(), kind);
    // A binary file's contents may be a secret file.
    if file.format() != Format::Binary && SealedFile::parse(plain.expose(), file.format()).is_ok() {
        return Err(failed(SecretFileErrorKind::SealedAlready));
    }
    let converted;
    let text = if output == file.format() {
        plain
    } else {
        let to = (output, recipe.indent());
        converted = convert(plain.expose(), file.format(), to)
            .map_err(|error| failed(SecretFileErrorKind::Convert(error)))?;
        &converted
    };
    let opened = recipe
        .create(text.expose(), output)
        .map_err(|error| failed(SecretFileErrorKind::Seal(error)))?;
    seal(&opened).map_err(|error| failed(SecretFileErrorKind::Seal(error)))
}

pub(super) fn finish(draft: &Draft<'_>, opened: &OpenedFile) -> Result<Changed, ChangeError> {
    let sealed =
        seal(opened).map_err(|error| draft.failed("encrypt", SecretFileErrorKind::Seal(error)))?;
    draft
        .write(&sealed)
        .map_err(|error| draft.failed("write", error.into()))
}

/// A document with nothing but the way to `key`, whose value is still empty.
fn empty_document(key: &KeyPath, format: Format) -> String {
    match (format, key.keys()) {
        (Format::Json, keys) => {
            let empty = serde_json::Value::from("");
            let document = keys
                .iter()
                .rev()
                .fold(empty, |inner, key| serde_json::json!({ key: inner }));
            format!("{document:#}\n")
        }
        (Format::Dotenv, [name, ..]) => format!("{name}=\n"),
        (Format::Ini, [section, name, ..]) => format!("[{section}]\n{name} =\n"),
        _ => empty_yaml(key),
    }
}

fn empty_yaml(key: &KeyPath) -> String {
    let mut text = String::new();
    for (depth, part) in key.keys().iter().enumerate() {
        if depth > 0 {
            text.push('\n');
        }
        // JSON's quoting is a subset of YAML's, and right for every key.
        let quoted = serde_json::Value::from(part.as_str()).to_string();
        let plain = part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
            && part.starts_with(|c: char| c.is_ascii_alphabetic())
            && !matches!(
                part.to_ascii_lowercase().as_str(),
                "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n"
            );
        let key = if plain { part.as_str() } else { &quoted };
        text.push_str(&"    ".repeat(depth));
        text.push_str(key);
        text.push(':');
    }
    text.push_str(" \"\"\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_document_holds_only_the_way_to_its_key() {
        for (key, expected) in [
            ("token", "token: \"\"\n"),
            ("db/password", "db:\n    password: \"\"\n"),
            ("[\"a: b\"]/x".trim_end_matches("/x"), "\"a: b\": \"\"\n"),
            ("yes/1", "\"yes\":\n    \"1\": \"\"\n"),
        ] {
            assert_eq!(empty_yaml(&key.parse().unwrap()), expected);
        }
    }
}
