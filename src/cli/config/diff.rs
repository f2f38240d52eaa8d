//! `config diff`: what a change would do to hosts.

use clap::Args;

use crate::cli::HostFlags;
use crate::cli::compare::{CompareFlags, Range, Side, all_hosts, one_host};
use crate::config::HostName;
use crate::report::Problem;

/// What `--help` says first.
pub(super) const ABOUT: &str = "\
Show what a change would do to a host: what differs in what it is to be, which units restart or reload and why, and the \
lines of files that change. Secrets are named, never shown.

Without a range, the files as they lie in the folder are compared with HEAD. `plan --host` and `plan --all-hosts` show \
the same of commits.";

const AFTER: &str = "\
Examples:
  steadfast config diff chicago                    what is not committed yet
  steadfast config diff chicago main..             what this branch changes
  steadfast config diff chicago HEAD~3..HEAD
  steadfast config diff --all-hosts                a table of every host
  steadfast config diff --all-hosts main... --markdown
  steadfast config diff chicago --exit-code        ends with 1 if something differs

A..B compares two revisions, A...B the second with what both build on, A alone the files in the folder with A; a name that
is left out is HEAD.";

/// Arguments of `config diff`.
#[derive(Debug, Args)]
#[command(after_long_help = AFTER)]
pub(super) struct DiffArgs {
    /// The host, by its folder in `hosts/`; left out with --all-hosts
    #[arg(value_name = "HOST|RANGE", required_unless_present = "all_hosts")]
    first: Option<String>,
    /// `A..B`, `A...B`, or `A` for the files in the folder [default: HEAD]
    #[arg(value_name = "RANGE")]
    second: Option<String>,
    #[command(flatten)]
    flags: CompareFlags,
}

/// Runs `config diff`.
pub(super) fn run(args: &DiffArgs, place: &HostFlags) -> Result<u8, Problem> {
    let not_committed = || Range {
        from: Side::Revision("HEAD".to_owned()),
        to: Side::Folder,
    };
    let range = |text: Option<&String>| text.map_or_else(not_committed, |text| Range::parse(text));
    match (&args.first, &args.second) {
        (first, None) if args.flags.all_hosts => {
            all_hosts(&range(first.as_ref()), &args.flags, place)
        }
        (Some(host), second) if !args.flags.all_hosts => {
            let host = HostName::new(host.as_str()).map_err(|invalid| {
                Problem::of(&invalid).with_fix("name a host first, or give --all-hosts")
            })?;
            one_host(&host, &range(second.as_ref()), &args.flags, place)
        }
        _ => {
            Err(Problem::new("a host is named beside --all-hosts")
                .with_fix("leave one of the two out"))
        }
    }
}
