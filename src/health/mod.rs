//! Health: probes before and after an activation, and what a difference means.
//!
//! `risk` is what an activation can break and so how it is asked about, `check` is what a host declares, `probe` asks one
//! such question once, `built_in` are the questions that every host has and `probes` how they are asked, `prober` asks
//! all of them around an activation, `verdict` is what came back.

mod built_in;
mod check;
mod probe;
mod prober;
mod probes;
mod risk;
mod verdict;

pub use built_in::Question;
pub use check::{Check, Probe};
pub use prober::{Baseline, Prober};
pub use risk::{Confirm, Extent, LockOut, Operators, Risk, Window, Windows};
pub use verdict::{Answer, Verdict};
