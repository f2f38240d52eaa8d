//! Whole plans, by the table, and by properties over a model of a machine.

mod accounts;
mod generations;
mod homes;
mod network;
mod paths;
mod properties;
mod software;
mod units;
pub(crate) mod world;
