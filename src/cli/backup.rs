//! `backup …`: backups of this host with restic.

mod check;
mod progress;
mod restore;
mod run;
mod snapshots;
mod status;

pub use run::{RunAnswer, RunEntry};
pub use snapshots::SnapshotList;
pub use status::BackupList;

use clap::{Args, Subcommand};

use super::HostFlags;
use crate::backup::{BackupError, DefinitionError};
use crate::report::Problem;

const AFTER: &str = "\
What is backed up, where to and how long it is kept is said in the config repository, by the module `restic-backup`; on the \
host it is in /etc/steadfast/backups, one file for each backup. The timer restic-backups-NAME.timer runs it.

Everything is read and written by restic, in its own format: `restic` alone can bring all of it back.";

/// Arguments of `backup`.
#[derive(Debug, Args)]
#[command(after_long_help = AFTER)]
pub struct BackupArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: BackupCommand,
}

/// Verbs below `backup`. No documentation here: it would be shown instead of that of the verb's arguments.
#[derive(Debug, Subcommand)]
pub enum BackupCommand {
    Status(status::StatusArgs),
    Run(run::RunArgs),
    Snapshots(snapshots::SnapshotsArgs),
    Restore(restore::RestoreArgs),
    Check(check::CheckArgs),
}

/// Runs one `backup` verb.
pub(super) fn run(args: &BackupArgs, flags: &HostFlags) -> Result<u8, Problem> {
    match &args.command {
        BackupCommand::Status(args) => status::run(args, flags),
        BackupCommand::Run(args) => run::run(args, flags),
        BackupCommand::Snapshots(args) => snapshots::run(args, flags),
        BackupCommand::Restore(args) => restore::run(args, flags),
        BackupCommand::Check(args) => check::run(args, flags),
    }
}

fn of_backup(error: &BackupError) -> Problem {
    Problem::of(error).with_hint(error.fix())
}

fn of_definition(error: &DefinitionError) -> Problem {
    Problem::of(error).with_hint(error.fix())
}
