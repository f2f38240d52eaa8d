//! `secrets view`: the whole file, or a part of it, decrypted.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use clap::Args;

use super::failure::{Failure, KEY_PATH, UNREADABLE};
use super::options::{Opening, Types};
use super::output::Destination;
use super::place::repository_to_read;
use super::{answers, identities};
use crate::cli::HostFlags;
use crate::report::{Problem, exit};
use crate::secrets::{KeyPath, MacCheck, SecretFile};

/// Print a secret file, decrypted
#[derive(Debug, Args)]
#[command(long_about = ABOUT, after_long_help = EXAMPLES)]
pub struct ViewArgs {
    /// The secret file [default: stdin]
    pub file: Option<PathBuf>,
    /// Print only what is at this key path
    #[arg(long, value_name = "PATH")]
    extract: Option<String>,
    /// Write the plaintext in the place of the file
    #[arg(short, long)]
    in_place: bool,
    /// Write the plaintext to this file, which only you can read
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    types: Types,
    /// Take the format from this name instead of the file's
    #[arg(long, value_name = "NAME")]
    filename_override: Option<PathBuf>,
    #[command(flatten)]
    opening: Opening,
}

const ABOUT: &str = "\
Print a secret file, decrypted, as it was written: comments, order and layout are those of the file.

Nothing is printed before the MAC of the whole file is verified. A file that is written with --output or --in-place can \
be read by you only.";

const EXAMPLES: &str = "\
Examples:
  steadfast secrets view secrets/default.yml
  steadfast secrets decrypt --extract '[\"db\"][\"password\"]' secrets/default.yml
  git show HEAD~1:secrets/default.yml | steadfast secrets view --input-type yaml";

/// Runs `view`.
pub(super) fn run(args: &ViewArgs, flags: &HostFlags) -> Result<u8, Failure> {
    let destination = Destination::of(
        args.output.as_deref(),
        args.in_place.into(),
        args.file.as_deref(),
    )?;
    let mac = args.opening.check()?;
    let path = args
        .extract
        .as_deref()
        .map(str::parse::<KeyPath>)
        .transpose()
        .map_err(|error| Failure::of_key_path(&error, KEY_PATH))?;
    let repository = repository_to_read(flags, args.file.as_deref())?;
    let name = args.file.as_deref().unwrap_or(Path::new("-"));
    let mut file = SecretFile::at(name, repository.as_ref());
    if let Some(name) = &args.filename_override {
        file = file.as_if_called(name);
    }
    let file = args.types.apply(file);
    let text = match &args.file {
        None => read_stdin()?,
        Some(_) => file
            .read()
            .map_err(|error| Failure::new(Problem::of(&error).with_hint(error.hint()), UNREADABLE))?
            .ok_or_else(|| Failure::no_file(file.path()))?,
    };
    let identities = identities(flags)?;
    let format = args.types.output_of(&file);
    let plain = if path.is_none() && format == file.format() && mac == MacCheck::Verify {
        file.plain_text_of(text, &identities)
            .map_err(|error| Failure::of_file(&error))?
    } else {
        let opened = file
            .open_text(&text, &identities, mac)
            .map_err(|error| Failure::of_file(&error))?;
        answers::plain_text(&opened, &file, path.as_ref(), format)?
    };
    destination.write_plaintext(&plain)?;
    Ok(exit::DONE)
}

/// Reads a sealed file from stdin.
pub(super) fn read_stdin() -> Result<Vec<u8>, Failure> {
    const LARGEST_BYTES: u64 = 16 * 1024 * 1024;
    let mut text = Vec::new();
    io::stdin()
        .lock()
        .take(LARGEST_BYTES + 1)
        .read_to_end(&mut text)
        .map_err(|error| {
            Failure::new(Problem::of(&error).about("cannot read stdin"), UNREADABLE)
        })?;
    if text.len() as u64 > LARGEST_BYTES {
        return Err(Failure::new(
            Problem::new("stdin holds more than 16 MiB"),
            UNREADABLE,
        ));
    }
    Ok(text)
}
