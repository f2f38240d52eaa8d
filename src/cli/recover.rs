//! `activate` and `recover`: what systemd runs for an activation, and when one was cut off.

use std::time::Duration;

use clap::Args;

use super::answer::print;
use super::problem::warn;
use super::{HostFlags, site};
use crate::activation::Recovered;
use crate::agent::{self, Rescue, Served};
use crate::host::{self, memory};
use crate::report::{Problem, exit};

/// Explains `activate`.
pub(super) const ACTIVATE_ABOUT: &str = "\
Carry out the activation that a pass decided on. The pass starts it as steadfast-activation.service, so that it goes on \
when the agent, or the terminal of whoever typed `reconcile now`, is gone. It is not for typing.";

/// Explains `recover`.
pub(super) const RECOVER_ABOUT: &str = "\
Finish an activation that was cut off: back to the generation before, or forward if all that was missing is the note that \
it succeeded. It takes neither the network nor the repository, and a second run does nothing.

The agent does it by itself when it starts, systemd after an activation that died, and steadfast-boot.service when the \
machine boots. By hand it is for a host whose agent does not start; then the copy of the program that activated well last \
is /var/lib/steadfast/rescue/steadfast.";

const AFTER: &str = "\
Examples:
  steadfast recover
  /var/lib/steadfast/rescue/steadfast recover

Exit codes: 0 nothing was open, or it is finished; 1 somebody else is at work, or the state cannot be read;
6 stuck: the way back failed, and a human must look.";

/// Arguments of `recover`.
#[derive(Debug, Args)]
#[command(after_long_help = AFTER)]
pub struct RecoverArgs {
    /// As systemd runs it after an activation: the lock is standard input, and one that ended well needs nothing
    #[arg(long)]
    after_activation: bool,
    /// As the boot unit runs it, before services start: only files are brought back, units follow with the agent
    #[arg(long, conflicts_with = "after_activation")]
    early_boot: bool,
    /// As the timer runs it: an activation that still runs is ended, and the lock awaited for so long
    #[arg(long, value_name = "TIME", value_parser = duration, conflicts_with_all = ["after_activation", "early_boot"])]
    end_hung: Option<Duration>,
}

impl RecoverArgs {
    /// Whether systemd runs it, and nobody reads what it prints.
    pub(super) fn is_for_systemd(&self) -> bool {
        self.after_activation || self.early_boot || self.end_hung.is_some()
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    host::duration(text).ok_or_else(|| format!("`{text}` is not a duration such as 30s or 5m"))
}

/// Serves the pass that started this process.
pub(super) fn activate(flags: &HostFlags) -> Result<u8, Problem> {
    let host = flags.open_host()?;
    if let Err(error) = memory::lock_memory() {
        warn(&Problem::of(&error));
    }
    Ok(match site::wait(agent::serve_activation(host))?? {
        Served::ToTheEnd => exit::DONE,
        // systemd then sees that it did not end well, and runs the rescue.
        Served::CutOff => exit::FAILED,
    })
}

/// Finishes what was cut off, and says what became of it.
pub(super) fn run(args: &RecoverArgs, flags: &HostFlags) -> Result<u8, Problem> {
    let ended_well = || std::env::var("SERVICE_RESULT").is_ok_and(|result| result == "success");
    if args.after_activation && ended_well() {
        return Ok(exit::DONE);
    }
    let rescue = match args.end_hung {
        Some(patience) => Rescue::EndHung { patience },
        None if args.after_activation => Rescue::AfterActivation,
        None if args.early_boot => Rescue::EarlyBoot,
        None => Rescue::Typed,
    };
    let reconciler = flags.open_as_it_is()?;
    let recovered = site::wait(reconciler.rescue(rescue))??;
    match cut_off(&recovered) {
        Some(what) => warn(&Problem::new(what)),
        // Its standard output may be anything when systemd runs it.
        None if rescue == Rescue::Typed => print("no activation is open\n")?,
        None => {}
    }
    Ok(match recovered {
        Recovered::Stuck { .. } => exit::STUCK,
        _ => exit::DONE,
    })
}

/// What became of an activation that was cut off; `None` if there was none.
pub(super) fn cut_off(recovered: &Recovered) -> Option<String> {
    Some(match recovered {
        Recovered::Nothing => return None,
        Recovered::Discarded { target } => {
            format!("generation {target} was about to be activated; it is tried again")
        }
        Recovered::Committed { target } => format!("generation {target} was activated just before"),
        Recovered::RolledBack { target, reason } => {
            format!("the activation of generation {target} was rolled back: {reason}")
        }
        Recovered::FilesBack { target } => format!(
            "the activation of generation {target} was cut off; files are back, units follow with the agent"
        ),
        Recovered::Stuck { target, reason } => {
            format!("the activation of generation {target} is stuck: {reason}")
        }
    })
}
