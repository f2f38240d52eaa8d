//! What is printed of an opened file.

use super::failure::{Failure, NOT_PRINTABLE};
use crate::identity::Plaintext;
use crate::report::Problem;
use crate::secrets::{KeyPath, SecretFile};
use crate::sops::{Format, OpenedFile};

/// The text of `opened`, or of the part at `path`, in `format`.
pub(super) fn plain_text(
    opened: &OpenedFile,
    file: &SecretFile<'_>,
    path: Option<&KeyPath>,
    format: Format,
) -> Result<Plaintext, Failure> {
    if let Some(path) = path {
        return file
            .value_of(opened, path)
            .map_err(|error| Failure::of_file(&error));
    }
    if format == file.format() {
        return Ok(opened.plain_text());
    }
    let what = format!("{} cannot be printed as {format}", file.path().display());
    Err(Failure::new(Problem::new(what), NOT_PRINTABLE))
}
