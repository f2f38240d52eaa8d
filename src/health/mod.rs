//! Health: probes before and after an activation, and what a difference means.

mod check;
mod verdict;

pub use check::{Check, Probe};
pub use verdict::{Answer, Verdict};
