//! `status`: this host at a glance.

use clap::Args;

use super::answer::{print, print_json};
use super::flags::{Format, FormatFlags};
use super::problem::warn;
use super::{HostFlags, hold, render, site};
use crate::activation::{Past, Phase, open_phase, past};
use crate::agent::{Client, state_dir};
use crate::config::HostName;
use crate::drift::FlapGuard;
use crate::generation::{Generation, Store};
use crate::host::{Host, clock};
use crate::report::{
    ActiveGeneration, AgentStatus, NextBoot, OpenTransaction, Problem, STATUS_VERSION, State,
    Status, exit,
};

/// What `--help` says first.
pub(super) const ABOUT: &str = "\
Show this host at a glance: whether the agent runs, the generation in force and where it came from, how the last pass \
ended, revisions that are held back and why, drift, what is paused or held, and when the agent looks next.

It only looks: nothing is fetched, and the drift shown is that of the agent's last scan.";

const AFTER: &str = "\
Examples:
  steadfast status
  steadfast status --json | jq -r .generation.revision.commit";

/// Arguments of `status`.
#[derive(Debug, Args)]
#[command(after_long_help = AFTER)]
pub struct StatusArgs {
    #[command(flatten)]
    format: FormatFlags,
}

/// Prints the status.
pub(super) fn run(args: &StatusArgs, flags: &HostFlags) -> Result<u8, Problem> {
    let status = gather(flags)?;
    match args.format.format() {
        Format::Json => print_json(&status)?,
        Format::Text => print(&render::status(&status, render::Page::of_stdout()))?,
    }
    Ok(exit::DONE)
}

fn gather(flags: &HostFlags) -> Result<Status, Problem> {
    let host = flags.look_at_host()?;
    let state = site::state(&host)?;
    let store = site::store_to_read(&host)?;
    let current = match &store {
        Some(store) => store.current().map_err(|error| Problem::of_store(&error))?,
        None => None,
    };
    let in_force = current.as_ref().map(|current| current.number);
    let known = known_name(&state, current.as_ref());
    let settings = match (flags.settings_of(&host, known.clone()), &known) {
        (Ok(settings), _) => Some(settings),
        // A host that is known already can be looked at without its settings.
        (Err(problem), Some(_)) => {
            warn(&problem);
            None
        }
        (Err(problem), None) => return Err(problem),
    };
    let name = settings.as_ref().map(|settings| settings.host.clone());
    Ok(Status {
        version: STATUS_VERSION,
        at_secs: clock::now_secs(),
        host: name
            .or(known)
            .ok_or_else(|| Problem::new("the host is not named"))?,
        repository: settings
            .as_ref()
            .and_then(|settings| settings.remotes.first().map(ToString::to_string)),
        branch: settings.and_then(|settings| settings.branch),
        agent: agent(&host),
        generation: current.map(active),
        accepted: state.accepted,
        next_boot: NextBoot::load(&state_dir(&host))
            .map_err(|error| Problem::of(&error).with_fix(error.fix()))?
            .filter(|next| next.is_about(in_force))
            .map(|next| next.status()),
        transaction: match &store {
            Some(store) => transaction(store)?,
            None => None,
        },
        last: state.last,
        failed: state.failed,
        drift: state.last_drift,
        holds: hold::in_force(&host)?,
        contended: FlapGuard::load(&FlapGuard::file(&state_dir(&host)))
            .all_contended(clock::now_secs()),
    })
}

fn known_name(state: &State, current: Option<&Generation>) -> Option<HostName> {
    let generation = current.map(|current| &current.manifest.host);
    let report = state.last.as_ref().map(|last| &last.host);
    generation.or(report).cloned()
}

fn active(generation: Generation) -> ActiveGeneration {
    ActiveGeneration {
        number: generation.number,
        digest: generation.digest,
        revision: generation.provenance.revision,
        signer: generation.provenance.signer,
        created_secs: generation.provenance.created_secs,
    }
}

fn agent(host: &Host) -> AgentStatus {
    let answer = match Client::connect(host.root()) {
        Ok(None) => return AgentStatus::NotRunning,
        Ok(Some(client)) => client.status(),
        Err(error) => Err(error),
    };
    match answer {
        Ok(live) => AgentStatus::Running(live),
        Err(error) => AgentStatus::Unknown {
            reason: Problem::of(&error).in_one_line(),
        },
    }
}

fn transaction(store: &Store) -> Result<Option<OpenTransaction>, Problem> {
    let open = match open_phase(store) {
        Ok(open) => open,
        // What is not believed is not touched either: nothing is done until a person looked.
        Err(error) if error.is_damage() => {
            let mut problem = Problem::of(&error);
            problem.causes.extend(error.hint());
            return Ok(Some(OpenTransaction {
                phase: "stuck".to_owned(),
                reason: Some(problem.in_one_line()),
                confirm_until_secs: None,
                remains: Vec::new(),
            }));
        }
        Err(error) => return Err(Problem::of(&error).with_hint(error.hint())),
    };
    let Some((record, phase)) = open else {
        return Ok(None);
    };
    let (words, reason) = phase_in_words(&phase);
    let confirm_until_secs = match &phase {
        Phase::AwaitingConfirmation { awaited } => Some(awaited.until_secs),
        _ => None,
    };
    let remains = match phase {
        Phase::Stuck { .. } => past(store, Some(record.id))
            .map_err(|error| Problem::of(&error).with_hint(error.hint()))?
            .first()
            .map(Past::remains),
        _ => None,
    };
    Ok(Some(OpenTransaction {
        phase: words.to_owned(),
        reason: reason.map(str::to_owned),
        confirm_until_secs,
        remains: remains.unwrap_or_default(),
    }))
}

/// A phase as people call it, and why it was entered where that is said.
pub(super) fn phase_in_words(phase: &Phase) -> (&'static str, Option<&str>) {
    match phase {
        Phase::Prepared => ("prepared", None),
        Phase::Applying => ("applying", None),
        Phase::Settling => ("settling", None),
        Phase::Probing => ("probing", None),
        Phase::AwaitingConfirmation { .. } => ("waits to be confirmed", None),
        Phase::Committed => ("committed", None),
        Phase::RollingBack { reason } => ("rolling back", Some(reason)),
        Phase::RolledBack { reason } => ("rolled back", Some(reason)),
        Phase::Stuck { reason } => ("stuck", Some(reason)),
    }
}
