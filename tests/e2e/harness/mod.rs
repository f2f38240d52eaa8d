//! Boots real hosts, and lets scenarios push to them, cut them off and pull their plug.

mod base;
mod clone;
mod fleet;
mod host;
mod shell;
mod world;

pub use clone::{Clone, Signature, sops};
pub use fleet::Fleet;
pub use host::Host;
pub use shell::{Said, Transcript, wait_for, wait_until};
pub use world::{Access, World, enter};
