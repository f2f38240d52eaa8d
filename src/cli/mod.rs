//! The verbs: arguments in, text or JSON out; no logic.
//!
//! `args` is the clap tree, `dispatch` calls the verb, one file per verb group, `problem` renders errors.

mod args;
mod dispatch;
mod problem;
mod secrets;

pub use args::{Cli, HostFlags, ReconcileCli, SecretsCli};
pub use dispatch::main;
pub use problem::print_problem;
