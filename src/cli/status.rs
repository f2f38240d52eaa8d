//! `status`: this host at a glance.

use clap::Args;

use super::answer::{print, print_json};
use super::flags::{Format, FormatFlags};
use super::{HostFlags, render};
use crate::report::{Problem, exit};

/// What `--help` says first.
pub(super) const ABOUT: &str = "\
Show this host at a glance: whether the agent runs, the generation in force and where it came from, how the last pass \
ended, revisions that are held back and why, drift, and when the agent looks next.

It only looks: nothing is fetched, and the drift shown is that of the agent's last scan.";

const AFTER: &str = "\
Examples:
  steadfast status
  steadfast status --json | jq -r .generation.revision.commit";

/// Arguments of `status`.
#[derive(Debug, Args)]
#[command(after_long_help = AFTER)]
pub struct StatusArgs {
    #[command(flatten)]
    format: FormatFlags,
}

/// Prints the status.
pub(super) fn run(args: &StatusArgs, flags: &HostFlags) -> Result<u8, Problem> {
    let status = super::site::Site::open(flags)?.status()?;
    match args.format.format() {
        Format::Json => print_json(&status)?,
        Format::Text => print(&render::status(&status))?,
    }
    Ok(exit::DONE)
}
