//! Who can read what, from the command line: `rekey`, `who`, `check`, `onboard` and `offboard` on whole repositories.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of a test fail the test, which is what they are for"
)]

mod check;
mod joining;
mod leaving;
mod rekey;
mod world;
