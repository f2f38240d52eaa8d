//! `secrets view`: the whole file, decrypted.

use std::path::PathBuf;

use clap::Args;

use super::output::print_plaintext;
use super::{identities, names_around, of_file};
use crate::cli::HostFlags;
use crate::report::Problem;
use crate::secrets;

/// Print a secret file, decrypted
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct ViewArgs {
    /// The secret file
    pub file: PathBuf,
}

const EXAMPLES: &str = "\
Examples:
  steadfast secrets view secrets/default.yml";

/// Runs `view`.
pub(super) fn run(args: &ViewArgs, flags: &HostFlags) -> Result<u8, Problem> {
    let text = secrets::view(&args.file, &identities(flags)?, &names_around(&args.file))
        .map_err(|error| of_file(&error))?;
    print_plaintext(&text)
}
