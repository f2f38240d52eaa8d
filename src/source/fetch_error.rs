//! Why a repository could not be listed or fetched.

use std::time::Duration;

use super::{CommitId, Remote};

/// A config repository that could not be listed or fetched.
#[derive(Debug, thiserror::Error)]
#[error("cannot fetch from `{remote}`")]
pub struct FetchError {
    /// The repository.
    pub remote: Remote,
    /// What stood in the way.
    #[source]
    pub kind: Box<FetchErrorKind>,
}

/// What stood in the way of a fetch.
#[derive(Debug, thiserror::Error)]
pub enum FetchErrorKind {
    /// No route, no listener, no such name, a connection that broke.
    #[error("the server cannot be reached: {detail}")]
    Unreachable {
        /// What the system, OpenSSH or the web client said.
        detail: String,
    },
    /// The server is there and does not let us in.
    #[error("the server refuses us: {detail}")]
    AuthRefused {
        /// What the server said.
        detail: String,
        /// The private key that was offered, over ssh.
        key: Option<std::path::PathBuf>,
    },
    /// Nobody has said which key this ssh server has.
    #[error("the key of ssh server `{host}` is not pinned in {known_hosts}")]
    HostKeyUnknown {
        /// Host and port as `known_hosts` writes them.
        host: String,
        /// The files that were asked.
        known_hosts: String,
    },
    /// The ssh server shows another key than the pinned one.
    #[error("the ssh server is not the one that was pinned: {detail}")]
    HostKeyMismatch {
        /// What OpenSSH said.
        detail: String,
    },
    /// The web server shows a certificate that nobody in the host's CA store vouches for.
    #[error("the web server's certificate is not valid here: {detail}")]
    Certificate {
        /// What rustls said.
        detail: String,
    },
    /// OpenSSH cannot be run.
    #[error("{detail}")]
    NoSsh {
        /// What the system said.
        detail: String,
    },
    /// The far git, or what stands before it, reports an error of its own.
    #[error("the server reports: {detail}")]
    Server {
        /// Its words.
        detail: String,
    },
    /// A name that no branch can have.
    #[error("`{branch}` cannot be the name of a branch")]
    InvalidBranch {
        /// The name.
        branch: String,
    },
    /// The server answers, the repository is not there (or is hidden from us).
    #[error("there is no repository at this address: {detail}")]
    NoSuchRepository {
        /// What the server said.
        detail: String,
    },
    /// A repository on this machine that belongs to someone else.
    #[error("the repository belongs to another user than the one who reads it")]
    ForeignOwner {
        /// Its path.
        path: std::path::PathBuf,
    },
    /// A repository without a commit.
    #[error("the repository is empty")]
    Empty,
    /// The repository has branches, but not this one.
    #[error("it has no branch `{branch}`; it has {}", listed(existing))]
    BranchGone {
        /// The branch that was asked for; `HEAD` if none was named.
        branch: String,
        /// The branches that exist, sorted.
        existing: Vec<String>,
    },
    /// The repository has no such commit, or no longer.
    #[error("it has no commit {commit}")]
    CommitGone {
        /// The commit's id.
        commit: String,
    },
    /// The time limit for the whole exchange passed.
    #[error("it took longer than {} s", limit.as_secs())]
    TimedOut {
        /// The limit.
        limit: Duration,
    },
    /// More bytes or objects than allowed.
    #[error("it sends more than {limit} {unit}")]
    TooLarge {
        /// The limit.
        limit: u64,
        /// `bytes`, `objects` or `references`.
        unit: &'static str,
    },
    /// A SHA-256 repository.
    #[error("it is a SHA-256 repository; only SHA-1 repositories can be read")]
    Sha256,
    /// A redirect to another server.
    #[error("it redirects to `{target}`; redirects to other servers are not followed")]
    Redirected {
        /// Where to.
        target: String,
    },
    /// Bytes that are not the git protocol.
    #[error("it does not speak git as expected: {detail}")]
    Protocol {
        /// What was wrong.
        detail: String,
    },
    /// The commit that was announced was not among the objects that came.
    #[error("it announced commit {} and did not send all of it: {detail}", commit.short())]
    NotSent {
        /// The commit.
        commit: CommitId,
        /// What is missing.
        detail: String,
    },
    /// The mirror on this machine.
    #[error("the mirror cannot be written: {detail}")]
    Mirror {
        /// What libgit2 said.
        detail: String,
    },
}

