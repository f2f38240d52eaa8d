//! Changing a secret file: one value, or all of it, with nothing lost on the way.

use super::KeyPath;
use super::secret_file::{self, SecretFileError, SecretFileErrorKind, no_entry};
use crate::host::durable::LockError;
use crate::host::{FileError, clock};
use crate::identity::{Identities, Plaintext};
use crate::secrets::repository::RecipientsError;
use crate::secrets::repository::Repository;
use crate::sops::{EditError, Format, NewFile, OpenedFile, ParseError, SealError, SealedFile};
use crate::source::RepoPath;

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
    #[error("somebody else is changing {file}")]
    Locked {
        /// The file.
        file: RepoPath,
        /// Who holds the lock.
        source: LockError,
    },
    /// Nobody knows who shall read a new file.
    #[error(transparent)]
    Recipients(#[from] RecipientsError),
}

impl ChangeError {
    /// How to go on.
    #[must_use]
    pub fn fix(&self) -> Option<String> {
        match self {
            Self::File(error) => error.fix(),
            Self::Locked { source, .. } => source.hint(),
            Self::Recipients(error) => Some(error.fix().to_owned()),
        }
    }
}

/// A secret file that is being changed: what was there when it was read, and nobody else of us may change it.
pub(super) struct Draft<'a> {
    pub(super) repository: &'a Repository,
    pub(super) file: &'a RepoPath,
    before: Option<Vec<u8>>,
    _lock: crate::host::durable::Lock,
}

impl<'a> Draft<'a> {
    pub(super) fn begin(
        repository: &'a Repository,
        file: &'a RepoPath,
    ) -> Result<Self, ChangeError> {
        let lock = repository
            .lock(file)
            .map_err(|source| ChangeError::Locked {
                file: file.clone(),
                source,
            })?;
        let before = repository
            .read(file)
            .map_err(|error| failed(repository, file, "read", SecretFileErrorKind::File(error)))?;
        Ok(Self {
            repository,
            file,
            before,
            _lock: lock,
        })
    }

    pub(super) fn failed(&self, action: &'static str, kind: SecretFileErrorKind) -> ChangeError {
        failed(self.repository, self.file, action, kind).into()
    }

    /// Opens what is there; `None` if there is nothing yet.
    pub(super) fn open(&self, identities: &Identities) -> Result<Option<OpenedFile>, ChangeError> {
        let Some(text) = &self.before else {
            return Ok(None);
        };
        let path = self.repository.path(self.file);
        let names = self.repository.names();
        let opened = secret_file::open_text(&path, text, identities, names)?;
        Ok(Some(opened))
    }

    /// Makes a new file with the contents `plain`, for the recipients of its rule.
    pub(super) fn create(&self, plain: &[u8]) -> Result<OpenedFile, ChangeError> {
        let rules = self.repository.rules();
        let keys = rules.keys_of(self.file)?;
        let selector = rules
            .rule_for(self.file)
            .map(|rule| rule.selector().clone())
            .unwrap_or_default();
        let new = NewFile {
            selector,
            ..NewFile::new(Format::of_path(self.file.as_str()), &keys)
        };
        OpenedFile::create(plain, &new)
            .map_err(|error| self.failed("encrypt", SecretFileErrorKind::Seal(error)))
    }

    /// Replaces the file, if it is still what it was at the beginning.
    pub(super) fn write(&self, sealed: &str) -> Result<Changed, WriteError> {
        if self.repository.read(self.file)? != self.before {
            return Err(WriteError::Changed);
        }
        self.repository.replace(self.file, sealed.as_bytes())?;
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

fn failed(
    repository: &Repository,
    file: &RepoPath,
    action: &'static str,
    kind: SecretFileErrorKind,
) -> SecretFileError {
    SecretFileError::new(action, &repository.path(file), kind)
}

/// Sets one value. A file that is not there is made, for the recipients of its rule.
pub fn set(
    repository: &Repository,
    file: &RepoPath,
    change: (&KeyPath, &Plaintext),
    identities: &Identities,
) -> Result<Changed, ChangeError> {
    let (key, value) = change;
    let draft = Draft::begin(repository, file)?;
    let mut opened = match draft.open(identities)? {
        Some(opened) => {
            if opened
                .get(key.keys())
                .is_some_and(|there| there.same_as(value.expose()))
            {
                return Ok(Changed::Unchanged);
            }
            opened
        }
        None => draft.create(empty_document(key).as_bytes())?,
    };
    opened
        .set(key.keys(), value)
        .map_err(|error| draft.failed("change", SecretFileErrorKind::Edit(error)))?;
    finish(&draft, &opened)
}

/// Removes one value, or everything below a key.
pub fn unset(
    repository: &Repository,
    file: &RepoPath,
    key: &KeyPath,
    identities: &Identities,
) -> Result<Changed, ChangeError> {
    let draft = Draft::begin(repository, file)?;
    let Some(mut opened) = draft.open(identities)? else {
        return Err(draft.failed("change", SecretFileErrorKind::Missing));
    };
    let there = opened.key_paths();
    opened.unset(key.keys()).map_err(|error| match error {
        EditError::NotFound { .. } => {
            ChangeError::File(no_entry(&repository.path(file), key, &there))
        }
        other => draft.failed("change", SecretFileErrorKind::Edit(other)),
    })?;
    finish(&draft, &opened)
}

/// Encrypts a file that lies in the clear, in place, for the recipients of its rule.
pub fn encrypt(repository: &Repository, file: &RepoPath) -> Result<Changed, ChangeError> {
    let draft = Draft::begin(repository, file)?;
    let Some(text) = draft.before.clone() else {
        return Err(draft.failed("encrypt", SecretFileErrorKind::Missing));
    };
    let text = Plaintext::new(text);
    match SealedFile::parse(text.expose(), Format::of_path(file.as_str())) {
        Ok(_sealed) => return Ok(Changed::Unchanged),
        Err(ParseError::NotSealed) => {}
        Err(error) => return Err(draft.failed("encrypt", SecretFileErrorKind::Parse(error))),
    }
    let opened = draft.create(text.expose())?;
    finish(&draft, &opened)
}

pub(super) fn finish(draft: &Draft<'_>, opened: &OpenedFile) -> Result<Changed, ChangeError> {
    let sealed =
        seal(opened).map_err(|error| draft.failed("encrypt", SecretFileErrorKind::Seal(error)))?;
    draft
        .write(&sealed)
        .map_err(|error| draft.failed("write", error.into()))
}

/// A document with nothing but the way to `key`, whose value is still empty.
pub(super) fn empty_document(key: &KeyPath) -> String {
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
            assert_eq!(empty_document(&key.parse().unwrap()), expected);
        }
    }
}
