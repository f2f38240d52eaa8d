//! Why a commit is not believed.

use std::path::PathBuf;

use crate::source::CommitId;

/// A commit that the trust policy does not let through.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("commit {} is refused", commit.short())]
pub struct Refusal {
    /// The commit at fault; in a history, not always the tip.
    pub commit: CommitId,
    /// The rule.
    #[source]
    pub kind: RefusalKind,
}

/// The rule that a refused commit breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RefusalKind {
    /// History was rewritten, or an older commit is offered.
    #[error("it is not a descendant of {}, the last accepted commit", anchor.short())]
    NotADescendant {
        /// The last accepted commit.
        anchor: CommitId,
    },
    /// No signature.
    #[error("it is not signed")]
    Unsigned,
    /// An OpenPGP or X.509 signature.
    #[error("it has {what} signature; only SSH signatures are understood")]
    UnsupportedSignature {
        /// `an OpenPGP`, `an X.509` or `an unknown kind of`.
        what: &'static str,
    },
    /// A signature that does not fit the commit.
    #[error("its signature by {fingerprint} is not valid: {detail}")]
    BadSignature {
        /// `SHA256:…` of the key the signature names; `an unreadable key` if it names none.
        fingerprint: String,
        /// What does not fit.
        detail: String,
    },
    /// A valid signature of a key that is not in the file.
    #[error("it is signed by {fingerprint}, who is not in {}", allowed_signers.display())]
    Stranger {
        /// `SHA256:…` of the key.
        fingerprint: String,
        /// The key as an allowed-signers line has it: `ssh-ed25519 AAAA…`.
        public_key: String,
        /// The file.
        allowed_signers: PathBuf,
        /// Lines of the file that were skipped, with the reason.
        skipped: Vec<String>,
    },
    /// A valid signature of a key that is not among the signers of an input.
    #[error("it is signed by {fingerprint}, who is not among the input's `signers`")]
    NotASigner {
        /// `SHA256:…` of the key.
        fingerprint: String,
        /// The key as a `.pub` file has it.
        public_key: String,
    },
    /// A key of the file, outside the times or namespaces that its line allows.
    #[error(
        "it is signed by {fingerprint} (`{principal}`), whose line does not allow it: {detail}"
    )]
    NotAllowed {
        /// `SHA256:…` of the key.
        fingerprint: String,
        /// The principals of the line.
        principal: String,
        /// `not valid after 2026-01-01T00:00:00Z`, and the like.
        detail: String,
    },
    /// The allowed-signers file cannot be read, or others can write it.
    #[error("the allowed signers in {} cannot be used: {detail}", path.display())]
    NoSigners {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// More new commits than are checked in one go.
    #[error("more than {limit} commits are new since {}", anchor.short())]
    TooManyCommits {
        /// The limit.
        limit: usize,
        /// The last accepted commit.
        anchor: CommitId,
    },
    /// The commit or one before it is not in the mirror, or is damaged.
    #[error("it cannot be read: {detail}")]
    Unreadable {
        /// What libgit2 said.
        detail: String,
    },
}

impl Refusal {
    /// What to do about it.
    #[must_use]
    pub fn fix(&self) -> String {
        let commit = self.commit.short();
        match &self.kind {
            RefusalKind::NotADescendant { anchor } => format!(
                "put the change on top of {0} (`git revert`, `git rebase --onto {0}`) and push; history is never rewound",
                anchor.short()
            ),
            RefusalKind::Unsigned => format!(
                "sign it and push: `git -c gpg.format=ssh commit --amend --no-edit -S`; under mode `history` every commit since \
                 the last accepted one needs it, also {commit}"
            ),
            RefusalKind::UnsupportedSignature { .. } => {
                "sign with an SSH key: `git config gpg.format ssh`, `git config user.signingKey ~/.ssh/id_ed25519.pub`".to_owned()
            }
            RefusalKind::BadSignature { .. } => {
                format!("{commit} was changed after it was signed, or signed by a broken tool: sign it again, and ask who pushed it")
            }
            RefusalKind::Stranger { public_key, allowed_signers, .. } => format!(
                "if this key may decide about this host, add to {}: `NAME namespaces=\"git\" {public_key}`",
                allowed_signers.display()
            ),
            RefusalKind::NotASigner { public_key, .. } => format!(
                "if this key may decide about your hosts, add it to `signers:` of the input in fleet.yml: `{public_key}`"
            ),
            RefusalKind::NotAllowed { .. } => {
                format!("sign {commit} with a key that is valid, or change the line in the allowed-signers file")
            }
            RefusalKind::NoSigners { path, .. } => format!(
                "write {}, one line per signer (`anna@example.org namespaces=\"git\" ssh-ed25519 AAAA…`), owned by root, mode 0644",
                path.display()
            ),
            RefusalKind::TooManyCommits { .. } => {
                "look at the history, and accept its tip by hand".to_owned()
            }
            RefusalKind::Unreadable { .. } => "delete the mirror; it is fetched again".to_owned(),
        }
    }
}
