//! `config …`: what the repository says, resolved.

mod diff;
mod docs;
mod schema;
mod show;

use clap::{Args, Subcommand};

pub(in crate::cli) use docs::DocsAnswer;
pub use show::{ConfigAnswer, ModuleAnswer, OptionAnswer, WantedAnswer};

use super::HostFlags;
use crate::report::Problem;

/// Arguments of `config`.
#[derive(Debug, Args)]
pub struct ConfigArgs {
    #[command(subcommand)]
    command: ConfigCommand,
}

/// Verbs below `config`.
#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Show everything that is said about a host, merged, with the place of every value
    #[command(long_about = show::ABOUT)]
    Show(show::ShowArgs),
    /// Show what a change would do to a host, or to all of them
    #[command(long_about = diff::ABOUT)]
    Diff(diff::DiffArgs),
    /// Describe the modules of the repository, with every option
    #[command(long_about = docs::ABOUT)]
    Docs(docs::DocsArgs),
    /// Print the JSON Schema of a kind of file, for editors
    #[command(long_about = schema::ABOUT)]
    Schema(schema::SchemaArgs),
}

/// Runs one `config` verb.
pub(super) fn run(args: &ConfigArgs, flags: &HostFlags) -> Result<u8, Problem> {
    match &args.command {
        ConfigCommand::Show(args) => show::run(args, flags),
        ConfigCommand::Diff(args) => diff::run(args, flags),
        ConfigCommand::Docs(args) => docs::run(args, flags),
        ConfigCommand::Schema(args) => schema::run(args),
    }
}
