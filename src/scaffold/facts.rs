//! What a machine says about itself over ssh: its system, its architecture, its name.

use std::fmt;
use std::io::Write as _;
use std::str::FromStr;
use std::time::Duration;

use crate::host::exec::{ExecError, Program};
use crate::identity::{HostPublicKey, ScanTarget, ScanTargetError};

/// What is asked for, in one command that every shell understands.
const QUESTION: &str =
    "cat /etc/os-release; echo; echo FLEET_ARCH=\"$(uname -m)\"; echo FLEET_NAME=\"$(uname -n)\"";
const LONGEST: Duration = Duration::from_mins(1);

/// What a machine says about itself. What it does not say is not there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// `ID` of `/etc/os-release`, such as `debian`.
    pub os: Option<String>,
    /// `VERSION_ID`, such as `13`.
    pub version: Option<String>,
    /// `uname -m`, such as `x86_64`.
    pub arch: Option<String>,
    /// The name that it runs under.
    pub name: Option<String>,
}

/// Where a machine is reached: as `ssh` takes it, with the name and port that ssh's settings make of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SshTarget {
    /// As it was typed, without a port: `root@chicago`.
    destination: String,
    port: Option<u16>,
}

/// Text that is no address.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct SshTargetError(#[from] ScanTargetError);

/// A machine that does not answer.
#[derive(Debug, thiserror::Error)]
pub enum FactsError {
    /// The temporary file with its key.
    #[error("cannot write the key of {target} down for ssh")]
    KnownHosts {
        /// Which machine.
        target: SshTarget,
        /// Why not.
        source: std::io::Error,
    },
    /// ssh.
    #[error("cannot ask {target} what it is")]
    Ssh {
        /// Which machine.
        target: SshTarget,
        /// What came of it.
        source: Box<ExecError>,
    },
}

impl FactsError {
    /// How to go on.
    #[must_use]
    pub fn fix(&self) -> Option<String> {
        match self {
            Self::KnownHosts { .. } => None,
            Self::Ssh { target, .. } => Some(format!(
                "`ssh {target} true` must work without a question; name the account as `root@…` where it is another than yours"
            )),
        }
    }
}

impl FromStr for SshTarget {
    type Err = SshTargetError;

    /// `chicago`, `root@10.0.0.7`, `root@10.0.0.7:2222`, `root@[fd00::1]:2222`, or a name of `~/.ssh/config`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let target: ScanTarget = text.parse()?;
        let account = text.rsplit_once('@').map(|(account, _)| account);
        let destination = match account {
            Some(account) => format!("{account}@{}", target.host()),
            None => target.host().to_owned(),
        };
        Ok(Self {
            destination,
            port: (target.port() != 22).then(|| target.port()),
        })
    }
}

impl fmt::Display for SshTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            None => f.write_str(&self.destination),
            Some(port) => write!(f, "{} -p {port}", self.destination),
        }
    }
}

impl SshTarget {
    /// The address that ssh would connect to: names of `~/.ssh/config` are looked up.
    #[must_use]
    pub fn scan_target(&self) -> Option<ScanTarget> {
        let output = self
            .ssh()
            .arg("-G")
            .args(["--", &self.destination])
            .run_ok()
            .ok()?;
        let text = String::from_utf8_lossy(&output).into_owned();
        let setting = |name: &str| {
            text.lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))
        };
        let (host, port) = (setting("hostname")?, setting("port")?);
        let host = if host.contains(':') {
            format!("[{host}]")
        } else {
            host.to_owned()
        };
        format!("{host}:{port}").parse().ok()
    }

    fn ssh(&self) -> Program {
        let port = self.port.map(|port| port.to_string());
        let port = port.iter().flat_map(|port| ["-p", port.as_str()]);
        Program::new("ssh").args(port).timeout(LONGEST)
    }
}

/// Asks the machine at `target`, which must have the host key `key`.
///
/// # Errors
/// [`FactsError`]: it does not answer, has another key, or lets this person not in.
pub fn ask_facts(target: &SshTarget, key: &HostPublicKey) -> Result<Facts, FactsError> {
    let known = known_hosts(key).map_err(|source| FactsError::KnownHosts {
        target: target.clone(),
        source,
    })?;
    let output = target
        .ssh()
        .args([
            "-T",
            "-o",
            "BatchMode=yes",
            "-o",
            "StrictHostKeyChecking=yes",
        ])
        .args([
            "-o",
            "GlobalKnownHostsFile=/dev/null",
            "-o",
            "HostKeyAlias=asked",
        ])
        .args([
            "-o",
            "HostKeyAlgorithms=ssh-ed25519",
            "-o",
            "LogLevel=ERROR",
        ])
        .args([
            "-o",
            "UpdateHostKeys=no",
            "-o",
            "ForwardAgent=no",
            "-o",
            "ClearAllForwardings=yes",
        ])
        .arg("-o")
        .arg(format!("UserKnownHostsFile={}", known.path().display()))
        .args(["--", &target.destination, QUESTION])
        .output_limit(64 * 1024)
        .run_ok()
        .map_err(|source| FactsError::Ssh {
            target: target.clone(),
            source: Box::new(source),
        })?;
    Ok(Facts::read(&String::from_utf8_lossy(&output)))
}

/// A `known_hosts` with the one key that is believed.
fn known_hosts(key: &HostPublicKey) -> std::io::Result<tempfile::NamedTempFile> {
    let mut file = tempfile::NamedTempFile::new()?;
    writeln!(file, "asked {}", key.openssh())?;
    Ok(file)
}

impl Facts {
    /// Reads lines `NAME=value` as a shell would, quotes included.
    fn read(text: &str) -> Self {
        let value = |name: &str| {
            let line = text
                .lines()
                .find_map(|line| line.trim().strip_prefix(name)?.strip_prefix('='))?;
            let value = line.trim().trim_matches(['"', '\'']);
            let fits = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
            (!value.is_empty() && value.chars().all(fits)).then(|| value.to_owned())
        };
        Self {
            os: value("ID"),
            version: value("VERSION_ID"),
            arch: value("FLEET_ARCH"),
            name: value("FLEET_NAME"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_read_as_a_shell_writes_them() {
        let text = "PRETTY_NAME=\"Debian GNU/Linux 13 (trixie)\"\nVERSION_ID=\"13\"\nID=debian\n\nFLEET_ARCH=x86_64\nFLEET_NAME=dallas\n";
        let facts = Facts::read(text);
        let said = [facts.os, facts.version, facts.arch, facts.name];
        assert_eq!(
            said.each_ref().map(Option::as_deref),
            [Some("debian"), Some("13"), Some("x86_64"), Some("dallas")]
        );
        // Something that would be more than a word in a host file is not believed.
        assert_eq!(
            Facts::read("ID=\"a: b\"\nFLEET_NAME=x\\ny\n"),
            Facts::default()
        );
    }

    #[test]
    fn a_target_is_what_ssh_takes() {
        for (text, shown) in [
            ("dallas", "dallas"),
            ("root@10.0.0.7", "root@10.0.0.7"),
            ("root@10.0.0.7:2222", "root@10.0.0.7 -p 2222"),
            ("root@[fd00::1]:2222", "root@fd00::1 -p 2222"),
        ] {
            assert_eq!(text.parse::<SshTarget>().unwrap().to_string(), shown);
        }
        assert!("-oProxyCommand=x".parse::<SshTarget>().is_err());
    }
}
