//! The SOPS format from outside: vectors, a real sops as peer, hostile and random files.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod both_ways;
mod case;
mod change;
mod document;
mod foreign;
mod fuzz;
mod generate;
mod groups;
mod hostile;
mod model;
mod mutations;
mod oracle;
mod patterns;
mod peer;
mod print;
mod program;
mod regressions;
mod scalars;
mod stores;
mod support;
mod vectors;
