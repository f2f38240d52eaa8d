//! What a pass of the loop ended in: for people, for machines, for the journal.

mod outcome;

pub use outcome::{Outcome, Problem, Report, Trigger, Unavailable, exit};
