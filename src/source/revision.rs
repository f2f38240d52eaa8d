//! A commit of the config repository, before and after the trust decision.

use serde::{Deserialize, Serialize};

use super::CommitId;

/// A commit of the config repository, fetched and readable; nothing is known yet about who made it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Revision {
    /// The commit.
    pub commit: CommitId,
    /// `Name <mail>` as the commit says; not authenticated.
    pub author: String,
    /// Committer time, seconds since 1970-01-01T00:00:00Z.
    pub time_secs: i64,
    /// First line of the message, control characters removed, at most 200 characters.
    pub subject: String,
}

/// Who signed a commit, by the allowed-signers file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Signer {
    /// The principal of the matching line, such as `anna@example.org`.
    pub principal: String,
    /// `SHA256:…` fingerprint of the signing key.
    pub fingerprint: String,
}

/// A revision that passed the trust policy in force. Only [`trust`](super) makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedRevision {
    revision: Revision,
    signer: Option<Signer>,
}

impl TrustedRevision {
    pub(super) fn new(revision: Revision, signer: Option<Signer>) -> Self {
        Self { revision, signer }
    }

    /// The revision.
    #[must_use]
    pub fn revision(&self) -> &Revision {
        &self.revision
    }

    /// Who signed it; `None` only under the policy `off`.
    #[must_use]
    pub fn signer(&self) -> Option<&Signer> {
        self.signer.as_ref()
    }
}
