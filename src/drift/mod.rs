//! Drift: `plan` against the active generation, printed instead of applied.
//!
//! `scan` looks and plans, `item` says what each step means as a difference, `diff` shows contents, `adopt` turns it round, `flap` keeps what is put
//! right again and again from being put right too often. There is no second
//! engine: what is reported here is what `reconcile now` would put right.

mod adopt;
mod diff;
mod flap;
mod item;
mod report;
mod scan;

pub use adopt::{AdoptError, Adoption, adopt};
pub(crate) use diff::{LARGEST_SHOWN_BYTES, unified_between};
pub use flap::{Contended, FlapGuard, Verdict};
pub use report::{DriftClass, DriftItem, DriftReport};
pub use scan::scan;
