//! Boots real hosts, and lets scenarios push to them, cut them off and pull their plug.

mod base;
mod clone;
mod fleet;
mod host;
mod jobs;
mod observe;
mod shell;
mod world;

pub use clone::{Clone, Signature};
pub use fleet::Fleet;
pub use host::Host;
pub use jobs::Observer;
pub use observe::{Status, changed};
pub use shell::{Said, Transcript, tail, wait_for, wait_until};
pub use world::{Access, World, enter};
