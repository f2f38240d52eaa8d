//! `secrets …`.

use clap::{Args, Subcommand};

use super::HostFlags;
use crate::report::Problem;

/// Arguments of `secrets`.
#[derive(Debug, Args)]
pub struct SecretsArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: SecretsCommand,
}

/// Verbs below `secrets`.
#[derive(Debug, Subcommand)]
pub enum SecretsCommand {
    /// List the secret files.
    List,
}

/// Runs one `secrets` verb; the answer goes to stdout, the exit code is returned.
pub(super) fn run(args: &SecretsArgs, flags: &HostFlags) -> Result<u8, Problem> {
    let _ = flags;
    match args.command {
        SecretsCommand::List => Ok(crate::report::exit::DONE),
    }
}
