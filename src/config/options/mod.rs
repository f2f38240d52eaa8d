//! Options of modules: what can be set, and whether what is set fits.

mod calendar;
mod check;
mod describe;
mod format;
mod spec;

pub(super) use check::Checker;
pub use describe::OptionDescription;
pub(super) use describe::describe;
pub(super) use spec::{Spec, Specs};
