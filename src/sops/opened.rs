//! An opened file: its whole plain text in memory, and all that is needed to seal it again.

use super::error::{EditError, ParseError, SealError};
use super::selector::Selector;
use crate::identity::{Plaintext, Recipient};

/// A decrypted file. Wiped on drop.
#[expect(
    missing_debug_implementations,
    reason = "plaintext must not be printable"
)]
pub struct OpenedFile {}

impl OpenedFile {
    /// A new file with a new data key: `plain` is a YAML document with no `sops` entry.
    pub fn create(
        plain: &[u8],
        recipients: &[Recipient],
        selector: Selector,
    ) -> Result<Self, SealError> {
        let _ = (plain, recipients, selector);
        Err(SealError::NoRecipients)
    }

    /// The leaf at `path` as the bytes that a secret file gets: a string's bytes, a number's or truth value's text.
    ///
    /// A list's items are named by their position, counted from 0 without comments. First document only.
    #[must_use]
    pub fn get(&self, path: &[String]) -> Option<Plaintext> {
        let _ = path;
        None
    }

    /// The paths of all leaves of the first document, in file order.
    #[must_use]
    pub fn key_paths(&self) -> Vec<Vec<String>> {
        Vec::new()
    }

    /// Sets the leaf at `path` to a string; missing maps on the way are made.
    pub fn set(&mut self, path: &[String], value: &Plaintext) -> Result<(), EditError> {
        let _ = (path, value);
        Ok(())
    }

    /// Removes the entry at `path`.
    pub fn unset(&mut self, path: &[String]) -> Result<(), EditError> {
        let _ = path;
        Ok(())
    }

    /// The whole decrypted text without metadata; comments and layout as in the sealed file.
    #[must_use]
    pub fn plain_text(&self) -> Plaintext {
        Plaintext::new(Vec::new())
    }

    /// Takes `edited`, a changed [`plain_text`](Self::plain_text), as the new contents.
    pub fn replace(&mut self, edited: &[u8]) -> Result<(), ParseError> {
        let _ = edited;
        Ok(())
    }

    /// The sealed text. What did not change since [`open`](super::SealedFile::open) keeps its ciphertext.
    ///
    /// `lastmodified` is the current time in RFC 3339. The result is opened again and compared before it is returned.
    pub fn seal(&self, lastmodified: &str) -> Result<String, SealError> {
        let _ = lastmodified;
        Err(SealError::NoRecipients)
    }
}
