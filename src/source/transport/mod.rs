//! The wire: one listing of references, and one pack, over ssh, https or from this machine.
//!
//! libgit2 can only be taught own transports through an `unsafe` call that is global to the process, so the few
//! messages of a fetch are spoken here: see gitprotocol-v2 and gitprotocol-pack. libgit2 indexes and checks the
//! pack that comes in.

mod settings;

pub use settings::{Limits, SshAccess, Transport};
