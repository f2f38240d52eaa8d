//! Secret files in git: git's own merge, rebase, cherry-pick, diff and log run the program that is built.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of a test fail the test, which is what they are for"
)]

mod conflict;
mod diff;
mod install;
mod merge;
mod random;
mod world;
