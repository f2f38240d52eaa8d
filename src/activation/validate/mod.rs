//! Judging new content before anything changes: `sshd -t`, `visudo -c`, `nft -c`, `systemd-analyze verify`, and what files
//! declare.
//!
//! `checks` decides what is to be judged (pure), `sshd` and `units` put together what those programs have to see, `run`
//! stages the content and asks.

mod checks;
mod gate;
mod run;
mod sshd;
mod units;

#[cfg(test)]
mod tests;

pub(super) use checks::{Check, checks};
pub(super) use run::{Judge, Judged, Packages};
pub use run::{Refusal, Refused};
