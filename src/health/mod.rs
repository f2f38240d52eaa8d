//! Health: probes before and after an activation, and what a difference means.
//!
//! `check` is what a host declares, `probe` asks one question once, `prober` asks all of them around an activation,
//! `verdict` is what came back.

mod check;
mod probe;
mod prober;
mod verdict;

pub use check::{Check, Probe};
pub use prober::{Baseline, Prober, RemoteProbe};
pub use verdict::{Answer, Verdict};
