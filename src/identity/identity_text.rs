//! Private keys as text: age identity files and SSH private keys.

use std::io::BufReader;
use std::path::Path;

use zeroize::Zeroizing;

use super::found::{Entry, Found};
use super::host_key::HostKey;
use super::locked::Locked;
use super::plugin::PluginIdentity;

/// Text that holds no identity that can be used. Never repeats the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentityTextError {
    /// Not UTF-8.
    #[error("it is not text")]
    NotText,
    /// No identity in it.
    #[error("it holds no identity")]
    Empty,
    /// A line that is not an identity.
    #[error("line {line} is not an age identity")]
    BadLine {
        /// Number of the line, from 1.
        line: usize,
    },
    /// A recipient where an identity belongs.
    #[error("line {line} is a recipient, the public half of a key")]
    Recipient {
        /// Number of the line, from 1.
        line: usize,
    },
    /// A post-quantum identity.
    #[error(
        "line {line} is a post-quantum identity (AGE-SECRET-KEY-PQ-1…), which this version cannot use"
    )]
    PostQuantum {
        /// Number of the line, from 1.
        line: usize,
    },
    /// An age identity file that is encrypted, and not with a passphrase.
    #[error("it is an age file that is encrypted to other keys, not with a passphrase")]
    EncryptedToKeys,
    /// An encrypted age identity file that cannot be read.
    #[error("it is an encrypted age identity file that is damaged: {reason}")]
    DamagedFile {
        /// What age said.
        reason: String,
    },
    /// An SSH private key in the old form, with a passphrase.
    #[error("it is an SSH key in the old PEM form, with a passphrase")]
    OldForm,
    /// An SSH private key of a type that age has no stanza for.
    #[error("it is an SSH key of type {kind}; only ed25519 and RSA keys can open age files")]
    SshType {
        /// The type.
        kind: String,
    },
    /// Begins like an SSH private key and is none.
    #[error("it is not a whole SSH private key")]
    BadSshKey,
}

impl IdentityTextError {
    /// How to go on.
    #[must_use]
    pub fn fix(&self) -> &'static str {
        match self {
            Self::NotText | Self::Empty | Self::BadLine { .. } => {
                "an age identity is a line that begins with AGE-SECRET-KEY-1; lines with # are comments"
            }
            Self::Recipient { .. } => "name the file with the private key",
            Self::PostQuantum { .. } => {
                "use a plain age key as well, an ed25519 or RSA SSH key, or sops 3.12"
            }
            Self::SshType { .. } => "use a plain age key, or an ed25519 or RSA SSH key",
            Self::EncryptedToKeys => {
                "decrypt it into SOPS_AGE_KEY for this one command: SOPS_AGE_KEY=\"$(age -d -i KEY FILE)\" steadfast secrets …"
            }
            Self::DamagedFile { .. } => "restore the file from a backup",
            Self::OldForm => {
                "convert it with `ssh-keygen -p -f FILE`; the passphrase may stay the same"
            }
            Self::BadSshKey => "copy the key file again",
        }
    }
}

/// Whether several identities may stand on one line, as sops allows in `SOPS_AGE_KEY`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Words {
    OnePerLine,
    Many,
}

/// Reads age identities, one per line. One bad line spoils the source, as in sops; a line of a kind that only others can
/// use does not.
pub(super) fn parse_age_identities(
    text: &[u8],
    words: Words,
    name: &str,
) -> Result<Found, IdentityTextError> {
    if text.starts_with(b"age-encryption") || text.starts_with(b"-----BEGIN AGE") {
        return Ok(Locked::file(text, name).into());
    }
    let text = std::str::from_utf8(text).map_err(|_not_utf8| IdentityTextError::NotText)?;
    let mut found = Found::default();
    for (index, line) in text.lines().enumerate() {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        let parts: Vec<&str> = match words {
            Words::OnePerLine => vec![trimmed],
            Words::Many => trimmed.split_ascii_whitespace().collect(),
        };
        for part in parts {
            parse_age_identity(part, index + 1, name, &mut found)?;
        }
    }
    if found.entries.is_empty() && found.plugins.is_empty() && found.problems.is_empty() {
        return Err(IdentityTextError::Empty);
    }
    Ok(found)
}

