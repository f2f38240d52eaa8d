//! `backup snapshots`: what is in the repository.

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use super::{of_backup, of_definition};
use crate::backup::{self, BackupName, Snapshot, Which};
use crate::cli::HostFlags;
use crate::cli::answer::{print, print_json};
use crate::cli::flags::{Format, FormatFlags};
use crate::cli::render::{ago, size};
use crate::cli::secrets::{columns, counted};
use crate::cli::style::{FAINT, paint};
use crate::host::clock;
use crate::report::{Problem, exit};

const ABOUT: &str = "\
List the snapshots of a backup, the oldest first. The repository is asked, so it must be in reach.";

const AFTER: &str = "\
Examples:
  steadfast backup snapshots
  steadfast backup snapshots --all       those of other hosts in the same repository too
  steadfast backup snapshots --json | jq -r '.snapshots[-1].id'";

/// List the snapshots of a backup
#[derive(Debug, Args)]
#[command(long_about = ABOUT, after_long_help = AFTER)]
pub struct SnapshotsArgs {
    /// Which backup [default: the only one]
    name: Option<BackupName>,
    /// Those of other backups and hosts in the same repository too
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    format: FormatFlags,
}

/// What `backup snapshots --json` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SnapshotList {
    /// Format version, 1.
    pub version: u32,
    /// The backup.
    pub name: BackupName,
    /// The repository's address; `the repository of FILE` where it is a secret.
    pub repository: String,
    /// The snapshots, the oldest first.
    pub snapshots: Vec<Snapshot>,
}

/// Lists snapshots.
pub(super) fn run(args: &SnapshotsArgs, flags: &HostFlags) -> Result<u8, Problem> {
    let host = flags.look_at_host()?;
    let one =
        backup::definition(&host, args.name.as_ref()).map_err(|error| of_definition(&error))?;
    let which = if args.all { Which::All } else { Which::Own };
    let snapshots = backup::snapshots(&host, &one, which).map_err(|error| of_backup(&error))?;
    match args.format.format() {
        Format::Json => print_json(&SnapshotList {
            version: 1,
            repository: one.shown_repository(),
            name: one.name,
            snapshots,
        })?,
        Format::Text => print(&text(&snapshots, clock::now_secs()))?,
    }
    Ok(exit::DONE)
}

fn text(snapshots: &[Snapshot], now_secs: i64) -> String {
    if snapshots.is_empty() {
        return "no snapshots yet\n".to_owned();
    }
    let rows: Vec<[String; 6]> = snapshots
        .iter()
        .map(|snapshot| {
            [
                snapshot.short().to_owned(),
                format!(
                    "{} {}",
                    clock::rfc3339(snapshot.at_secs),
                    paint(FAINT, format!("({})", ago(snapshot.at_secs, now_secs)))
                ),
                snapshot.host.clone(),
                snapshot.tags.join(", "),
                snapshot.bytes.map_or_else(|| "?".to_owned(), size),
                snapshot.paths.join(", "),
            ]
        })
        .collect();
    let headings = ["snapshot", "made", "host", "backup", "size", "paths"];
    format!(
        "{}\n{}\n",
        columns(headings, &rows),
        counted(snapshots.len(), "snapshot")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snapshots_are_a_table_with_their_age() {
        let snapshot = Snapshot {
            id: "05bef22c0fe1b98d".to_owned(),
            at_secs: 1_772_366_400,
            host: "chicago".to_owned(),
            tags: vec!["home".to_owned()],
            paths: vec!["/home".to_owned(), "/etc".to_owned()],
            bytes: None,
        };
        let text = text(&[snapshot], 1_772_370_000);
        let expected = [
            "snapshot  made                               host     backup  size  paths",
            "05bef22c  2026-03-01T12:00:00Z (1 hour ago)  chicago  home    ?     /home, /etc",
            "",
            "1 snapshot",
        ];
        let plain = anstream::adapter::strip_str(&text).to_string();
        assert_eq!(plain.lines().collect::<Vec<_>>(), expected);
    }
}
