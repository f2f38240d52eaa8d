//! ssh by running OpenSSH: `ssh_config`, jump hosts, FIDO keys and certificates work as everywhere else.

use std::io::{Read, Write};
use std::path::PathBuf;
use std::time::Duration;

use super::packet::FLUSH;
use super::protocol::Connection;
use super::trouble::{Trouble, one_line};
use super::{Limits, SshAccess};
use crate::host::exec::{ExecError, PipedChild, Program};
use crate::source::{FetchErrorKind, SshAddress};

/// upload-pack sends a sign of life every five seconds while it packs.
const LONGEST_SILENCE: Duration = Duration::from_mins(1);

/// `git-upload-pack` at the far end of an `ssh` process.
pub(super) struct SshConnection {
    child: PipedChild,
    address: SshAddress,
    key: Option<PathBuf>,
    known_hosts: String,
    silence: Duration,
}

impl SshConnection {
    /// Starts OpenSSH; whether it gets through shows at the first read.
    pub(super) fn open(
        address: &SshAddress,
        access: &SshAccess,
        limits: Limits,
    ) -> Result<Self, FetchErrorKind> {
        let silence = LONGEST_SILENCE.min(limits.time);
        let child = Program::new("ssh")
            .args(arguments(address, access))
            // sshd passes it on only with `AcceptEnv GIT_PROTOCOL`; without, the server speaks the older version.
            .env("GIT_PROTOCOL", "version=2")
            .timeout(silence)
            .pipe()
            .map_err(|error| FetchErrorKind::NoSsh {
                detail: error.to_string(),
            })?;
        let known_hosts: Vec<String> = access
            .known_hosts
            .iter()
            .map(|p| p.display().to_string())
            .collect();
        Ok(Self {
            child,
            address: address.clone(),
            key: access.key.clone(),
            known_hosts: known_hosts.join(" "),
            silence,
        })
    }
}

impl Connection for SshConnection {
    fn greeting(&mut self) -> Result<Box<dyn Read + '_>, Trouble> {
        Ok(Box::new(&mut self.child))
    }

    fn ask(&mut self, request: &[u8]) -> Result<Box<dyn Read + '_>, Trouble> {
        self.child.write_all(request)?;
        self.child.flush()?;
        Ok(Box::new(&mut self.child))
    }

    fn close(mut self: Box<Self>) {
        // Everything that was wanted is here; a server that hangs up first takes nothing away.
        let _ = self.child.write_all(FLUSH);
        let _ = self.child.finish();
    }

    fn explain(self: Box<Self>, trouble: Trouble) -> FetchErrorKind {
        let said = match trouble {
            Trouble::Clear(kind) => return kind,
            Trouble::Said(said) => said,
            Trouble::Io(_) | Trouble::Ended => String::new(),
        };
        let Self {
            child,
            address,
            key,
            known_hosts,
            silence,
        } = *self;
        let stderr = if said.is_empty() {
            match child.finish() {
                Err(ExecError::TimedOut { .. }) => {
                    return FetchErrorKind::TimedOut { limit: silence };
                }
                Err(error) => error.stderr().to_owned(),
                Ok(()) => String::new(),
            }
        } else {
            format!("{said}\n{}", child.stderr_tail())
        };
        cause(&stderr, &address, key, known_hosts)
    }
}

fn arguments(address: &SshAddress, access: &SshAccess) -> Vec<String> {
    let mut arguments = vec!["-T".to_owned()];
    let mut option = |text: String| arguments.extend(["-o".to_owned(), text]);
    for fixed in [
        "BatchMode=yes",
        "StrictHostKeyChecking=yes",
        "GlobalKnownHostsFile=/dev/null",
        "KnownHostsCommand=none",
        "VerifyHostKeyDNS=no",
        "UpdateHostKeys=no",
        "ForwardAgent=no",
        "ClearAllForwardings=yes",
        "PermitLocalCommand=no",
        "ServerAliveInterval=15",
        "ServerAliveCountMax=3",
        "SendEnv=GIT_PROTOCOL",
        "LogLevel=ERROR",
    ] {
        option(fixed.to_owned());
    }
    option(format!(
        "ConnectTimeout={}",
        access.connect_timeout.as_secs().max(1)
    ));
    option(format!(
        "UserKnownHostsFile={}",
        file_list(&access.known_hosts)
    ));
    if let Some(key) = &access.key {
        option("IdentitiesOnly=yes".to_owned());
        // Not `-i`: with that, OpenSSH falls back to the user's own keys when the file is not there.
        option(format!(
            "IdentityFile={}",
            file_list(std::slice::from_ref(key))
        ));
    }
    if let Some(port) = address.port {
        arguments.extend(["-p".to_owned(), port.to_string()]);
    }
    if let Some(user) = &address.user {
        arguments.extend(["-l".to_owned(), user.clone()]);
    }
    arguments.extend([
        "--".to_owned(),
        address.host.clone(),
        format!("git-upload-pack {}", quoted(&address.path)),
    ]);
    arguments
}

/// Several files in one option are separated by blanks and quoted; `%` begins a token.
fn file_list(files: &[PathBuf]) -> String {
    if files.is_empty() {
        return "none".to_owned();
    }
    let quoted: Vec<String> = files
        .iter()
        .map(|file| {
            let text = file.display().to_string().replace('%', "%%");
            format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
        })
        .collect();
    quoted.join(" ")
}

/// For the shell of the far side, as git quotes it.
fn quoted(path: &str) -> String {
    format!("'{}'", path.replace('\'', "'\\''").replace('!', "'\\!'"))
}

/// Reads what OpenSSH or the far git wrote to stderr.
fn cause(
    stderr: &str,
    address: &SshAddress,
    key: Option<PathBuf>,
    known_hosts: String,
) -> FetchErrorKind {
    let has = |texts: &[&str]| texts.iter().any(|text| stderr.contains(text));
    let detail = one_line(stderr);
    // Of the long warning only the last lines are kept.
    if has(&[
        "has changed and you have requested strict checking",
        "REVOKED HOST KEY",
        "marked as revoked",
    ]) {
        let detail = stderr
            .lines()
            .find(|line| line.starts_with("Host key for") || line.starts_with("Offending"))
            .map_or_else(|| "its ssh key is not the pinned one".to_owned(), one_line);
        return FetchErrorKind::HostKeyMismatch { detail };
    }
    if has(&["host key is known for", "Host key verification failed"]) {
        let host = match address.port {
            Some(port) if port != 22 => format!("[{}]:{port}", address.host),
            _ => address.host.clone(),
        };
        return FetchErrorKind::HostKeyUnknown { host, known_hosts };
    }
    if has(&[
        "Permission denied (",
        "Too many authentication failures",
        "No supported authentication methods",
    ]) {
        return FetchErrorKind::AuthRefused { detail, key };
    }
    if has(&[
        "does not appear to be a git repository",
        "not a git repository",
        "epository not found",
        "does not exist",
        "No such file or directory",
        "project you were looking for could not be found",
    ]) {
        return FetchErrorKind::NoSuchRepository { detail };
    }
    if has(&[
        "Could not resolve hostname",
        "Connection refused",
        "Connection timed out",
        "Operation timed out",
        "No route to host",
        "Network is unreachable",
        "Connection closed",
        "Connection reset",
        "onnection to",
        "kex_exchange_identification",
        "not responding",
    ]) {
        return FetchErrorKind::Unreachable { detail };
    }
    if detail.is_empty() {
        return FetchErrorKind::Unreachable {
            detail: "the connection ended without a word".to_owned(),
        };
    }
    FetchErrorKind::Server { detail }
}

#[cfg(test)]
mod tests;
