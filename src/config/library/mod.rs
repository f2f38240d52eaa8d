//! What a repository offers to all its hosts: modules, people, variables. Each file is read once per run.

mod blocks;
mod fleet;
mod inputs;
mod module;
mod person;
mod stock;

pub use inputs::{InputUse, Locked, inputs, lock_text, pins};
pub use module::ModuleName;
pub(super) use module::{Module, Wanted, wanted};
pub(super) use stock::{Status, Stock, load};
