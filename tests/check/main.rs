//! `check` over whole repositories: what is said about wrong ones, what hostile ones can do, and what must hold for all.

#![expect(
    clippy::disallowed_methods,
    reason = "tests drive other programs and write their own files"
)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod hostile;
mod properties;
mod world;
mod wrong;
