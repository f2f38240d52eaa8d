//! One secret file: where it lies, what format it has, and the working copy around it.

use std::path::{Path, PathBuf};

use super::KeyPath;
use super::error::{SecretFileError, SecretFileErrorKind, explain, no_entry};
use crate::host::durable::{self, Lock, LockError};
use crate::host::{FileError, FileMode};
use crate::identity::{Identities, Plaintext};
use crate::secrets::repository::{LARGEST_FILE_BYTES, RecipientNames, Repository};
use crate::sops::{ConvertError, Format, OpenError, OpenedFile, SealedFile};
use crate::source::RepoPath;

/// Mode of a new secret file outside of a repository: it is ciphertext.
const NEW_FILE_MODE: FileMode = FileMode::from_bits(0o644);

/// A secret file to read or to change. It need not be in a repository, and it need not be there yet.
#[derive(Debug, Clone)]
pub struct SecretFile<'a> {
    path: PathBuf,
    format: Format,
    repository: Option<&'a Repository>,
    place: Option<RepoPath>,
    rule_place: Option<RepoPath>,
}

/// What is done about the MAC of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MacCheck {
    /// A file whose MAC is not that of its contents does not open.
    Verify,
    /// It opens all the same: values may have been taken out, added or exchanged by somebody without a key.
    Ignore,
}

impl<'a> SecretFile<'a> {
    /// The file at `path`, as typed; `repository` is the one that the person is in, whether the file is or not.
    ///
    /// A relative path that is not there is looked for at the top of the repository as well.
    #[must_use]
    pub fn at(path: &Path, repository: Option<&'a Repository>) -> Self {
        let mut path = path.to_owned();
        if let Some(repository) = repository.filter(|_| path.is_relative() && !path.exists()) {
            let beside = repository.root().join(&path);
            let elsewhere = repository.locate(&path).is_err();
            if beside.exists() || elsewhere {
                path = beside;
            }
        }
        let place = repository.and_then(|repository| repository.locate(&path).ok());
        Self {
            format: Format::of_path(&path.to_string_lossy()),
            path,
            repository,
            rule_place: place.clone(),
            place,
        }
    }

    /// The same file, with rule and format as if it were called `name`.
    #[must_use]
    pub fn as_if_called(mut self, name: &Path) -> Self {
        self.rule_place = self.repository.and_then(|it| it.locate(name).ok());
        self.format = Format::of_path(&name.to_string_lossy());
        self
    }

    /// The same file, read and written in another format than its name says.
    #[must_use]
    pub fn with_format(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    /// The same file, where nothing of its repository is needed any more.
    #[must_use]
    pub fn without_repository(self) -> SecretFile<'static> {
        SecretFile {
            path: self.path,
            format: self.format,
            repository: None,
            place: None,
            rule_place: None,
        }
    }

    /// Where it is, as typed.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its format.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format
    }

    /// The working copy that the person is in.
    #[must_use]
    pub fn repository(&self) -> Option<&'a Repository> {
        self.repository
    }

    /// Its path inside the working copy, by which its rule is found; `None` if it is outside.
    #[must_use]
    pub fn rule_place(&self) -> Option<&RepoPath> {
        self.rule_place.as_ref()
    }

    /// What recipients are called; where no repository was given, in the one around the file. Only of interest once
    /// something has to be told.
    #[must_use]
    pub fn names(&self) -> RecipientNames {
        match (self.repository, self.path.parent()) {
            (Some(repository), _) => repository.names().clone(),
            (None, Some(above)) if !above.as_os_str().is_empty() => RecipientNames::around(above),
            (None, _) => RecipientNames::around(Path::new(".")),
        }
    }

    /// Reads it; `None` if it is not there.
    pub fn read(&self) -> Result<Option<Vec<u8>>, FileError> {
        durable::read(&self.path, LARGEST_FILE_BYTES)
    }

    /// Reads and opens it.
    pub fn open(
        &self,
        identities: &Identities,
        mac: MacCheck,
    ) -> Result<OpenedFile, SecretFileError> {
        let failed = |kind| SecretFileError::new("open", &self.path, kind);
        let text = self
            .read()
            .map_err(|error| failed(SecretFileErrorKind::File(error)))?
            .ok_or_else(|| failed(SecretFileErrorKind::Missing))?;
        self.open_text(&text, identities, mac)
    }

    /// Opens `text`, its content.
    pub fn open_text(
        &self,
        text: &[u8],
        identities: &Identities,
        mac: MacCheck,
    ) -> Result<OpenedFile, SecretFileError> {
        let sealed = self.sealed(text)?;
        match mac {
            MacCheck::Verify => sealed.open(identities),
            MacCheck::Ignore => sealed.open_unverified(identities),
        }
        .map_err(|error| self.not_opened(error, identities))
    }

    /// Opens `text`, its content, to be printed as it was written.
    pub fn plain_text_of(
        &self,
        text: Vec<u8>,
        identities: &Identities,
    ) -> Result<Plaintext, SecretFileError> {
        let sealed = self.sealed(&text)?;
        drop(text);
        sealed
            .plain_text(identities)
            .map_err(|error| self.not_opened(error, identities))
    }

    fn sealed(&self, text: &[u8]) -> Result<SealedFile, SecretFileError> {
        SealedFile::parse(text, self.format).map_err(|error| {
            SecretFileError::new("open", &self.path, SecretFileErrorKind::Parse(error))
        })
    }

    fn not_opened(&self, error: OpenError, identities: &Identities) -> SecretFileError {
        let kind = explain(error, identities, &self.names());
        SecretFileError::new("open", &self.path, kind)
    }

    /// All of it, opened, in `format`; in its own format as it was written.
    pub fn text_of(
        &self,
        opened: &OpenedFile,
        format: Format,
    ) -> Result<Plaintext, SecretFileError> {
        opened
            .plain_text_as(format)
            .map_err(|error| self.failed_to_print(error))
    }

    /// What is at `key`, opened: a string as it is, anything else in `format`.
    pub fn value_of(
        &self,
        opened: &OpenedFile,
        key: &KeyPath,
        format: Format,
    ) -> Result<Plaintext, SecretFileError> {
        opened
            .extract(key.keys(), format)
            .map_err(|error| self.failed_to_print(error))?
            .ok_or_else(|| no_entry(&self.path, key, &opened.key_paths()))
    }

    fn failed_to_print(&self, error: ConvertError) -> SecretFileError {
        SecretFileError::new("print", &self.path, SecretFileErrorKind::Convert(error))
    }

    /// Keeps others of us from changing it until the lock is dropped; `None` where there is nothing yet to lock.
    pub(super) fn lock(&self) -> Result<Option<Lock>, LockError> {
        match (self.repository, &self.place) {
            (Some(repository), Some(place)) => repository.lock(place).map(Some),
            _ if self.path.exists() => durable::lock(&self.path).map(Some),
            _ => Ok(None),
        }
    }

    /// Replaces it in one step, keeping its mode and owner.
    pub(super) fn replace(&self, content: &[u8]) -> Result<(), FileError> {
        match (self.repository, &self.place) {
            (Some(repository), Some(place)) => repository.replace(place, content),
            _ => durable::replace_keeping(&self.path, content, NEW_FILE_MODE),
        }
    }
}
