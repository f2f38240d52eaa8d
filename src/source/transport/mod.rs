//! The wire: one listing of references, and one pack, over ssh, https or from this machine.
//!
//! libgit2 can only be taught own transports through an `unsafe` call that is global to the process, so the few
//! messages of a fetch are spoken here, in both versions of the protocol that servers answer with (gitprotocol-v2
//! and gitprotocol-pack). libgit2 indexes and checks the pack that comes in.

mod exchange;
mod http;
mod local;
mod meter;
mod pack;
mod packet;
mod protocol;
mod settings;
mod ssh;
mod trouble;

pub(super) use exchange::{Target, Want, exchange};
pub use settings::{Limits, SshAccess, Transport};
