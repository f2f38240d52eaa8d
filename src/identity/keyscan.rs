//! Asking a host for its public key over the network, with ssh-keyscan.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::public_key::{HostPublicKey, PublicKeyError};
use super::public_keys::PublicKeys;
use crate::host::exec::{ExecError, Program};

/// How long ssh-keyscan waits for one connection, in seconds.
const CONNECT_SECS: u32 = 10;
/// How long it may take as a whole: several addresses, and two tries.
const LONGEST: Duration = Duration::from_mins(1);

/// A host to ask, `chicago`, `chicago:2222`, `[fd00::1]:2222` or `fd00::1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanTarget {
    host: String,
    port: u16,
}

/// Text that names no host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a host to ask: {reason}")]
pub struct ScanTargetError {
    /// What was given.
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// A host whose key could not be had.
#[derive(Debug, thiserror::Error)]
pub enum KeyscanError {
    /// ssh-keyscan does not run.
    #[error(transparent)]
    Program(#[from] ExecError),
    /// Nobody answered.
    #[error("{target} gives no host key{}", said(stderr))]
    NoAnswer {
        /// Whom was asked.
        target: ScanTarget,
        /// What ssh-keyscan said.
        stderr: String,
    },
    /// It answered with keys that cannot be used.
    #[error("the host key of {target} cannot be used")]
    Key {
        /// Who was asked.
        target: ScanTarget,
        /// What is wrong with its keys.
        source: PublicKeyError,
    },
}

fn said(stderr: &str) -> String {
    if stderr.is_empty() {
        String::new()
    } else {
        format!(": {stderr}")
    }
}

impl KeyscanError {
    /// How to go on.
    #[must_use]
    pub fn fix(&self) -> String {
        match self {
            Self::Program(_) => {
                "install ssh-keyscan, which is part of OpenSSH's client (openssh-client)".to_owned()
            }
            Self::NoAnswer { target, .. } => format!(
                "see whether `ssh {}` gets there; a host behind a jump host is asked on that: `ssh JUMP ssh-keyscan -t ed25519 {}`",
                target.host, target.host
            ),
            Self::Key { source, .. } => match source {
                PublicKeyError::OtherTypes { .. } => {
                    "make an ed25519 key on the host with `ssh-keygen -A`, and restart its sshd"
                        .to_owned()
                }
                other => other.fix().to_owned(),
            },
        }
    }
}

impl FromStr for ScanTarget {
    type Err = ScanTargetError;

    fn from_str(text: &str) -> Result<Self, ScanTargetError> {
        let invalid = |reason| ScanTargetError {
            text: text.to_owned(),
            reason,
        };
        // `root@chicago` is what people have at hand; who logs in does not matter here.
        let place = text.rsplit_once('@').map_or(text, |(_, place)| place);
        let (host, port) = if let Some(inside) = place.strip_prefix('[') {
            let (host, after) = inside
                .split_once(']')
                .ok_or_else(|| invalid("its bracket is not closed"))?;
            match after {
                "" => (host, None),
                after => (
                    host,
                    Some(
                        after
                            .strip_prefix(':')
                            .ok_or_else(|| invalid("after the bracket only `:PORT` may stand"))?,
                    ),
                ),
            }
        } else {
            match place.split_once(':') {
                // More than one colon: an IPv6 address without brackets, which can have no port.
                Some((_, rest)) if rest.contains(':') => (place, None),
                Some((host, port)) => (host, Some(port)),
                None => (place, None),
            }
        };
        if host.is_empty() {
            return Err(invalid("there is no name"));
        }
        let is_name =
            |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '%');
        if host.starts_with('-') || !host.chars().all(is_name) {
            return Err(invalid("a name has letters, digits, dots and hyphens"));
        }
        let port = match port {
            None => 22,
            Some(port) => port
                .parse()
                .ok()
                .filter(|port| *port != 0)
                .ok_or_else(|| invalid("a port is a number from 1 to 65535"))?,
        };
        Ok(Self {
            host: host.to_owned(),
            port,
        })
    }
}

impl fmt::Display for ScanTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.port, self.host.contains(':')) {
            (22, _) => f.write_str(&self.host),
            (port, true) => write!(f, "[{}]:{port}", self.host),
            (port, false) => write!(f, "{}:{port}", self.host),
        }
    }
}

