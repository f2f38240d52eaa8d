//! `backup status`: how the backups of this host stand.

use std::collections::BTreeSet;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use super::{of_backup, of_definition};
use crate::backup::{self, BackupName, BackupStatus, Definition, Schedule};
use crate::cli::answer::{print, print_json};
use crate::cli::flags::{Format, FormatFlags};
use crate::cli::problem::warn;
use crate::cli::render::{Lines, ago, size, took};
use crate::cli::secrets::counted;
use crate::cli::style::{BAD, FAINT, GOOD, WARN, paint};
use crate::cli::{HostFlags, site};
use crate::host::{ActiveState, Host, UnitError, UnitId, clock};
use crate::report::{Problem, exit};

const ABOUT: &str = "\
Show how the backups of this host stand: the last success and its age, the last failure, how big the repository was then, \
when it runs next, and whether it is overdue.

It only looks at what the runs left behind and at systemd: the repository is not asked, so it answers at once, and also \
when the repository is out of reach.

Exit code 0 if all is well, 3 if a backup is overdue, its last run failed, or its repository was found damaged.";

const AFTER: &str = "\
Examples:
  steadfast backup status
  steadfast backup status > /dev/null || echo \"look after the backups\"
  steadfast backup status --json | jq '.backups[] | {name, overdue}'";

/// Show how backups stand: last success, next run, overdue or not
#[derive(Debug, Args)]
#[command(long_about = ABOUT, after_long_help = AFTER)]
pub struct StatusArgs {
    /// Which backups [default: all]
    #[arg(value_name = "NAME")]
    names: Vec<BackupName>,
    #[command(flatten)]
    format: FormatFlags,
}

/// What `backup status --json` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub struct BackupList {
    /// Format version, 1.
    pub version: u32,
    /// Now, seconds since 1970-01-01T00:00:00Z.
    pub at_secs: i64,
    /// Each backup, by name.
    pub backups: Vec<BackupStatus>,
}

/// Prints how backups stand.
pub(super) fn run(args: &StatusArgs, flags: &HostFlags) -> Result<u8, Problem> {
    let host = flags.look_at_host()?;
    let chosen = backup::definitions(&host, &args.names).map_err(|error| of_definition(&error))?;
    let schedules = match site::wait(schedules(&host, &chosen))? {
        Ok(schedules) => schedules,
        // What the runs left behind can be told without systemd.
        Err(error) => {
            warn(&Problem::of(&error));
            vec![Schedule::default(); chosen.len()]
        }
    };
    let at_secs = clock::now_secs();
    let backups = chosen
        .iter()
        .zip(schedules)
        .map(|(one, schedule)| backup::look(&host, one, schedule, at_secs))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| of_backup(&error))?;
    let all_well = backups.iter().all(BackupStatus::is_well);
    match args.format.format() {
        Format::Json => print_json(&BackupList {
            version: 1,
            at_secs,
            backups,
        })?,
        Format::Text => {
            let texts: Vec<String> = backups.iter().map(|one| text(one, at_secs)).collect();
            print(&texts.join("\n"))?;
        }
    }
    Ok(if all_well { exit::DONE } else { exit::DRIFT })
}

async fn schedules(host: &Host, chosen: &[Definition]) -> Result<Vec<Schedule>, UnitError> {
    let units = host.units().await?;
    let services = chosen.iter().map(|one| UnitId::from(one.service.clone()));
    let services: BTreeSet<UnitId> = services.collect();
    let states = units.observe(&services).await?;
    let mut schedules = Vec::new();
    for one in chosen {
        let state = states
            .get(&one.service.clone().into())
            .and_then(|state| state.active);
        schedules.push(Schedule {
            running: state == Some(ActiveState::Activating) || state == Some(ActiveState::Active),
            next_secs: units.timer(&one.timer).await?.next_secs,
        });
    }
    Ok(schedules)
}

fn text(status: &BackupStatus, now_secs: i64) -> String {
    let mut lines = Lines::default();
    lines.field(status.name.as_str(), verdict(status, now_secs));
    lines.field("repository", repository(status));
    lines.field("paths", status.paths.join(", "));
    if let Some(success) = &status.success {
        let id = backup::short(&success.snapshot);
        lines.field(
            "snapshot",
            format!(
                "{id}: {} looked at, {} added, in {}",
                size(success.processed_bytes),
                size(success.added_bytes),
                took(success.took_ms)
            ),
        );
        if success.unread > 0 {
            let unread = format!("{} files could not be read", success.unread);
            lines.field("", paint(WARN, unread));
        }
    }
    if let Some(failure) = &status.failure {
        let when = paint(FAINT, format!("({})", ago(failure.at_secs, now_secs)));
        lines.field("failed", format!("{} {when}", paint(BAD, &failure.reason)));
    }
    if let Some(check) = &status.check {
        let found = if check.sound {
            paint(GOOD, "sound")
        } else {
            paint(BAD, "damaged")
        };
        let read = check.read.as_deref().unwrap_or("none");
        let when = paint(FAINT, format!("({})", ago(check.at_secs, now_secs)));
        lines.field("check", format!("{found}, {read} of the data read {when}"));
    }
    lines.field("next", next(status, now_secs));
    lines.finish()
}

fn verdict(status: &BackupStatus, now_secs: i64) -> String {
    let hours = status.overdue_after_secs / 3_600;
    match (&status.success, status.overdue) {
        (None, _) => paint(WARN, "no snapshot yet"),
        (Some(success), false) => paint(
            GOOD,
            format!("backed up {}", ago(success.at_secs, now_secs)),
        ),
        (Some(success), true) => paint(
            BAD,
            format!(
                "overdue: backed up {}, which is more than {hours} hours",
                ago(success.at_secs, now_secs)
            ),
        ),
    }
}

fn repository(status: &BackupStatus) -> String {
    let success = status.success.as_ref();
    let bytes = success.and_then(|success| success.repository_bytes);
    let snapshots = success.and_then(|success| success.snapshots);
    let facts: Vec<String> = bytes
        .map(size)
        .into_iter()
        .chain(
            snapshots
                .map(|count| counted(usize::try_from(count).unwrap_or(usize::MAX), "snapshot")),
        )
        .collect();
    if facts.is_empty() {
        return status.repository.clone();
    }
    let facts = paint(FAINT, format!("({})", facts.join(", ")));
    format!("{} {facts}", status.repository)
}

fn next(status: &BackupStatus, now_secs: i64) -> String {
    match (status.running, status.next_secs) {
        (true, _) => "runs now".to_owned(),
        (false, Some(next)) => ago(next, now_secs),
        (false, None) => paint(WARN, "not scheduled: the timer does not run"),
    }
}
