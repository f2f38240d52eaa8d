//! `inputs …`: the repositories whose modules this one uses.

mod cache;
mod list;
mod update;

use clap::{Args, Subcommand};

pub(super) use cache::{cached, complete};
pub use list::{InputAnswer, InputList};
pub use update::{InputUpdates, UpdateAnswer};

use super::HostFlags;
use crate::report::Problem;

/// What `--help` says first.
pub(super) const ABOUT: &str = "\
List and update inputs: other git repositories whose modules this one uses.

`inputs:` in fleet.yml declares them; fleet.lock pins each to a commit and says what its files come to. Hosts fetch \
exactly that commit, by its id, so nothing changes on a host until a new fleet.lock is committed.";

/// Arguments of `inputs`.
#[derive(Debug, Args)]
pub struct InputsArgs {
    #[command(subcommand)]
    command: InputsCommand,
}

/// Verbs below `inputs`.
#[derive(Debug, Subcommand)]
enum InputsCommand {
    /// Lock inputs to the newest commits of their branches
    #[command(long_about = update::ABOUT)]
    Update(update::UpdateArgs),
    /// List inputs, what they are locked to, and their modules
    #[command(long_about = list::ABOUT)]
    List(list::ListArgs),
}

/// Runs one `inputs` verb.
pub(super) fn run(args: &InputsArgs, flags: &HostFlags) -> Result<u8, Problem> {
    match &args.command {
        InputsCommand::Update(args) => update::run(args, flags),
        InputsCommand::List(args) => list::run(args, flags),
    }
}
