//! `backup check`: whether a repository is whole.

use clap::Args;

use super::progress::Screen;
use super::{of_backup, of_definition};
use crate::backup::{self, BackupName, CheckReport, Patience};
use crate::cli::HostFlags;
use crate::cli::answer::{print, print_json};
use crate::cli::flags::{Format, FormatFlags};
use crate::cli::render::{Lines, took};
use crate::cli::style::{BAD, GOOD, paint};
use crate::report::{Problem, exit};

const ABOUT: &str = "\
Verify the repository of a backup: that every snapshot is whole. With --read-data-subset, a part of the data is read and \
compared with its checksums too, which finds a disk that rots.

Exit code 0 if nothing is wrong, 3 if the repository is damaged, 1 if it could not be verified.";

const AFTER: &str = "\
Examples:
  steadfast backup check
  steadfast backup check --read-data-subset 5%       a twentieth, chosen by chance
  steadfast backup check --read-data-subset 3/12     the third of twelve parts
  steadfast backup check --read-data-subset 100%     all of it";

/// Verify that a repository is whole
#[derive(Debug, Args)]
#[command(long_about = ABOUT, after_long_help = AFTER)]
pub struct CheckArgs {
    /// Which backup [default: the only one]
    name: Option<BackupName>,
    /// How much of the data is read: `5%`, `3/12` or `2G`
    #[arg(long, value_name = "PART")]
    read_data_subset: Option<String>,
    /// Wait while another process works with the repository, instead of failing
    #[arg(long)]
    wait: bool,
    #[command(flatten)]
    format: FormatFlags,
}

/// Verifies a repository.
pub(super) fn run(args: &CheckArgs, flags: &HostFlags) -> Result<u8, Problem> {
    let host = flags.look_at_host()?;
    let one =
        backup::definition(&host, args.name.as_ref()).map_err(|error| of_definition(&error))?;
    let patience = if args.wait {
        Patience::Wait
    } else {
        Patience::None
    };
    let part = args.read_data_subset.as_deref();
    let screen = Screen::begin();
    let checked = backup::check(&host, &one, part, patience, &|event| screen.tell(event));
    screen.end();
    let report = checked.map_err(|error| of_backup(&error))?;
    match args.format.format() {
        Format::Json => print_json(&report)?,
        Format::Text => print(&text(&report))?,
    }
    Ok(if report.sound {
        exit::DONE
    } else {
        exit::DRIFT
    })
}

fn text(report: &CheckReport) -> String {
    let mut lines = Lines::default();
    let found = if report.sound {
        paint(GOOD, "sound")
    } else {
        paint(BAD, "damaged")
    };
    let read = report.read.as_deref().unwrap_or("none");
    lines.field(
        report.name.as_str(),
        format!(
            "{found}, {read} of the data read, in {}",
            took(report.took_ms)
        ),
    );
    lines.field("repository", &report.repository);
    for problem in &report.problems {
        lines.field("problem", problem);
    }
    if !report.sound {
        lines.field(
            "fix",
            "make a copy of the repository first, then `restic repair index`, `restic repair snapshots --forget` and a new \
             run; https://restic.readthedocs.io/en/stable/077_troubleshooting.html",
        );
    }
    lines.finish()
}
