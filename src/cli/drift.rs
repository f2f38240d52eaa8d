//! `drift`: what differs from the active generation.

use clap::{Args, Subcommand};

use super::answer::{print, print_json};
use super::drift_adopt::AdoptArgs;
use super::drift_hold::{HoldArgs, ReleaseArgs};
use super::flags::Format;
use super::progress::Screen;
use super::render::Page;
use super::{HostFlags, drift_adopt, drift_hold, render, site};
use crate::agent::Reading;
use crate::report::{Problem, exit};

/// What `--help` says first.
pub(super) const ABOUT: &str = "\
Show what on this host differs from its active generation: contents as unified diffs, owners and modes, units, \
accounts, packages, kernel parameters, secrets. The values of secrets are never shown.

Nothing is changed; `steadfast reconcile now` puts drift right. A newer commit that was not activated yet is not drift: \
that is what `steadfast plan` shows.

As the agent does, it reads the files that changed since a scan read them last, as their inode, size and times tell; \
`--full` reads all of them.

Exit code 0 if nothing differs, 3 if something does.";

const AFTER: &str = "\
Examples:
  steadfast drift
  steadfast drift hold /etc/app.conf --for 2h --reason \"outage\"
  steadfast drift adopt /etc/app.conf
  steadfast drift --full
  steadfast drift --json | jq -r '.items[].subject'
  steadfast drift > /dev/null || echo \"somebody was here\"";

/// Arguments of `drift`.
#[derive(Debug, Args)]
#[command(after_long_help = AFTER)]
pub struct DriftArgs {
    #[command(subcommand)]
    command: Option<DriftCommand>,
    /// Read every file, also those that did not change since the agent read them
    #[arg(long)]
    full: bool,
    /// Print JSON instead of text; `steadfast schema` describes it
    #[arg(long, global = true)]
    json: bool,
}

/// Verbs below `drift`.
#[derive(Debug, Subcommand)]
enum DriftCommand {
    /// Print the change to the repository that would make drift the truth
    #[command(long_about = super::drift_adopt::ABOUT)]
    Adopt(AdoptArgs),
    /// Leave a path as somebody made it for a while
    #[command(long_about = super::drift_hold::HOLD_ABOUT)]
    Hold(HoldArgs),
    /// End a hold before its time
    #[command(long_about = super::drift_hold::RELEASE_ABOUT)]
    Release(ReleaseArgs),
}

/// Runs `drift` or a verb below it.
pub(super) fn run(args: &DriftArgs, flags: &HostFlags) -> Result<u8, Problem> {
    let format = if args.json {
        Format::Json
    } else {
        Format::Text
    };
    match &args.command {
        None => show(args, format, flags),
        Some(DriftCommand::Adopt(args)) => drift_adopt::adopt(args, format, flags),
        Some(DriftCommand::Hold(args)) => drift_hold::hold(args, format, flags),
        Some(DriftCommand::Release(args)) => drift_hold::release(args, format, flags),
    }
}

/// Scans this host and prints what differs.
fn show(args: &DriftArgs, format: Format, flags: &HostFlags) -> Result<u8, Problem> {
    let reconciler = flags.open_as_it_is()?;
    let reading = if args.full {
        Reading::Everything
    } else {
        Reading::Changed
    };
    let screen = Screen::begin();
    let report = site::wait(reconciler.drift(reading, &|event| screen.tell(event)));
    screen.end();
    let report = report??;
    match format {
        Format::Json => print_json(&report)?,
        Format::Text => print(&render::drift(&report, Page::of_stdout()))?,
    }
    Ok(if report.items.is_empty() {
        exit::DONE
    } else {
        exit::DRIFT
    })
}
