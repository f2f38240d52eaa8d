//! Plaintext that has to be in a file for a while: in memory, private, wiped and removed whatever happens.

mod directory;
mod memory_place;
mod wipe;

pub use directory::ScratchError;
pub(super) use directory::{Scratch, reread};
pub(super) use memory_place::private_memory;
pub use memory_place::swap_in_the_clear;
pub(super) use wipe::wipe;
