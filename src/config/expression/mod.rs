//! Expressions: `{{ … }}` in values, `when`, `for`, and files that are filled in.
//!
//! The language is minijinja's, with no loader, no clock and no environment, and with a budget for everything it does.

mod convert;
mod engine;
mod engines;
mod failure;
mod secret_text;
mod syntax;
#[cfg(test)]
mod tests;

pub(super) use convert::{TooMuch, node_of, value_of};
pub(super) use engine::Engine;
pub(super) use engines::{Engines, Lease};
pub(super) use failure::{Failure, FailureKind};
pub(super) use syntax::{Loop, Shape, is_word, names};
