//! What is printed of an opened file.

use super::failure::Failure;
use crate::identity::Plaintext;
use crate::secrets::{KeyPath, SecretFile};
use crate::sops::{Format, OpenedFile};

/// The text of `opened`, or of the part at `path`, in `format`.
pub(super) fn plain_text(
    opened: &OpenedFile,
    file: &SecretFile<'_>,
    path: Option<&KeyPath>,
    format: Format,
) -> Result<Plaintext, Failure> {
    match path {
        Some(path) => file.value_of(opened, path, format),
        None => file.text_of(opened, format),
    }
    .map_err(|error| Failure::of_file(&error))
}
