//! Accounts and groups of local files: made, changed, locked; never deleted, never given another id.

mod edit;
mod error;
mod live;
mod observe;
mod records;
mod spec;

#[cfg(test)]
mod tests;

pub use error::AccountError;
pub use spec::{Expires, GroupSpec, SubIds, UserSpec};
