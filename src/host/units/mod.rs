//! systemd units: asked and moved over D-Bus on the live machine, read and linked as files below a root.

mod account;
mod around;
mod bus;
mod condition;
mod conversation;
mod error;
mod front;
mod install;
mod job;
mod links;
mod properties;
mod quadlets;
mod shown;
mod timer;
mod verify;
mod watch;

#[cfg(test)]
mod tests;

pub(in crate::host) use conversation::Conversation;
pub use error::UnitError;
pub use front::Units;
pub use job::JobResult;
pub use timer::TimerState;
pub use verify::{StagedKind, StagedUnits, UnitComplaint, VerifyUnitsError, verify_units};
pub use watch::UnitWatch;
