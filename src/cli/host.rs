//! `host …`: the hosts of a config repository.

mod add;

use clap::{Args, Subcommand};

pub(super) use add::AddAnswer;

use super::HostFlags;
use crate::report::Problem;

/// Arguments of `host`.
#[derive(Debug, Args)]
pub struct HostArgs {
    #[command(subcommand)]
    command: HostCommand,
}

/// Verbs below `host`.
#[derive(Debug, Subcommand)]
enum HostCommand {
    /// Add a host: its file, its key, the secrets that it uses
    #[command(long_about = add::ABOUT)]
    Add(add::AddArgs),
}

/// Runs one `host` verb.
pub(super) fn run(args: &HostArgs, flags: &HostFlags) -> Result<u8, Problem> {
    match &args.command {
        HostCommand::Add(args) => add::run(args, flags),
    }
}
