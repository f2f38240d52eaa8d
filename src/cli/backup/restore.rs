//! `backup restore`: files come back.

use std::path::PathBuf;

use clap::{ArgGroup, Args};

use super::progress::Screen;
use super::{of_backup, of_definition};
use crate::backup::{self, BackupName, Destination, RestoreReport, Wanted};
use crate::cli::HostFlags;
use crate::cli::answer::{print, print_json};
use crate::cli::flags::{Format, FormatFlags};
use crate::cli::render::{Lines, ago, size, took};
use crate::cli::style::{GOOD, paint};
use crate::host::{HostPath, clock};
use crate::report::{Problem, exit};

const ABOUT: &str = "\
Bring files back from a snapshot, with their owners, modes and times.

With --to, everything goes below a directory, with its whole path: nothing that is there is replaced. With --in-place, it \
goes where it was, and what is there is replaced; files that came after the snapshot stay.";

const AFTER: &str = "\
Examples:
  steadfast backup restore /home/ketan/notes.txt --to /tmp/restored
  steadfast backup restore 05bef22c /home/ketan/.ssh --in-place
  steadfast backup restore latest --to /mnt/new-disk      all of it

The first puts the file at /tmp/restored/home/ketan/notes.txt.";

/// Bring files back from a snapshot
#[derive(Debug, Args)]
#[command(
    long_about = ABOUT,
    after_long_help = AFTER,
    group = ArgGroup::new("where").required(true),
    override_usage = "steadfast backup restore [OPTIONS] <--to <DIR>|--in-place> [SNAPSHOT] [PATH]..."
)]
pub struct RestoreArgs {
    /// The snapshot, `latest` if it is left out; then files and directories as they were on the host [default: all]
    #[arg(value_name = "SNAPSHOT|PATH")]
    what: Vec<String>,
    /// Put everything below this directory
    #[arg(long, value_name = "DIR", group = "where")]
    to: Option<PathBuf>,
    /// Put everything where it was, over what is there
    #[arg(long, group = "where")]
    in_place: bool,
    /// Which backup [default: the only one]
    #[arg(long, value_name = "NAME")]
    name: Option<BackupName>,
    #[command(flatten)]
    format: FormatFlags,
}

/// Brings files back.
pub(super) fn run(args: &RestoreArgs, flags: &HostFlags) -> Result<u8, Problem> {
    let host = flags.look_at_host()?;
    let wanted = wanted(&args.what)?;
    let destination = match &args.to {
        Some(directory) => Destination::Below(directory.clone()),
        None if wanted.paths.is_empty() => {
            return Err(
                Problem::new("--in-place would put back everything that was backed up")
                    .with_fix("name what is to come back, or bring all of it back with --to DIR"),
            );
        }
        None => Destination::InPlace,
    };
    let one =
        backup::definition(&host, args.name.as_ref()).map_err(|error| of_definition(&error))?;
    let screen = Screen::begin();
    let restored = backup::restore(&host, &one, &wanted, &destination, &|event| {
        screen.tell(event);
    });
    screen.end();
    let report = restored.map_err(|error| of_backup(&error))?;
    match args.format.format() {
        Format::Json => print_json(&report)?,
        Format::Text => print(&text(&report, clock::now_secs()))?,
    }
    Ok(exit::DONE)
}

/// What begins with `/` is a path; a word before is the snapshot.
fn wanted(what: &[String]) -> Result<Wanted, Problem> {
    let (snapshot, paths) = match what.split_first() {
        Some((first, rest)) if !first.starts_with('/') => (first.as_str(), rest),
        _ => ("latest", what),
    };
    let paths = paths
        .iter()
        .map(|path| {
            let path = match path.trim_end_matches('/') {
                "" => path,
                trimmed => trimmed,
            };
            HostPath::new(path).map_err(|error| {
                Problem::of(&error).with_fix("give the whole path, as it was on the host")
            })
        })
        .collect::<Result<_, _>>()?;
    Ok(Wanted {
        snapshot: snapshot.to_owned(),
        paths,
    })
}

fn text(report: &RestoreReport, now_secs: i64) -> String {
    let mut lines = Lines::default();
    let what = if report.paths.is_empty() {
        "everything".to_owned()
    } else {
        report.paths.join("\n")
    };
    lines.field("restored", paint(GOOD, what));
    lines.field(
        "from",
        format!(
            "{} of {}, made {}",
            report.snapshot.short(),
            report.snapshot.host,
            ago(report.snapshot.at_secs, now_secs)
        ),
    );
    let size = report
        .bytes
        .map_or(String::new(), |bytes| format!("{} ", size(bytes)));
    lines.field(
        "to",
        format!("{}, {size}in {}", report.to.display(), took(report.took_ms)),
    );
    lines.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_is_the_snapshot_unless_it_is_a_path() {
        let of = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(ToString::to_string).collect();
            let wanted = wanted(&words).unwrap();
            let paths = wanted.paths.iter().map(ToString::to_string).collect();
            (wanted.snapshot, paths)
        };
        let expected = |snapshot: &str, paths: &[&str]| -> (String, Vec<String>) {
            let paths = paths.iter().map(ToString::to_string).collect();
            (snapshot.to_owned(), paths)
        };
        assert_eq!(of(&[]), expected("latest", &[]));
        assert_eq!(
            of(&["/etc/", "/home/a"]),
            expected("latest", &["/etc", "/home/a"])
        );
        assert_eq!(of(&["05bef22c", "/etc"]), expected("05bef22c", &["/etc"]));
        assert!(super::wanted(&["latest".to_owned(), "etc".to_owned()]).is_err());
    }
}
