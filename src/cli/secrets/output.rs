//! Where an output goes: stdout, or a file. Plaintext goes to files that only their owner can read.

use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use super::failure::{Failure, NOT_WRITABLE};
use crate::host::{FileMode, durable};
use crate::identity::Plaintext;
use crate::report::Problem;

/// Mode of a file with plaintext.
const PRIVATE: FileMode = FileMode::from_bits(0o600);
/// Mode of a new file with ciphertext.
const PUBLIC: FileMode = FileMode::from_bits(0o644);

/// Where an output goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Destination {
    Stdout,
    File(PathBuf),
}

impl Destination {
    /// `--output FILE`, `--in-place`, or neither. `input` is `None` for stdin.
    pub(super) fn of(
        output: Option<&Path>,
        in_place: InPlace,
        input: Option<&Path>,
    ) -> Result<Self, Failure> {
        match (output, in_place, input) {
            (Some(_), InPlace::Yes, _) => Err(Failure::conflict(
                "the output cannot go to --output and --in-place at once",
                "keep one of them",
            )),
            (Some(path), InPlace::No, _) | (None, InPlace::Yes, Some(path)) => {
                Ok(Self::File(path.to_owned()))
            }
            (None, InPlace::Yes, None) => Err(Failure::conflict(
                "stdin cannot be changed in place",
                "name a file, or leave --in-place out",
            )),
            (None, InPlace::No, _) => Ok(Self::Stdout),
        }
    }

    /// Writes plaintext byte for byte; to a file that only its owner can read.
    pub(super) fn write_plaintext(&self, text: &Plaintext) -> Result<(), Failure> {
        match self {
            Self::Stdout => print_bytes(text.expose()),
            Self::File(path) => write(path, text.expose(), |path, bytes| {
                durable::replace(path, bytes, PRIVATE)
            }),
        }
    }

    /// Writes a sealed text; a file keeps its mode and owner.
    pub(super) fn write_sealed(&self, text: &str) -> Result<(), Failure> {
        match self {
            Self::Stdout => print_bytes(text.as_bytes()),
            Self::File(path) => write(path, text.as_bytes(), |path, bytes| {
                durable::replace_keeping(path, bytes, PUBLIC)
            }),
        }
    }
}

/// Whether the input is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InPlace {
    Yes,
    No,
}

impl From<bool> for InPlace {
    fn from(flag: bool) -> Self {
        if flag { Self::Yes } else { Self::No }
    }
}

/// Replaces a file in one step; what is no file, such as a FIFO or `/dev/stdout`, is written to.
fn write(
    path: &Path,
    bytes: &[u8],
    replace: impl FnOnce(&Path, &[u8]) -> Result<(), crate::host::FileError>,
) -> Result<(), Failure> {
    let special = std::fs::metadata(path).is_ok_and(|found| !found.is_file());
    if special {
        return std::fs::OpenOptions::new()
            .write(true)
            .open(path)
            .and_then(|mut file| file.write_all(bytes))
            .map_err(|error| {
                let what = format!("cannot write {}", path.display());
                Failure::new(Problem::of(&error).about(what), NOT_WRITABLE)
            });
    }
    replace(path, bytes)
        .map_err(|error| Failure::new(Problem::of(&error).with_hint(error.hint()), NOT_WRITABLE))
}

/// Prints bytes as they are; a reader that went away is no error.
///
/// Not through the buffer of `io::stdout`, which would keep what was printed.
fn print_bytes(bytes: &[u8]) -> Result<(), Failure> {
    let written = rustix::io::dup(io::stdout())
        .map_err(io::Error::from)
        .and_then(|stdout| std::fs::File::from(stdout).write_all(bytes));
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::new(
            Problem::of(&error).about("cannot write the answer to stdout"),
            NOT_WRITABLE,
        )),
        _ => Ok(()),
    }
}
