//! The decision.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use ssh_key::PublicKey;

use super::allowed_signers::{AllowedSigners, Verdict};
use super::{Refusal, RefusalKind, commit_signature};
use crate::source::{CommitId, Mirror, Signer, TrustedRevision};

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

/// The most commits that are checked in one go.
const NEW_COMMITS: usize = 10_000;

/// Decides whether `candidate` may be acted on, given the commit that was accepted last.
///
/// `now_secs` is seconds since 1970-01-01T00:00:00Z. A signature is judged by the commit's own time, as git does it,
/// but never by one before the anchor's (an expired key cannot sign new commits with an old date) or after now.
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
    let tip = mirror
        .revision(candidate)
        .map_err(|error| refused(candidate, unreadable(&error.to_string())))?;
    if let Some(anchor) = anchor
        && !mirror.is_descendant(candidate, anchor)
    {
        let anchor = anchor.clone();
        return Err(refused(candidate, RefusalKind::NotADescendant { anchor }));
    }
    if policy.mode == TrustMode::Off {
        return Ok(TrustedRevision::new(tip, None));
    }
    let judge =
        Judge::new(mirror, anchor, policy, now_secs).map_err(|kind| refused(candidate, kind))?;
    if let (TrustMode::History, Some(anchor)) = (policy.mode, anchor) {
        for commit in new_commits(mirror, candidate, anchor)? {
            judge.check(&commit)?;
        }
    }
    let signer = judge.check(candidate)?;
    Ok(TrustedRevision::new(tip, Some(signer)))
}

/// Every commit that is reachable from `candidate` and not from `anchor`, oldest first.
fn new_commits(
    mirror: &Mirror,
    candidate: &CommitId,
    anchor: &CommitId,
) -> Result<Vec<CommitId>, Refusal> {
    let commits = mirror
        .commits_since(anchor, candidate, NEW_COMMITS + 1)
        .map_err(|error| refused(candidate, unreadable(error.message())))?;
    if commits.len() > NEW_COMMITS {
        let kind = RefusalKind::TooManyCommits {
            limit: NEW_COMMITS,
            anchor: anchor.clone(),
        };
        return Err(refused(candidate, kind));
    }
    Ok(commits)
}

/// Asks whether the holder of one of `keys` (lines of `.pub` files) signed `commit` of an input.
///
/// # Errors
/// [`Refusal`], as [`check`].
pub fn signed_by(
    mirror: &Mirror,
    commit: &CommitId,
    keys: &[String],
    now_secs: i64,
) -> Result<Signer, Refusal> {
    let judge = Judge {
        mirror,
        source: SignersSource::Input,
        signers: AllowedSigners::of_keys(keys),
        not_before_secs: i64::MIN,
        now_secs,
    };
    judge.check(commit)
}

/// Where the allowed signers are written.
enum SignersSource<'a> {
    File(&'a Path),
    Input,
}

/// The signers of the policy, and the times between which a commit's own is believed.
struct Judge<'a> {
    mirror: &'a Mirror,
    source: SignersSource<'a>,
    signers: AllowedSigners,
    not_before_secs: i64,
    now_secs: i64,
}

impl<'a> Judge<'a> {
    fn new(
        mirror: &'a Mirror,
        anchor: Option<&CommitId>,
        policy: &'a TrustPolicy,
        now_secs: i64,
    ) -> Result<Self, RefusalKind> {
        let signers = AllowedSigners::read(&policy.allowed_signers).map_err(|detail| {
            RefusalKind::NoSigners {
                path: policy.allowed_signers.clone(),
                detail,
            }
        })?;
        let not_before_secs = match anchor {
            Some(anchor) => {
                mirror
                    .revision(anchor)
                    .map_err(|e| unreadable(&e.to_string()))?
                    .time_secs
            }
            None => i64::MIN,
        };
        Ok(Self {
            mirror,
            source: SignersSource::File(&policy.allowed_signers),
            signers,
            not_before_secs,
            now_secs,
        })
    }

    fn check(&self, commit: &CommitId) -> Result<Signer, Refusal> {
        self.signer_of(commit).map_err(|kind| refused(commit, kind))
    }

    fn signer_of(&self, commit: &CommitId) -> Result<Signer, RefusalKind> {
        let raw = self
            .mirror
            .raw_commit(commit)
            .map_err(|e| unreadable(e.message()))?;
        let signed = commit_signature::verify(&raw)?;
        let time_secs = self
            .mirror
            .revision(commit)
            .map_err(|e| unreadable(&e.to_string()))?
            .time_secs;
        let judged_secs = time_secs.max(self.not_before_secs).min(self.now_secs);
        let when = Timestamp::from_second(judged_secs).map_err(|e| unreadable(&e.to_string()))?;
        let fingerprint = signed.fingerprint;
        match self.signers.judge(&signed.key, when) {
            Verdict::Allowed { principal } => Ok(Signer {
                principal,
                fingerprint,
            }),
            Verdict::NotAllowed { principal, detail } => Err(RefusalKind::NotAllowed {
                fingerprint,
                principal,
                detail,
            }),
            Verdict::Stranger => {
                let public_key = PublicKey::from(signed.key)
                    .to_openssh()
                    .unwrap_or_else(|_| fingerprint.clone());
                Err(match self.source {
                    SignersSource::File(path) => RefusalKind::Stranger {
                        public_key,
                        fingerprint,
                        allowed_signers: path.to_owned(),
                        skipped: self.signers.skipped().to_vec(),
                    },
                    SignersSource::Input => RefusalKind::NotASigner {
                        fingerprint,
                        public_key,
                    },
                })
            }
        }
    }
}

fn refused(commit: &CommitId, kind: RefusalKind) -> Refusal {
    Refusal {
        commit: commit.clone(),
        kind,
    }
}

fn unreadable(detail: &str) -> RefusalKind {
    RefusalKind::Unreadable {
        detail: detail.to_owned(),
    }
}

#[cfg(test)]
mod tests;
