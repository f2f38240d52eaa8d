//! Health: probes before and after an activation, and what a difference means.
//!
//! `risk` is what an activation can break and so how it is asked about, `check` is what a host declares, `probe` asks one question once, `prober` asks all of them around an activation,
//! `verdict` is what came back.

mod check;
mod probe;
mod prober;
mod risk;
mod verdict;

pub use check::{Check, Probe};
pub use prober::{Baseline, Prober, RemoteProbe};
pub use risk::{Confirm, Extent, LockOut, Operators, Risk, Window, Windows};
pub use verdict::{Answer, Verdict};
