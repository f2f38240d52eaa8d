//! Whether to believe a commit: signatures and ancestry, all fail-closed.

mod policy;
mod refusal;

pub use policy::{TrustMode, TrustPolicy, check};
pub use refusal::{Refusal, RefusalKind};
