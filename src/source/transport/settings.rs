//! How repositories are reached: keys, pinned hosts, limits.

use std::path::PathBuf;
use std::time::Duration;

/// The host's own SSH key: one identity for git and for secrets.
const HOST_KEY: &str = "/etc/ssh/ssh_host_ed25519_key";

/// How to reach repositories, and how much to take from them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transport {
    /// For remotes over ssh.
    pub ssh: SshAccess,
    /// For every remote.
    pub limits: Limits,
}

/// How to log in to an ssh server, and which servers are believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SshAccess {
    /// The private key; `None` leaves the choice to OpenSSH (agent, `ssh_config`), which is right for people.
    pub key: Option<PathBuf>,
    /// Files with the pinned keys of servers; nothing else is believed, and nothing is ever added.
    pub known_hosts: Vec<PathBuf>,
    /// How long a connection may take to come up.
    pub connect_timeout: Duration,
}

/// The most that is taken from a remote in one exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes received.
    pub received_bytes: u64,
    /// Objects in a pack.
    pub objects: u32,
    /// Time from the first byte to the last.
    pub time: Duration,
}

impl Transport {
    /// What an agent uses: the host's SSH key, and servers pinned in Steadfast's own `known_hosts` or in the
    /// system's.
    #[must_use]
    pub fn of_host() -> Self {
        Self {
            ssh: SshAccess {
                key: Some(PathBuf::from(HOST_KEY)),
                known_hosts: vec![
                    PathBuf::from("/etc/steadfast/known_hosts"),
                    PathBuf::from("/etc/ssh/ssh_known_hosts"),
                ],
                connect_timeout: Duration::from_secs(15),
            },
            limits: Limits::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            received_bytes: 256 * 1024 * 1024,
            objects: 500_000,
            time: Duration::from_mins(5),
        }
    }
}
