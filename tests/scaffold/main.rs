//! The example fleet, new repositories that are made from it, and hosts that are added to one.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod example;
mod host_add;
mod init;
mod world;
