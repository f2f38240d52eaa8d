//! `secrets unset`: removes one value.

use std::path::PathBuf;

use clap::Args;

use super::{identities, locate, of_change, repository};
use crate::cli::HostFlags;
use crate::cli::answer::say;
use crate::report::{Problem, exit};
use crate::secrets::{self, KeyPath};

/// Remove one value
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct UnsetArgs {
    /// The secret file
    pub file: PathBuf,
    /// The key path, such as `db/password`
    pub key: KeyPath,
}

const EXAMPLES: &str = "\
Examples:
  steadfast secrets unset secrets/default.yml db/password";

/// Runs `unset`.
pub(super) fn run(args: &UnsetArgs, flags: &HostFlags) -> Result<u8, Problem> {
    let repository = repository(flags)?;
    let file = locate(&repository, &args.file)?;
    secrets::unset(&repository, &file, &args.key, &identities(flags)?)
        .map_err(|error| of_change(&error))?;
    say(format!("{} is removed from {file}", args.key));
    Ok(exit::DONE)
}
