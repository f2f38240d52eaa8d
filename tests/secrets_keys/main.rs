//! Keys as people have them, through the whole program: generated, protected, of plugins, of hosts.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of a test fail the test, which is what they are for"
)]

mod generated;
mod host_key;
mod plugin;
mod protected;
mod world;