impl FetchError {
    pub(super) fn new(remote: &Remote, kind: FetchErrorKind) -> Self {
        Self {
            remote: remote.clone(),
            kind: Box::new(kind),
        }
    }

    /// What to do about it, if it is in somebody's hands.
    #[must_use]
    pub fn fix(&self) -> Option<String> {
        self.kind.fix()
    }
}

impl FetchErrorKind {
    /// What to do about it, if it is in somebody's hands.
    #[must_use]
    pub fn fix(&self) -> Option<String> {
        match self {
            Self::Unreachable { .. } => {
                Some("check the name, the port and the network; the next poll tries again".to_owned())
            }
            Self::AuthRefused { key: Some(key), .. } => Some(format!(
                "give the public half of {0} read access there (a deploy key): {0}.pub",
                key.display()
            )),
            Self::AuthRefused { key: None, .. } => Some(
                "make the repository readable without credentials, or use ssh with the host's own key".to_owned(),
            ),
            Self::HostKeyUnknown { host, known_hosts } => Some(format!(
                "pin it: `ssh-keyscan {} >> {}`, after comparing the fingerprint with the one its owner publishes",
                keyscan_arguments(host),
                known_hosts.split(' ').next().unwrap_or(known_hosts),
            )),
            Self::HostKeyMismatch { .. } => Some(
                "if its owner announced a new key, replace the pinned one; if not, somebody may be in between"
                    .to_owned(),
            ),
            Self::Certificate { .. } => Some(
                "put the server's CA into /usr/local/share/ca-certificates and run `update-ca-certificates`".to_owned(),
            ),
            Self::NoSsh { .. } => Some("install it: apt install openssh-client".to_owned()),
            Self::InvalidBranch { .. } => Some("set the branch to its short name, such as `main`".to_owned()),
            Self::NoSuchRepository { .. } => {
                Some("check the path; a private repository may look missing to a key without access".to_owned())
            }
            Self::ForeignOwner { path } => Some(format!(
                "if you trust its owner: `git config --system --add safe.directory {}`",
                path.display()
            )),
            Self::Empty => Some("push a first commit".to_owned()),
            Self::BranchGone { .. } => Some("push the branch again, or set the branch to one that exists".to_owned()),
            Self::CommitGone { .. } => Some(
                "its history may have been rewritten: look at what it has now, then lock that with `steadfast inputs update`"
                    .to_owned(),
            ),
            Self::TimedOut { .. } => Some("check the network, or raise the time limit".to_owned()),
            Self::TooLarge { .. } => Some("make the repository smaller, or raise the limit".to_owned()),
            Self::Sha256 => Some("use a repository made with `git init --object-format=sha1`".to_owned()),
            Self::Redirected { .. } => Some("set the address to where the repository really is".to_owned()),
            Self::Protocol { .. } | Self::NotSent { .. } | Self::Server { .. } => None,
            Self::Mirror { .. } => {
                Some("check free space and permissions; the mirror may be deleted, it is fetched again".to_owned())
            }
        }
    }

    /// Whether waiting may help: the next poll may succeed without anyone doing anything.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. }
                | Self::TimedOut { .. }
                | Self::Protocol { .. }
                | Self::NotSent { .. }
        )
    }
}

/// `[host]:2222` as `known_hosts` writes it becomes `-p 2222 host`.
fn keyscan_arguments(host: &str) -> String {
    match host
        .strip_prefix('[')
        .and_then(|rest| rest.split_once("]:"))
    {
        Some((host, port)) => format!("-p {port} {host}"),
        None => host.to_owned(),
    }
}

fn listed(names: &[String]) -> String {
    const SHOWN: usize = 8;
    if names.is_empty() {
        return "none".to_owned();
    }
    let shown: Vec<String> = names
        .iter()
        .take(SHOWN)
        .map(|name| format!("`{name}`"))
        .collect();
    match names.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
