//! Whether to believe a commit: ancestry and signatures, all fail-closed.

mod allowed_signers;
mod commit_signature;
mod patterns;
mod policy;
mod refusal;

pub use policy::{TrustMode, TrustPolicy, check, signed_by};
pub use refusal::{Refusal, RefusalKind};
