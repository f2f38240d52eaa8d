//! `reconcile pause` and `reconcile resume`: nothing of this host is changed for a while.

use std::time::Duration;

use clap::Args;

use super::HostFlags;
use super::answer::{print, print_json, say};
use super::flags::{Format, FormatFlags};
use super::hold::{ReasonArg, begin, end, term};
use crate::host::clock;
use crate::report::{Problem, exit};

/// What `--help` of `pause` says first.
pub(super) const PAUSE_ABOUT: &str = "\
Leave this host as it is for a while. The agent and `reconcile now` go on to fetch, to check and to say what they would \
do, but change and repair nothing. An activation under way is finished; one that was cut off is still taken back.

The pause ends by itself. It outlives a restart of the agent and of the machine, and a second one replaces the first. \
`status` and `drift` show it.";

/// What `--help` of `resume` says first.
pub(super) const RESUME_ABOUT: &str = "\
End a pause before its time. Nothing is changed at once: the agent's next look at the host does that, or \
`steadfast reconcile now`. Holds of single paths stay; `steadfast drift release` ends them.";

const PAUSE_AFTER: &str = "\
Examples:
  steadfast reconcile pause
  steadfast reconcile pause --for 30m --reason \"replacing the disk\"
  steadfast reconcile now --despite-pause     this once
  steadfast reconcile resume

While a host is paused, `reconcile now` ends with code 7 where there is something to do.";

/// Arguments of `reconcile pause`.
#[derive(Debug, Args)]
#[command(after_long_help = PAUSE_AFTER)]
pub struct PauseArgs {
    /// How long, such as 30m, 2h or 1d; at most 30d
    #[arg(long = "for", value_name = "TIME", value_parser = term, default_value = "2h")]
    term: Duration,
    #[command(flatten)]
    reason: ReasonArg,
    #[command(flatten)]
    format: FormatFlags,
}

/// Arguments of `reconcile resume`.
#[derive(Debug, Args)]
pub struct ResumeArgs {
    #[command(flatten)]
    format: FormatFlags,
}

/// Pauses the host.
pub(super) fn pause(args: &PauseArgs, flags: &HostFlags) -> Result<u8, Problem> {
    let pause = args.reason.hold(None, args.term);
    let until = clock::rfc3339(pause.until_secs);
    let answer = format!("paused until {until}; `steadfast reconcile resume` ends it");
    begin(flags, &pause, args.format.format(), &answer)
}

/// Ends the pause.
pub(super) fn resume(args: &ResumeArgs, flags: &HostFlags) -> Result<u8, Problem> {
    let ended = end(flags, None)?;
    if args.format.format() == Format::Json {
        print_json(&ended)?;
        return Ok(exit::DONE);
    }
    match ended {
        Some(_) => print("the pause is over; `steadfast reconcile now` does what waits\n")?,
        None => say("this host was not paused"),
    }
    Ok(exit::DONE)
}
