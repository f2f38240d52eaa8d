//! What a repository offers to all its hosts: modules, people, variables. Each file is read once per run.

mod blocks;
mod fleet;
mod module;
mod person;
mod stock;

pub use module::ModuleName;
pub(super) use module::{Module, Wanted, wanted};
pub(super) use stock::{Status, Stock};
