//! `plan`: what would change, on this host or on hosts of the repository.

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

use super::HostFlags;
use super::compare::{CompareFlags, Range, Side, all_hosts, one_host};
use super::problem::print_problem;
use super::repository::{Place, own_files};
use super::secrets::{counted, some_of};
use crate::activation::Notice;
use crate::agent::SETTINGS_PATH;
use crate::config::{HostName, hosts};
use crate::generation::GenerationNumber;
use crate::report::{Change, Problem, TextChange, exit};
use crate::source::Revision;

/// What `--help` says first.
pub(super) const ABOUT: &str = "\
Show what would change, without changing anything.

On a host: fetch the newest revision, build it, and compare it with what is there: the same as `steadfast reconcile now \
--dry-run`.

With --host or --all-hosts, in a clone of the config repository: build what hosts would be, from committed files, and show \
how that differs from what it was at `--from`: resources, units that restart and why, lines of files. That needs no \
key and no privilege, so it works on a laptop and in CI. `steadfast config diff` does it for files before the commit.";

const AFTER: &str = "\
Examples:
  steadfast plan                                  on a host: what the next pass would do
  steadfast plan --host chicago                   in a clone: everything chicago is at HEAD
  steadfast plan --host chicago --from main       what this branch changes for chicago
  steadfast plan --host chicago --from HEAD~3 --rev HEAD --json
  steadfast plan --all-hosts --from main          a table of every host
  steadfast plan --all-hosts --from origin/main --markdown > comment.md";

/// Arguments of `plan`.
#[derive(Debug, Args)]
#[command(after_long_help = AFTER)]
pub struct PlanArgs {
    /// With --host or --all-hosts: the revision to build, a branch, tag or commit [default: HEAD]
    #[arg(long, value_name = "REV")]
    rev: Option<String>,
    /// With --host or --all-hosts: the revision to compare with [default: nothing, so that everything is shown]
    #[arg(long, value_name = "REV")]
    from: Option<String>,
    #[command(flatten)]
    flags: CompareFlags,
}

/// `plan --json` on a host: what the next pass would do.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct PlanAnswer {
    /// Format version, 1.
    pub version: u32,
    /// The host.
    pub host: HostName,
    /// The revision that would be activated.
    pub revision: Revision,
    /// The generation in force.
    pub generation: Option<GenerationNumber>,
    /// What would be changed, in order.
    pub changes: Vec<Change>,
    /// What would change inside of files that are there.
    pub texts: Vec<TextChange>,
    /// What would be left alone, and why.
    pub notices: Vec<Notice>,
}

/// Runs `plan`.
pub(super) fn run(args: &PlanArgs, place: &HostFlags) -> Result<u8, Problem> {
    let head = || "HEAD".to_owned();
    let range = Range {
        from: args.from.clone().map_or(Side::Nothing, Side::Revision),
        to: Side::Revision(args.rev.clone().unwrap_or_else(head)),
    };
    if args.flags.all_hosts {
        return all_hosts(&range, &args.flags, place);
    }
    // With a --root there is a host to compare with, whatever it is called.
    match (&place.host, &place.root) {
        (Some(host), None) => one_host(host, &range, &args.flags, place),
        _ if args.rev.is_some() || args.from.is_some() || args.flags.is_about_a_clone() => {
            let problem = Problem::new(
                "--rev, --from, --markdown and --exit-code are about hosts of a clone",
            );
            print_problem(&problem.with_fix("add --host NAME or --all-hosts"));
            Ok(exit::USAGE)
        }
        _ => match in_a_clone(place) {
            Some(problem) => Err(problem),
            None => super::reconcile::dry_run(place, args.flags.format.format()),
        },
    }
}

/// What to say where somebody stands in a clone, on a machine that is no host.
fn in_a_clone(place: &HostFlags) -> Option<Problem> {
    let settings = std::path::Path::new(SETTINGS_PATH);
    let says_where = place.root.is_some() || place.repo.is_some() || place.settings.is_some();
    if says_where || settings.exists() {
        return None;
    }
    let hosts = hosts(&own_files(&Place::new(None, None, place)).ok()?);
    let names: Vec<String> = hosts.iter().map(ToString::to_string).collect();
    let first = names.first()?;
    let there = format!(
        "this is a clone of a repository with {}: {}",
        counted(names.len(), "host"),
        some_of(&names, "host")
    );
    let mut problem = Problem::new("it is not said what is to be planned").with_fix(format!(
        "`steadfast plan --host {first}` shows what that host is, with `--from REV` what changes for it, `--all-hosts` a table"
    ));
    problem.causes = vec![
        format!("this machine is no host, for it has no {SETTINGS_PATH}"),
        there,
    ];
    Some(problem)
}
