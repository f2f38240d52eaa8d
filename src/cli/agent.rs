//! `agent` and `boot`: what systemd runs.

use std::sync::Arc;

use clap::Args;

use super::answer::print;
use super::problem::warn;
use super::recover::cut_off;
use super::{HostFlags, site};
use crate::activation::Recovered;
use crate::agent;
use crate::host::memory;
use crate::report::{Problem, exit};

/// What `--help` says first.
pub(super) const ABOUT: &str = "\
Run the agent: watch the config repository, keep this host as it says, look for drift, answer `reconcile now` and \
`status`. It runs until it is told to stop, and finishes the pass under way first.

systemd runs it as steadfast.service. It logs to the journal there; every change of the host's state has a fixed \
MESSAGE_ID (docs/events.md). At start it finishes what a power cut interrupted.";

const AFTER: &str = "\
Examples:
  steadfast agent
  steadfast agent --root /tmp/demo --repo ~/fleet --host chicago
  STEADFAST_LOG=debug steadfast agent     see what it decides, and why";

/// Explains `boot`.
pub(super) const BOOT_ABOUT: &str = "\
Finish what a power cut interrupted, and install the secrets of the current generation, before the network is up.

systemd runs it as steadfast-boot.service, early: the services that read /run/secrets wait for it. It needs neither the \
repository nor the network: the ciphertext is kept with the generation.";

/// Arguments of `agent`.
#[derive(Debug, Args)]
#[command(after_long_help = AFTER)]
pub struct AgentArgs {}

/// Runs the agent until it is told to stop.
pub(super) fn run(_args: &AgentArgs, flags: &HostFlags) -> Result<u8, Problem> {
    let reconciler = flags.open_reconciler()?;
    if reconciler.host().is_live()
        && let Err(error) = memory::lock_memory()
    {
        warn(&Problem::of(&error));
    }
    site::wait(agent::run(Arc::new(reconciler)))?.map_err(|error| Problem::of(&error))?;
    Ok(exit::DONE)
}

/// Runs what must happen at boot.
pub(super) fn boot(flags: &HostFlags) -> Result<u8, Problem> {
    let reconciler = flags.open_as_it_is()?;
    let booted = site::wait(reconciler.boot())??;
    if let Some(what) = cut_off(&booted.recovered) {
        warn(&Problem::new(what));
    }
    print(&match booted.secrets {
        1 => "1 secret is in place\n".to_owned(),
        many => format!("{many} secrets and templates are in place\n"),
    })?;
    Ok(match booted.recovered {
        Recovered::Stuck { .. } => exit::STUCK,
        _ => exit::DONE,
    })
}
