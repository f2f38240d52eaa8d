//! The address of a config repository, checked before anything is run or dialled.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Where a config repository lives: over ssh, over https, or on this machine.
///
/// Shown as it was written; there is never a password in it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Remote {
    text: String,
    address: Address,
}

/// The parts of a [`Remote`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Address {
    /// `ssh://[user@]host[:port]/path` or `[user@]host:path`.
    Ssh(SshAddress),
    /// `https://host[:port]/path`; `http://` only to this machine's loopback.
    Http(HttpAddress),
    /// A path on this machine, absolute or relative to the working directory.
    Local(PathBuf),
}

/// An account on an ssh server and the path of a repository there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SshAddress {
    /// The login name; without one, OpenSSH decides.
    pub user: Option<String>,
    /// Host name, address or alias of `ssh_config`; an IPv6 address without brackets.
    pub host: String,
    /// The port; without one, OpenSSH decides.
    pub port: Option<u16>,
    /// The path as the server gets it: `/srv/conf.git`, `~/conf.git` or `conf.git`.
    pub path: String,
}

/// A web server and the path of a repository there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HttpAddress {
    /// Scheme, host, port and path, without a slash at the end.
    pub url: String,
    /// Host and port as written, for messages and for the redirect rule.
    pub authority: String,
}

/// Text that is not the address of a repository that may be fetched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{shown}` is not a usable repository address: {reason}")]
pub struct RemoteError {
    /// The text, with a password in it replaced.
    pub shown: String,
    /// The rule it breaks.
    pub reason: RemoteErrorKind,
}

/// The rule that an address breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RemoteErrorKind {
    /// Nothing is there.
    #[error("it is empty")]
    Empty,
    /// A line break or another control character.
    #[error("it contains a control character")]
    ControlCharacter,
    /// `git://`, `ftp://`, `ext::` and the like.
    #[error("its protocol is not allowed")]
    Protocol,
    /// `http://` to another machine.
    #[error("plain http to another machine can be read and changed on the way")]
    PlainHttp,
    /// A user or password in front of a web server's name, or a password in front of an ssh server's.
    #[error("it contains credentials")]
    Credentials,
    /// No host.
    #[error("it names no host")]
    NoHost,
    /// A host or user that OpenSSH could take for an option, or with characters no host has.
    #[error("its host or user has characters that no host or user name has")]
    BadHost,
    /// A port outside 1 to 65535.
    #[error("its port is not a number from 1 to 65535")]
    BadPort,
    /// No path, or one that begins with `-`.
    #[error("it has no path, or one that begins with `-`")]
    BadPath,
    /// `?` or `#` in a web address.
    #[error("it has a query or a fragment")]
    Query,
}

impl RemoteErrorKind {
    /// What to do about it.
    #[must_use]
    pub fn fix(self) -> &'static str {
        match self {
            Self::Empty | Self::NoHost | Self::BadPath | Self::ControlCharacter | Self::BadHost => {
                "write it as `ssh://git@HOST/PATH`, `git@HOST:PATH`, `https://HOST/PATH` or a path on this machine"
            }
            Self::Protocol => "use ssh://, https:// or a path on this machine",
            Self::PlainHttp => "use https:// or ssh://",
            Self::Credentials => {
                "use ssh, where the host's own key is the credential: add the host's public key as a read-only deploy key"
            }
            Self::BadPort => "write the port as `ssh://git@HOST:2222/PATH`",
            Self::Query => "leave out everything from `?` or `#` on",
        }
    }
}

impl Remote {
    /// Checks `text` and takes it apart.
    ///
    /// # Errors
    /// [`RemoteError`] names the rule; its kind has the fix.
    pub fn parse(text: &str) -> Result<Self, RemoteError> {
        match parse_address(text) {
            Ok(address) => Ok(Self {
                text: text.to_owned(),
                address,
            }),
            Err(reason) => Err(RemoteError {
                shown: without_credentials(text),
                reason,
            }),
        }
    }

