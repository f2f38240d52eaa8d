//! Activation: from what is observed to what a generation says, as one journaled transaction.
//!
//! `observe` looks, `plan` decides (pure: no disk, no clock), `journal` remembers, `apply` does, `settle` waits and looks
//! again, `judge` decides with health whether it stays, `confirmation` asks a person, `hold` is what a person keeps from it, `transaction` joins them with health and rollback, `recover` finishes what a kill interrupted.

mod apply;
mod confirmation;
mod desired;
mod ending;
mod failure;
mod forget;
mod hold;
mod journal;
mod judge;
mod observe;
mod originals;
mod phase;
mod plan;
mod progress;
mod recover;
mod rollback;
mod room;
mod settle;
mod transaction;
mod validate;

pub use confirmation::{Awaited, ConfirmError, Confirmation, confirm};
pub use desired::Desired;
pub use ending::Remains;
pub use failure::HostFailure;
pub use hold::{Hold, Holds, HoldsError};
pub use journal::{
    Durability, Entry, Journal, JournalError, Line, NotATransaction, Past, Record, TransactionId,
    newest, open_phase, past, sweep,
};
pub use judge::risk_on;
pub use observe::{ObserveError, observe};
pub(crate) use phase::INTERRUPTED;
pub use phase::{Event, Phase};
pub(crate) use plan::OWN_UNIT;
pub(crate) use plan::draft;
pub(crate) use plan::waiting_units;
pub use plan::{
    Conflict, Conflicts, FoundAccount, Held, Notice, Observed, Owned, PathChange, Plan, Resume,
    SecretChange, Step, bound, plan,
};
pub use progress::{ActivationEvent, Progress, Unwatched, Way};
pub use recover::{Recovered, Recovery, leave};
pub use room::NoRoom;
pub use transaction::{
    ActivateError, Activation, DEFAULT_SETTLE, Ending, NoProbes, Outcome, PrepareError, Prepared,
    Probes, SecretSource,
};

pub use validate::{Refusal, Refused};

pub use crate::secrets::SecretState;

#[cfg(test)]
pub(crate) use plan::tests::world as testing;
