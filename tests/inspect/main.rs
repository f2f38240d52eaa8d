//! Looking into a repository with the program: what a change would do, and why something is as it is.

#![expect(
    clippy::disallowed_methods,
    reason = "tests drive other programs and write their own files"
)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod diff;
mod why;
mod world;