impl ScanTarget {
    /// The name or address alone, without the port.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port; 22 unless another was named.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    fn ask(&self, kinds: &[&str]) -> Result<(String, String), ExecError> {
        let output = Program::new("ssh-keyscan")
            .args([
                "-T",
                &CONNECT_SECS.to_string(),
                "-p",
                &self.port.to_string(),
            ])
            .args(kinds)
            .args(["--", &self.host])
            .timeout(LONGEST)
            .output_limit(1024 * 1024)
            .run()?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok((text(&output.stdout), text(&output.stderr)))
    }
}

/// Asks `target` for its ed25519 host keys: most hosts have one.
///
/// Whoever answers at that address is believed. Show [`fingerprint`](HostPublicKey::fingerprint) to somebody who can
/// compare it with what `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` prints on the host.
///
/// # Errors
/// [`KeyscanError`]; a host without an ed25519 key is told from one that does not answer.
pub fn scan_host_key(target: &ScanTarget) -> Result<Vec<HostPublicKey>, KeyscanError> {
    let (found, stderr) = target.ask(&["-t", "ed25519"])?;
    let of_key = |source| KeyscanError::Key {
        target: target.clone(),
        source,
    };
    let keys = PublicKeys::read(&found).map_err(of_key)?;
    if !keys.usable.is_empty() {
        return Ok(keys.usable.into_iter().map(|named| named.key).collect());
    }
    let (found, _) = target.ask(&[])?;
    match PublicKeys::read(&found).map_err(of_key)?.first() {
        Err(source @ PublicKeyError::OtherTypes { .. }) => Err(of_key(source)),
        _ => Err(KeyscanError::NoAnswer {
            target: target.clone(),
            stderr: last_words(&stderr),
        }),
    }
}

/// What ssh-keyscan complains about, without the banners it shows of those that answered.
fn last_words(stderr: &str) -> String {
    let lines: Vec<&str> = stderr
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    lines.last().map_or_else(String::new, |line| {
        line.replace(|c: char| c.is_control(), " ")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_named_with_and_without_a_port() {
        for (text, expected) in [
            ("chicago", Ok(("chicago", 22))),
            ("root@chicago.example:2222", Ok(("chicago.example", 2222))),
            ("[fd00::1]:2222", Ok(("fd00::1", 2222))),
            ("[fd00::1]", Ok(("fd00::1", 22))),
            ("fd00::1", Ok(("fd00::1", 22))),
            ("10.0.0.1:22", Ok(("10.0.0.1", 22))),
            ("", Err("there is no name")),
            (":22", Err("there is no name")),
            (
                "-oProxyCommand=x",
                Err("a name has letters, digits, dots and hyphens"),
            ),
            ("a b", Err("a name has letters, digits, dots and hyphens")),
            ("chicago:ssh", Err("a port is a number from 1 to 65535")),
            ("chicago:0", Err("a port is a number from 1 to 65535")),
            ("[fd00::1", Err("its bracket is not closed")),
            (
                "[fd00::1]22",
                Err("after the bracket only `:PORT` may stand"),
            ),
        ] {
            let target = text.parse::<ScanTarget>();
            let found = match &target {
                Ok(target) => Ok((target.host.as_str(), target.port)),
                Err(error) => Err(error.reason),
            };
            assert_eq!(found, expected, "{text}");
        }
        assert_eq!(
            "[fd00::1]:2222".parse::<ScanTarget>().unwrap().to_string(),
            "[fd00::1]:2222"
        );
        assert_eq!("x:22".parse::<ScanTarget>().unwrap().to_string(), "x");
    }

    #[test]
    fn a_host_that_does_not_answer_is_named() {
        // Port 1 of this machine: nobody listens there.
        let target: ScanTarget = "127.0.0.1:1".parse().unwrap();
        let error = scan_host_key(&target).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("127.0.0.1:1 gives no host key"),
            "{error}"
        );
        assert!(error.fix().contains("ssh 127.0.0.1"), "{}", error.fix());
    }
}
