//! `reconcile confirm`: a person says that an activation is to stay.

use std::time::Duration;

use clap::Args;

use super::answer::{print, print_json, say};
use super::flags::{Format, FormatFlags};
use super::progress::spin;
use super::style::{BAD, GOOD, paint};
use super::{HostFlags, reconcile_log, site};
use crate::activation::{ConfirmError, JournalError, Phase, TransactionId, confirm, past};
use crate::generation::{GenerationNumber, Store};
use crate::host::Host;
use crate::report::{Problem, exit};

/// What `--help` says first.
pub(super) const ABOUT: &str = "\
Keep the generation that was just activated. With `confirm: lockout` or `confirm: always` in agent.yml an activation \
waits for this, and goes back by itself when nobody types it in time.

It must be typed over a connection that was begun after the activation: only a new login shows that one is possible. An \
older one is refused, also when a new shell shares it (ControlMaster of ssh), and so is a shell in a tmux that was begun \
before. A login at the console counts.";

const AFTER: &str = "\
Examples:
  ssh -o ControlPath=none chicago sudo steadfast reconcile confirm
  sudo steadfast reconcile confirm
  steadfast reconcile confirm 12      only if it is this transaction

Exit codes: 0 the generation stays, 1 refused, 4 the host went back all the same.";

/// How often one looks whether the activation is over, or ready.
const LOOK: Duration = Duration::from_millis(200);

/// Arguments of `reconcile confirm`.
#[derive(Debug, Args)]
#[command(after_long_help = AFTER)]
pub struct ConfirmArgs {
    /// The transaction to confirm [default: the one that waits]
    #[arg(value_name = "TXN")]
    transaction: Option<TransactionId>,
    #[command(flatten)]
    format: FormatFlags,
}

/// Confirms, and waits until the activation is over.
pub(super) fn run(args: &ConfirmArgs, flags: &HostFlags) -> Result<u8, Problem> {
    let host = flags.look_at_host()?;
    let Some(store) = site::store_to_read(&host)? else {
        return Err(refused(&ConfirmError::NothingWaits));
    };
    let confirmed = spin("the activation is not over yet", || {
        when_ready(&host, &store, args.transaction)
    });
    let (id, generation) = confirmed.map_err(|error| refused(&error))?;
    let phase = spin("waiting for the end of the activation", || {
        ended(&store, id)
    })
    .map_err(|error| Problem::of(&error).with_hint(error.hint()))?;
    if args.format.format() == Format::Json {
        let found = past(&store, Some(id));
        let found = found.map_err(|error| Problem::of(&error).with_hint(error.hint()))?;
        print_json(&reconcile_log::answer(&found))?;
        return Ok(match phase {
            Phase::Committed => exit::DONE,
            Phase::RolledBack { .. } | Phase::RollingBack { .. } => exit::ROLLED_BACK,
            _ => exit::FAILED,
        });
    }
    match phase {
        Phase::Committed => {
            let kept = paint(GOOD, format!("generation {generation} stays"));
            print(&format!("{kept}\n"))?;
            Ok(exit::DONE)
        }
        Phase::RolledBack { reason } | Phase::RollingBack { reason } => {
            say(format!("{}: {reason}", paint(BAD, "the host went back")));
            Ok(exit::ROLLED_BACK)
        }
        _ => {
            say(paint(BAD, "the activation is not over"));
            Ok(exit::FAILED)
        }
    }
}

fn refused(error: &ConfirmError) -> Problem {
    Problem::of(error).with_hint(error.hint())
}

/// Confirms as soon as the steps are done and the checks are well.
fn when_ready(
    host: &Host,
    store: &Store,
    wanted: Option<TransactionId>,
) -> Result<(TransactionId, GenerationNumber), ConfirmError> {
    loop {
        match confirm(host, store, wanted) {
            Err(ConfirmError::NotYet { .. }) => std::thread::sleep(LOOK),
            answer => return answer,
        }
    }
}

/// The phase in which the transaction ended.
fn ended(store: &Store, id: TransactionId) -> Result<Phase, JournalError> {
    loop {
        let found = past(store, Some(id))?;
        match found.first() {
            Some(past) if past.open && !matches!(past.phase(), Phase::Stuck { .. }) => {
                std::thread::sleep(LOOK);
            }
            Some(past) => return Ok(past.phase().clone()),
            None => return Ok(Phase::Committed),
        }
    }
}
