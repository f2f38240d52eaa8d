//! Answers as text for people. Pure: what time it is comes in.

mod changes;
mod drift;
mod generations;
mod lines;
mod page;
mod plan;
mod report;
mod size;
mod status;
mod texts;
mod time;
mod why;

pub(super) use changes::{Tense, changes, tally};
pub(super) use drift::drift;
pub(super) use generations::{differences, gc, generation, list};
pub(super) use lines::Lines;
pub(super) use page::{Page, width};
pub(super) use plan::plan;
pub(super) use report::{report, revision};
pub(super) use size::size;
pub(super) use status::status;
pub(super) use texts::texts;
pub(super) use time::{ago, took};
pub(super) use why::why;

#[cfg(test)]
mod tests;
