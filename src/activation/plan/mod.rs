//! Deciding: from what a machine is to ordered, typed steps towards what a generation says. Pure: no disk, no clock.
//!
//! `observed` and `owned` are the inputs, `step` the output. `paths` (with `parents` and `originals`), `accounts`,
//! `machine`, `secrets` and `units` each decide about one kind of resource; `order` puts their steps into the one
//! order that works; `decide` calls them all. `risk` says what a plan can break, `bound` how long it may take.

mod accounts;
mod as_if;
mod bound;
mod compare;
mod connections;
mod decide;
mod forgive;
mod machine;
mod notice;
mod observed;
mod order;
mod paths;
mod risk;
mod secrets;
mod software;
mod step;
mod unit_files;
mod units;

#[cfg(test)]
pub(crate) mod tests;

pub use bound::bound;
pub(super) use risk::risk;

pub(crate) use accounts::{NEVER_EXPIRES, UNLOCK, day_of};
#[cfg(test)]
pub(crate) use compare::fit;
pub(crate) use compare::{Fit, Ids, attributes, fit_whole, words};
pub(crate) use decide::draft;
pub use decide::{Held, Owned, Resume, plan};
pub(crate) use forgive::forgiven;
pub use notice::{Conflict, Conflicts, Notice};
pub use observed::Observed;
pub(crate) use observed::waiting_units;
pub(super) use order::job_rank;
pub(crate) use paths::waits;
pub(crate) use units::OWN_UNIT;
pub(super) use units::{Enablement, masks};

pub use step::{FoundAccount, PathChange, Plan, SecretChange, Step};
