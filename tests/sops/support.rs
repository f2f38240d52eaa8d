//! What the tests of the format share.

use std::path::{Path, PathBuf};

use steadfast::identity::{Identities, Recipient};
use steadfast::sops::{Format, NewFile, OpenedFile};

use crate::model::Leaf;

pub(super) const TIME: &str = "2030-01-02T03:04:05Z";
/// The public half of `keys/age-a.txt`.
pub(super) const RECIPIENT: &str = "age19jlk6v9g5g4pe9t2t8m53q7mlvrys2w9yu5f5cwwllhccwdrtf7sksvyz7";

pub(super) fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors")
}

pub(super) fn identities() -> Identities {
    Identities::of_file(&vectors().join("keys/age-a.txt")).unwrap()
}

pub(super) fn recipient() -> Recipient {
    Recipient::parse(RECIPIENT).unwrap()
}

pub(super) type Leaves = Vec<Leaf>;

/// All leaves with their values, in order.
pub(super) fn leaves(file: &OpenedFile) -> Leaves {
    let paths = file.key_paths().into_iter();
    paths
        .map(|path| {
            let value = file.get(&path).map(|value| value.expose().to_vec());
            (path, value)
        })
        .collect()
}

/// The leaves of a plain YAML text, read by the same reader.
pub(super) fn leaves_of_plain(text: &str) -> Leaves {
    leaves_of(text.as_bytes(), Format::Yaml)
}

/// The leaves of a plain text, read by the same reader.
pub(super) fn leaves_of(text: &[u8], format: Format) -> Leaves {
    let file = OpenedFile::create(text, &NewFile::new(format, &recipient().into()));
    leaves(&file.unwrap_or_else(|error| panic!("{error}\n{}", String::from_utf8_lossy(text))))
}
