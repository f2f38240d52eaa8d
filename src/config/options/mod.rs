//! Options of modules: what can be set, and whether what is set fits.

mod calendar;
mod check;
mod format;
mod spec;

pub(super) use check::Checker;
pub(super) use spec::{Spec, Specs};
