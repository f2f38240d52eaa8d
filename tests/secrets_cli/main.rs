//! `secrets` as people use it: a repository, an editor, other people's keys.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of a test fail the test, which is what they are for"
)]

mod access;
mod edit;
mod key_groups;
mod memory;
mod process;
mod sops;
mod sops_cases;
mod survive;
mod values;
mod world;
