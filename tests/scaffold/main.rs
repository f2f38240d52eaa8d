//! The example fleet, new repositories that are made from it, and hosts that are added to one.

#![expect(
    clippy::disallowed_methods,
    reason = "tests drive other programs and write their own files"
)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod example;
mod host_add;
mod init;
mod world;
