//! What a pass of the loop ended in: for people, for machines, for the journal.
//!
//! `outcome` is the report of one pass, `problem` an error for the person who must act, `state` what is remembered
//! between passes, `next_boot` what a boot changes, `status` the host at a glance, `events` what the journal is told,
//! `forecast` what a change of the repository would do to a host, `texts` what changes inside of files.

mod change;
mod events;
mod forecast;
mod log;
mod next_boot;
mod outcome;
mod problem;
mod state;
mod status;
mod texts;

pub use change::{Action, Area, Change};
pub use events::{Event, announce_contended, announce_hold, announce_pass, announce_scan};
pub use forecast::Forecast;
pub use log::{Announce, Audience, LOG_VARIABLE, LogError, start_log};
pub use next_boot::{AtBoot, NextBoot, NextBootError, NextBootStatus};
pub use outcome::{Outcome, Report, Trigger, Unavailable, exit};
pub use problem::Problem;
pub use state::{DriftSummary, FailedRevision, STATE_VERSION, State, StateError};
pub use status::{
    ActiveGeneration, AgentStatus, LiveAgent, OpenTransaction, STATUS_VERSION, Status,
};
pub use texts::TextChange;