    /// The parts.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// The address as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

fn parse_address(text: &str) -> Result<Address, RemoteErrorKind> {
    if text.is_empty() {
        return Err(RemoteErrorKind::Empty);
    }
    if text.chars().any(char::is_control) {
        return Err(RemoteErrorKind::ControlCharacter);
    }
    if let Some((scheme, rest)) = text.split_once("://") {
        return match scheme.to_ascii_lowercase().as_str() {
            "ssh" => ssh_url(rest).map(Address::Ssh),
            "https" => http_url("https", rest).map(Address::Http),
            "http" => {
                let address = http_url("http", rest)?;
                if is_loopback(&address.authority) {
                    Ok(Address::Http(address))
                } else {
                    Err(RemoteErrorKind::PlainHttp)
                }
            }
            "file" => match rest.strip_prefix("localhost").unwrap_or(rest) {
                path if path.starts_with('/') => Ok(Address::Local(PathBuf::from(path))),
                _ => Err(RemoteErrorKind::BadPath),
            },
            _ => Err(RemoteErrorKind::Protocol),
        };
    }
    // `ext::…` and `fd::…` run commands in git; here they are nothing at all.
    let before_slash = text.split('/').next().unwrap_or_default();
    if before_slash.contains("::") && !before_slash.starts_with('[') && !before_slash.contains("@[")
    {
        return Err(RemoteErrorKind::Protocol);
    }
    if before_slash.contains(':') {
        return scp_like(text).map(Address::Ssh);
    }
    if text.starts_with('-') {
        return Err(RemoteErrorKind::BadPath);
    }
    Ok(Address::Local(PathBuf::from(text)))
}

fn ssh_url(rest: &str) -> Result<SshAddress, RemoteErrorKind> {
    let (authority, path) = rest.split_once('/').ok_or(RemoteErrorKind::BadPath)?;
    let (user, host_and_port) = split_user(authority)?;
    let (host, port) = split_port(host_and_port)?;
    // As git has it: `ssh://host/~/x` and `/~user/x` are below a home directory, anything else is absolute.
    let path = if path.starts_with('~') {
        path.to_owned()
    } else {
        format!("/{path}")
    };
    ssh_address(user, host, port, path)
}

fn scp_like(text: &str) -> Result<SshAddress, RemoteErrorKind> {
    let (user, rest) = match text.split_once('@') {
        Some((user, rest)) if !user.contains(['/', ':']) => (Some(user), rest),
        _ => (None, text),
    };
    let (host, path) = if let Some(inner) = rest.strip_prefix('[') {
        inner.split_once("]:").ok_or(RemoteErrorKind::BadHost)?
    } else {
        rest.split_once(':').ok_or(RemoteErrorKind::BadPath)?
    };
    if path.contains('@') && user.is_none() {
        return Err(RemoteErrorKind::Credentials); // `user:password@host/…` without a scheme
    }
    ssh_address(user, host, None, path.to_owned())
}

fn ssh_address(
    user: Option<&str>,
    host: &str,
    port: Option<u16>,
    path: String,
) -> Result<SshAddress, RemoteErrorKind> {
    if host.is_empty() {
        return Err(RemoteErrorKind::NoHost);
    }
    if !is_host(host) || !user.is_none_or(is_user) {
        return Err(RemoteErrorKind::BadHost);
    }
    if path.is_empty() || path == "/" || path.starts_with('-') {
        return Err(RemoteErrorKind::BadPath);
    }
    Ok(SshAddress {
        user: user.map(str::to_owned),
        host: host.to_owned(),
        port,
        path,
    })
}

fn http_url(scheme: &str, rest: &str) -> Result<HttpAddress, RemoteErrorKind> {
    let (authority, path) = rest.split_once('/').ok_or(RemoteErrorKind::BadPath)?;
    if authority.contains('@') {
        return Err(RemoteErrorKind::Credentials);
    }
    let (host, _) = split_port(authority)?;
    if host.is_empty() {
        return Err(RemoteErrorKind::NoHost);
    }
    if !is_host(host) {
        return Err(RemoteErrorKind::BadHost);
    }
    if path.contains(['?', '#']) {
        return Err(RemoteErrorKind::Query);
    }
    let path = path.trim_end_matches('/');
    if path.is_empty() || !path.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(RemoteErrorKind::BadPath);
    }
    Ok(HttpAddress {
        url: format!("{scheme}://{authority}/{path}"),
        authority: authority.to_ascii_lowercase(),
    })
}

fn split_user(authority: &str) -> Result<(Option<&str>, &str), RemoteErrorKind> {
    match authority.rsplit_once('@') {
        None => Ok((None, authority)),
        Some((user, _)) if user.contains(':') => Err(RemoteErrorKind::Credentials),
        Some((user, rest)) => Ok((Some(user), rest)),
    }
}

fn split_port(text: &str) -> Result<(&str, Option<u16>), RemoteErrorKind> {
    let (host, port) = if let Some(inner) = text.strip_prefix('[') {
        let (host, after) = inner.split_once(']').ok_or(RemoteErrorKind::BadHost)?;
        match after.strip_prefix(':') {
            Some(port) => (host, Some(port)),
            None if after.is_empty() => (host, None),
            None => return Err(RemoteErrorKind::BadHost),
        }
    } else {
        match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        }
    };
    let port = match port {
        None => None,
        Some(port) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => {
            match port.parse::<u16>() {
                Ok(0) | Err(_) => return Err(RemoteErrorKind::BadPort),
                Ok(number) => Some(number),
            }
        }
        Some(_) => return Err(RemoteErrorKind::BadPort),
    };
    Ok((host, port))
}

/// Letters, digits, `.`, `-`, `_` and the colons and zone of an IPv6 address; never a `-` in front, which
/// OpenSSH would read as an option.
fn is_host(host: &str) -> bool {
    !host.starts_with('-')
        && host.len() <= 255
        && host
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b".-_:%".contains(&b))
}

fn is_user(user: &str) -> bool {
    !user.is_empty()
        && !user.starts_with('-')
        && user.len() <= 64
        && user
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b".-_+@$".contains(&b))
}

fn is_loopback(authority: &str) -> bool {
    let host = split_port(authority).map_or("", |(host, _)| host);
    matches!(host, "127.0.0.1" | "::1" | "localhost")
}

/// `text` fit for a message: whatever stands between the scheme and an `@` is replaced when it has a colon.
fn without_credentials(text: &str) -> String {
    let start = text.find("://").map_or(0, |at| at + 3);
    let end = text[start..].find('/').map_or(text.len(), |at| start + at);
    let cleaned = match text[start..end].rfind('@') {
        Some(at) if text[start..start + at].contains(':') => {
            format!("{}…{}", &text[..start], &text[start + at..])
        }
        // A token may stand alone in front of a web server's name.
        Some(at) if text[..start].to_ascii_lowercase().starts_with("http") => {
            format!("{}…{}", &text[..start], &text[start + at..])
        }
        _ => text.to_owned(),
    };
    cleaned
        .chars()
        .filter(|c| !c.is_control())
        .take(200)
        .collect()
}

impl fmt::Display for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.text)
    }
}

impl FromStr for Remote {
    type Err = RemoteError;
    fn from_str(text: &str) -> Result<Self, RemoteError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Remote {
    type Error = RemoteError;
    fn try_from(text: String) -> Result<Self, RemoteError> {
        Self::parse(&text)
    }
}

impl From<Remote> for String {
    fn from(remote: Remote) -> Self {
        remote.text
    }
}

#[cfg(test)]
mod tests;
