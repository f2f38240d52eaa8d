//! Whole plans, by the table, and by properties over a model of a machine.

mod accounts;
mod directories;
mod generations;
mod homes;
mod masks;
mod network;
mod ordering;
mod paths;
mod properties;
mod software;
mod unit_sockets;
mod unit_table;
mod units;
pub(crate) mod world;
mod yard;
