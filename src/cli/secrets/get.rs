//! `secrets get`: one value.

use std::io::{self, IsTerminal as _};
use std::path::PathBuf;

use clap::Args;

use super::output::print_plaintext;
use super::{identities, names_around, of_file};
use crate::cli::HostFlags;
use crate::report::{Problem, exit};
use crate::secrets::{self, KeyPath};

/// Print one value
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct GetArgs {
    /// The secret file
    pub file: PathBuf,
    /// The key path, such as `db/password`
    pub key: KeyPath,
}

const EXAMPLES: &str = "\
Examples:
  steadfast secrets get secrets/default.yml db/password
  steadfast secrets get secrets/default.yml '[\"db\"][\"pass/word\"]'";

/// Runs `get`.
pub(super) fn run(args: &GetArgs, flags: &HostFlags) -> Result<u8, Problem> {
    let names = names_around(&args.file);
    let value = secrets::get(&args.file, &args.key, &identities(flags)?, &names)
        .map_err(|error| of_file(&error))?;
    print_plaintext(&value)?;
    if io::stdout().is_terminal() && !value.expose().ends_with(b"\n") {
        println!();
    }
    Ok(exit::DONE)
}
