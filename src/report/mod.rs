//! What a pass of the loop ended in: for people, for machines, for the journal.

mod outcome;
mod problem;

pub use outcome::{Outcome, Report, Trigger, Unavailable, exit};
pub use problem::Problem;
