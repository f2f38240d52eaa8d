//! Drift: `plan` against the active generation, printed instead of applied.
//!
//! `scan` looks and plans, `item` says what each step means as a difference, `diff` shows contents. There is no second
//! engine: what is reported here is what `reconcile now` would put right.

mod diff;
mod item;
mod report;
mod scan;

pub(crate) use diff::{LARGEST_SHOWN_BYTES, unified_between};
pub use report::{DriftClass, DriftItem, DriftReport};
pub use scan::scan;
