//! `drift`: what differs from the active generation.

use clap::Args;

use super::answer::{print, print_json};
use super::flags::{Format, FormatFlags};
use super::progress::Screen;
use super::{HostFlags, render, site};
use crate::report::{Problem, exit};

/// What `--help` says first.
pub(super) const ABOUT: &str = "\
Show what on this host differs from its active generation: contents as unified diffs, owners and modes, units, \
accounts, packages, kernel parameters, secrets. The values of secrets are never shown.

Nothing is changed; `steadfast reconcile now` puts drift right. A newer commit that was not activated yet is not drift: \
that is what `steadfast plan` shows.

Exit code 0 if nothing differs, 3 if something does.";

const AFTER: &str = "\
Examples:
  steadfast drift
  steadfast drift --json | jq -r '.items[].subject'
  steadfast drift > /dev/null || echo \"somebody was here\"";

/// Arguments of `drift`.
#[derive(Debug, Args)]
#[command(after_long_help = AFTER)]
pub struct DriftArgs {
    #[command(flatten)]
    format: FormatFlags,
}

/// Scans this host and prints what differs.
pub(super) fn run(args: &DriftArgs, flags: &HostFlags) -> Result<u8, Problem> {
    let reconciler = flags.open_as_it_is()?;
    let screen = Screen::begin();
    let report = site::wait(reconciler.drift(&|event| screen.tell(event)));
    screen.end();
    let report = report??;
    match args.format.format() {
        Format::Json => print_json(&report)?,
        Format::Text => print(&render::drift(&report))?,
    }
    Ok(if report.items.is_empty() {
        exit::DONE
    } else {
        exit::DRIFT
    })
}
