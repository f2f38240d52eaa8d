//! `reconcile now`: one pass, by the agent where one runs, else here.

use clap::Args;

use super::HostFlags;
use super::flags::{Format, FormatFlags};
use crate::generation::GenerationNumber;
use crate::report::Problem;

/// What `--help` says first.
pub(super) const ABOUT: &str = "\
Run one pass now: fetch the newest revision, check whether to trust it, build this host's generation, open its secrets, \
plan, activate, and ask health. If a step, a unit or a required check fails, the host goes back to the generation before.

Drift is put right, also where its policy is only to report it: somebody asked. Where an agent runs, it does the work, \
and this command shows how it goes.";

const AFTER: &str = "\
Examples:
  steadfast reconcile now
  steadfast reconcile now --dry-run     what it would do
  steadfast reconcile now --retry       a revision that was rolled back, once more
  steadfast reconcile now --json | jq -r .outcome
  reconcile now --root /tmp/demo --repo ~/fleet --host chicago

The last one tries a host file out without touching this machine.

Exit codes: 0 done or nothing to do, 1 failed before anything was changed,
4 rolled back or held back, 5 refused by trust, 6 stuck.";

/// Arguments of `reconcile now`.
#[derive(Debug, Args)]
#[command(after_long_help = AFTER)]
pub struct NowArgs {
    /// Only show what would be done; nothing is changed
    #[arg(long)]
    dry_run: bool,
    /// Try a revision again that was rolled back before
    #[arg(long, conflicts_with = "dry_run")]
    retry: bool,
    /// Do the work in this process, even if an agent runs
    #[arg(long)]
    no_agent: bool,
    #[command(flatten)]
    format: FormatFlags,
}

/// Runs one pass and prints how it ended.
pub(super) fn now(args: &NowArgs, flags: &HostFlags) -> Result<u8, Problem> {
    if args.dry_run {
        return dry_run(flags, args.format.format());
    }
    let _ = (args.retry, args.no_agent);
    Err(unwired())
}

/// Prints what a pass would do.
pub(super) fn dry_run(_flags: &HostFlags, _format: Format) -> Result<u8, Problem> {
    Err(unwired())
}

/// Activates an older generation again and prints how it ended.
pub(super) fn rollback(
    _flags: &HostFlags,
    _to: Option<GenerationNumber>,
    _format: Format,
) -> Result<u8, Problem> {
    Err(unwired())
}

fn unwired() -> Problem {
    Problem::new("this build has no agent")
}