fn parse_age_identity(
    text: &str,
    line: usize,
    name: &str,
    found: &mut Found,
) -> Result<(), IdentityTextError> {
    if text.starts_with("AGE-SECRET-KEY-PQ-") {
        found.problems.push(IdentityTextError::PostQuantum { line });
    } else if text.starts_with("AGE-PLUGIN-") {
        let plugin = PluginIdentity::parse(text, name);
        found
            .plugins
            .push(plugin.ok_or(IdentityTextError::BadLine { line })?);
    } else if text.starts_with("age1") || text.starts_with("ssh-") {
        return Err(IdentityTextError::Recipient { line });
    } else {
        let identity: age::x25519::Identity = text
            .parse()
            .map_err(|_reason| IdentityTextError::BadLine { line })?;
        let recipient = identity.to_public().to_string();
        found
            .entries
            .push(Entry::new(name, recipient, Box::new(identity)));
    }
    Ok(())
}

const OPENSSH: &[u8] = b"-----BEGIN OPENSSH PRIVATE KEY-----";

/// Reads an SSH private key. An ed25519 key also gives the identity that ssh-to-age derives of it.
pub(super) fn parse_ssh_identity(
    text: &[u8],
    path: &Path,
    name: &str,
) -> Result<Found, IdentityTextError> {
    if let Ok(key) = HostKey::parse(text, path) {
        return Ok(Entry::of_ed25519(&key, name).into());
    }
    match ssh_key::PrivateKey::from_openssh(text) {
        Ok(key) if key.is_encrypted() => return Ok(Locked::ssh(key, name)?.into()),
        Ok(_)
        | Err(ssh_key::Error::AlgorithmUnknown | ssh_key::Error::AlgorithmUnsupported { .. }) => {}
        // age 0.12 panics on an RSA key with a number that is written as zero bytes alone.
        Err(_) if text.starts_with(OPENSSH) => return Err(IdentityTextError::BadSshKey),
        Err(_) => {}
    }
    let identity = age::ssh::Identity::from_buffer(BufReader::new(text), None)
        .map_err(|_reason| IdentityTextError::BadSshKey)?;
    match &identity {
        age::ssh::Identity::Unencrypted(_) => {
            let recipient = age::ssh::Recipient::try_from(identity.clone())
                .map_err(|_reason| IdentityTextError::BadSshKey)?;
            let entry = Entry::new(name, recipient.to_string(), Box::new(identity));
            Ok(vec![entry].into())
        }
        // A protected key in OpenSSH's form was taken above: this one is of a form or cipher that cannot be opened.
        age::ssh::Identity::Encrypted(_) => Err(IdentityTextError::BadSshKey),
        age::ssh::Identity::Unsupported(kind) => Err(match kind {
            age::ssh::UnsupportedKey::EncryptedPem | age::ssh::UnsupportedKey::EncryptedSsh(_) => {
                IdentityTextError::OldForm
            }
            age::ssh::UnsupportedKey::Hardware(kind) | age::ssh::UnsupportedKey::Type(kind) => {
                IdentityTextError::SshType { kind: kind.clone() }
            }
        }),
    }
}

/// Reads a file that is either an SSH private key or an age identity file.
pub(super) fn parse_any(
    text: &Zeroizing<Vec<u8>>,
    path: &Path,
    name: &str,
) -> Result<Found, IdentityTextError> {
    let looks_like_ssh = text.starts_with(b"-----BEGIN ") && !text.starts_with(b"-----BEGIN AGE");
    if looks_like_ssh {
        parse_ssh_identity(text, path, name)
    } else {
        parse_age_identities(text, Words::OnePerLine, name)
    }
}
