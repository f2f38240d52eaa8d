//! `backup run`: a snapshot now.

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use super::progress::Screen;
use super::{of_backup, of_definition};
use crate::backup::{self, BackupName, Definition, Missing, Patience, RunReport};
use crate::cli::HostFlags;
use crate::cli::answer::{print, print_json, say};
use crate::cli::flags::{Format, FormatFlags};
use crate::cli::problem::print_problem;
use crate::cli::render::{Lines, size, took};
use crate::cli::style::{BAD, GOOD, WARN, paint};
use crate::host::Host;
use crate::report::{Problem, exit};

const ABOUT: &str = "\
Make a snapshot now, and remove old ones as `keep` says. This is what the timer runs.

The first run makes the repository: only where its directory's parent is there and, for an NFS share, mounted; never \
where one was before. Two runs of one repository are never at the same time. Interrupted, by Ctrl-C too, nothing is lost: \
the next run goes on from what was written.

Exit code 0 if the snapshot has everything, 1 if something failed or could not be read.";

const AFTER: &str = "\
Examples:
  steadfast backup run                   every backup of this host, one after the other
  steadfast backup run home --json
  steadfast backup run --wait            wait for a run that is under way, then run";

const SHOWN: usize = 8;

/// Make a snapshot now, and remove old ones
#[derive(Debug, Args)]
#[command(long_about = ABOUT, after_long_help = AFTER)]
pub struct RunArgs {
    /// Which backups [default: all]
    #[arg(value_name = "NAME")]
    names: Vec<BackupName>,
    /// Wait while another process works with the repository, instead of failing
    #[arg(long)]
    wait: bool,
    /// Make a new repository even where one was before and is gone
    #[arg(long)]
    new_repository: bool,
    #[command(flatten)]
    format: FormatFlags,
}

/// What `backup run --json` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RunAnswer {
    /// Format version, 1.
    pub version: u32,
    /// Each backup, in the order it was run.
    pub backups: Vec<RunEntry>,
}

/// How the run of one backup ended.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RunEntry {
    /// The backup.
    pub name: BackupName,
    /// What was made; `null` if it failed.
    pub report: Option<RunReport>,
    /// Why it failed; `null` if it did not.
    pub problem: Option<Problem>,
}

/// Runs backups.
pub(super) fn run(args: &RunArgs, flags: &HostFlags) -> Result<u8, Problem> {
    let host = flags.look_at_host()?;
    let chosen = backup::definitions(&host, &args.names).map_err(|error| of_definition(&error))?;
    let backups: Vec<RunEntry> = chosen.iter().map(|one| entry(args, &host, one)).collect();
    let all_well = backups.iter().all(|entry| {
        let report = entry.report.as_ref();
        report.is_some_and(RunReport::is_complete)
    });
    match args.format.format() {
        Format::Json => print_json(&RunAnswer {
            version: 1,
            backups,
        })?,
        Format::Text => {
            for entry in &backups {
                match (&entry.report, &entry.problem) {
                    (Some(report), _) => print(&text(report))?,
                    (None, Some(problem)) => print_problem(problem),
                    (None, None) => {}
                }
            }
        }
    }
    Ok(if all_well { exit::DONE } else { exit::FAILED })
}

fn entry(args: &RunArgs, host: &Host, one: &Definition) -> RunEntry {
    let patience = if args.wait {
        Patience::Wait
    } else {
        Patience::None
    };
    let missing = if args.new_repository {
        Missing::MakeAnew
    } else {
        Missing::MakeFirst
    };
    if args.format.format() == Format::Text {
        say(format!("{}: {}", one.name, one.shown_repository()));
    }
    let screen = Screen::begin();
    let made = backup::run(host, one, patience, missing, &|event| screen.tell(event));
    screen.end();
    let (report, problem) = match made {
        Ok(report) => (Some(report), None),
        Err(error) => (None, Some(of_backup(&error))),
    };
    RunEntry {
        name: one.name.clone(),
        report,
        problem,
    }
}

fn text(report: &RunReport) -> String {
    let mut lines = Lines::default();
    let made = if report.is_complete() {
        paint(GOOD, "snapshot")
    } else {
        paint(WARN, "incomplete snapshot")
    };
    let id = backup::short(&report.snapshot);
    lines.field(
        report.name.as_str(),
        format!("{made} {id} in {}", took(report.took_ms)),
    );
    lines.field(
        "files",
        format!(
            "{} new, {} changed, {} as before",
            report.files_new, report.files_changed, report.files_unmodified
        ),
    );
    let whole = report.repository_bytes.map_or(String::new(), |bytes| {
        format!("; the repository has {}", size(bytes))
    });
    lines.field(
        "size",
        format!(
            "{} looked at, {} added{whole}",
            size(report.processed_bytes),
            size(report.added_bytes)
        ),
    );
    if let Some(kept) = report.snapshots {
        lines.field(
            "snapshots",
            format!("{kept} kept, {} removed", report.removed),
        );
    }
    for path in &report.absent {
        lines.field("absent", paint(BAD, path));
    }
    for unread in report.unread.iter().take(SHOWN) {
        lines.field("not read", format!("{}: {}", unread.path, unread.reason));
    }
    let more = report.unread_count.saturating_sub(SHOWN as u64);
    if more > 0 {
        lines.field("", format!("and {more} more"));
    }
    lines.finish()
}
