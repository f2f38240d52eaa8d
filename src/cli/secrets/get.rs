//! `secrets get`: one value.

use std::io::{self, IsTerminal as _};
use std::path::PathBuf;

use clap::Args;

use super::failure::{Failure, KEY_PATH};
use super::options::{Opening, Types};
use super::output::Destination;
use super::place::repository_to_read;
use super::{answers, identities};
use crate::cli::HostFlags;
use crate::report::exit;
use crate::secrets::{KeyPath, SecretFile};

/// Print one value
#[derive(Debug, Args)]
#[command(long_about = ABOUT, after_long_help = EXAMPLES)]
pub struct GetArgs {
    /// The secret file
    pub file: PathBuf,
    /// The key path, such as `db/password`
    pub key: String,
    #[command(flatten)]
    types: Types,
    #[command(flatten)]
    opening: Opening,
}

const ABOUT: &str = "\
Print one value, byte for byte; on a terminal with a line break after it. What is no single value is printed as a document.";

const EXAMPLES: &str = "\
Examples:
  steadfast secrets get secrets/default.yml db/password
  steadfast secrets get secrets/default.yml '[\"db\"][\"pass/word\"]'";

/// Runs `get`.
pub(super) fn run(args: &GetArgs, flags: &HostFlags) -> Result<u8, Failure> {
    let mac = args.opening.check()?;
    let key: KeyPath = args
        .key
        .parse()
        .map_err(|error| Failure::of_key_path(&error, KEY_PATH))?;
    let repository = repository_to_read(flags, Some(&args.file))?;
    let file = args
        .types
        .apply(SecretFile::at(&args.file, repository.as_ref()));
    if !file.path().exists() {
        return Err(Failure::no_file(file.path()));
    }
    let opened = file
        .open(&identities(flags)?, mac)
        .map_err(|error| Failure::of_file(&error))?;
    let value = answers::plain_text(&opened, &file, Some(&key), args.types.output_of(&file))?;
    drop(opened);
    Destination::Stdout.write_plaintext(&value)?;
    if io::stdout().is_terminal() && !value.expose().ends_with(b"\n") {
        println!();
    }
    Ok(exit::DONE)
}
