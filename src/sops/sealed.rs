//! A sealed file: parsed, its metadata read, nothing opened.

use super::error::{OpenError, ParseError, SealError};
use super::opened::OpenedFile;
use crate::identity::{Identities, Recipient};

/// A SOPS file as it lies in the repository. Holds no plaintext.
#[derive(Debug)]
pub struct SealedFile {}

impl SealedFile {
    /// Reads a sealed YAML file. Nothing is decrypted, no key is needed.
    pub fn parse(text: &[u8]) -> Result<Self, ParseError> {
        let _ = text;
        Err(ParseError::Empty)
    }

    /// Everybody who can open the file, as its metadata names them, in file order. Age and SSH recipients only.
    #[must_use]
    pub fn recipients(&self) -> Vec<String> {
        Vec::new()
    }

    /// The text of the leaf at `path`: its `ENC[…]` form, or for an unencrypted leaf its text.
    ///
    /// A list's items are named by their position, counted from 0 without comments. First document only.
    #[must_use]
    pub fn ciphertext(&self, path: &[String]) -> Option<&str> {
        let _ = path;
        None
    }

    /// The paths of all leaves of the first document, in file order.
    #[must_use]
    pub fn key_paths(&self) -> Vec<Vec<String>> {
        Vec::new()
    }

    /// Decrypts everything and verifies the MAC; nothing is released otherwise.
    pub fn open(&self, identities: &Identities) -> Result<OpenedFile, OpenError> {
        let _ = identities;
        Err(OpenError::MacMissing)
    }

    /// The file's text with the same data key encrypted to exactly `recipients`.
    ///
    /// Entries of recipients that stay are kept verbatim. Values, MAC and times are untouched.
    pub fn rewrap(
        &self,
        identities: &Identities,
        recipients: &[Recipient],
    ) -> Result<String, SealError> {
        let _ = (identities, recipients);
        Err(SealError::NoRecipients)
    }
}
