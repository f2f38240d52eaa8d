//! Recipients: the public keys that a secret file's data key is wrapped for.

use std::fmt;
use std::str::FromStr as _;

use age::ssh::ParseRecipientKeyError;

/// Somebody who can open a secret file: an age key, or an SSH key used as one.
///
/// Two recipients are equal if they are the same key; an SSH key's comment does not count.
#[derive(Clone)]
pub struct Recipient {
    text: String,
    kind: Kind,
}

#[derive(Clone)]
enum Kind {
    X25519(age::x25519::Recipient),
    Ssh(age::ssh::Recipient),
}

/// Text that is not a recipient, or one that this build cannot encrypt to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecipientError {
    /// Not a recipient.
    #[error("`{text}` is not a recipient: {reason}")]
    Invalid {
        /// What was given.
        text: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// `age1pq1…`: hybrid post-quantum.
    #[error(
        "the recipient `{short}` is a post-quantum key (age1pq1…), which this version cannot encrypt to"
    )]
    PostQuantum {
        /// Its beginning.
        short: String,
    },
    /// `age1NAME1…`: needs a plugin.
    #[error(
        "the recipient `{short}` needs the age plugin `{plugin}`, and plugins are not supported"
    )]
    Plugin {
        /// Its beginning.
        short: String,
        /// The plugin's name.
        plugin: String,
    },
    /// An SSH key type that age has no stanza for.
    #[error(
        "the recipient `{short}` is an SSH key of type {kind}; only ssh-ed25519 and ssh-rsa can be recipients"
    )]
    SshType {
        /// Its beginning.
        short: String,
        /// The type.
        kind: String,
    },
    /// A private key where a public one belongs.
    #[error("this is a private key, not a recipient; it is not shown here")]
    Private,
}

impl RecipientError {
    /// How to go on.
    #[must_use]
    pub fn fix(&self) -> &'static str {
        match self {
            Self::Invalid { .. } => "use `age1…`, `ssh-ed25519 AAAA…` or `ssh-rsa AAAA…`",
            Self::PostQuantum { .. } | Self::Plugin { .. } => {
                "give this person or host a second, plain age or SSH key"
            }
            Self::SshType { .. } => "make a key with `ssh-keygen -t ed25519`",
            Self::Private => {
                "take the private key out of the file and out of git's history, replace it, and use its public half (`age-keygen -y`)"
            }
        }
    }
}

/// A data key that could not be wrapped.
#[derive(Debug, thiserror::Error)]
#[error("cannot encrypt to the recipient `{recipient}`: {reason}")]
pub struct WrapError {
    /// The recipient.
    pub recipient: String,
    /// What age said.
    pub reason: String,
}

impl Recipient {
    /// Reads one recipient, as in `.sops.yaml` or a secret file's metadata. Blanks around it are dropped.
    ///
    /// # Errors
    /// [`RecipientError`] names the kinds that sops knows and this build does not.
    ///
    /// Source: SOPS format §age, recipients; the order of the checks is sops'.
    pub fn parse(text: &str) -> Result<Self, RecipientError> {
        let text = text.trim();
        let short = || shorten(text);
        let upper = text.to_ascii_uppercase();
        if upper.contains("PRIVATE KEY") || upper.contains("AGE-SECRET-KEY-") {
            return Err(RecipientError::Private);
        }
        let kind = if text.starts_with("age1pq1") {
            return Err(RecipientError::PostQuantum { short: short() });
        } else if let Some(rest) = text.strip_prefix("age1") {
            if let Some((plugin, _)) = rest.rsplit_once('1') {
                return Err(RecipientError::Plugin {
                    short: short(),
                    plugin: plugin.to_owned(),
                });
            }
            let key = age::x25519::Recipient::from_str(text);
            Kind::X25519(key.map_err(|_reason| RecipientError::Invalid {
                text: text.to_owned(),
                reason: "its checksum does not fit, so a character is wrong or missing",
            })?)
        } else if text.starts_with("ssh-") || text.starts_with("ecdsa-") || text.starts_with("sk-")
        {
            Kind::Ssh(parse_ssh(text)?)
        } else {
            return Err(RecipientError::Invalid {
                text: short(),
                reason: "it begins with neither `age1` nor `ssh-`",
            });
        };
        Ok(Self {
            text: text.to_owned(),
            kind,
        })
    }

    /// The recipient as it was written, with an SSH key's comment.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The key alone, without an SSH key's comment: what two recipients are compared by.
    #[must_use]
    pub fn key(&self) -> String {
        match &self.kind {
            Kind::X25519(_) => self.text.clone(),
            Kind::Ssh(key) => key.to_string(),
        }
    }

    /// A form of at most some twenty characters, for tables.
    #[must_use]
    pub fn short(&self) -> String {
        shorten(&self.key())
    }

    /// Encrypts `secret`, a data key, to this recipient alone.
    ///
    /// The result is one armored age file with a final newline, what sops stores as `enc`.
    ///
    /// # Errors
    /// [`WrapError`] if age refuses, which no valid recipient was seen to cause.
    pub fn wrap(&self, secret: &[u8]) -> Result<String, WrapError> {
        let armored = match &self.kind {
            Kind::X25519(key) => age::encrypt_and_armor(key, secret),
            Kind::Ssh(key) => age::encrypt_and_armor(key, secret),
        };
        let mut armored = armored.map_err(|reason| WrapError {
            recipient: self.short(),
            reason: reason.to_string(),
        })?;
        if !armored.ends_with('\n') {
            armored.push('\n');
        }
        Ok(armored)
    }
}

fn parse_ssh(text: &str) -> Result<age::ssh::Recipient, RecipientError> {
    let invalid = |reason| RecipientError::Invalid {
        text: shorten(text),
        reason,
    };
    let of_type = |kind: &str| RecipientError::SshType {
        short: shorten(text),
        kind: kind.to_owned(),
    };
    let kind = text.split_ascii_whitespace().next().unwrap_or_default();
    age::ssh::Recipient::from_str(text).map_err(|reason| match reason {
        ParseRecipientKeyError::RsaModulusTooLarge => {
            invalid("its RSA modulus is larger than 4096 bits")
        }
        ParseRecipientKeyError::RsaModulusTooSmall => {
            invalid("its RSA modulus is smaller than 2048 bits, which is too weak")
        }
        ParseRecipientKeyError::Unsupported(kind) => of_type(&kind),
        _ if kind != "ssh-ed25519" && kind != "ssh-rsa" => of_type(kind),
        _ => invalid("it is not a whole SSH public key line"),
    })
}

/// Cuts a long key in the middle: `age1ng0fdf…nyp9ga`.
fn shorten(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    if characters.len() <= 24 {
        return text.to_owned();
    }
    let prefix =
        if text.starts_with("ssh-") || text.starts_with("sk-") || text.starts_with("ecdsa-") {
            // The first 37 characters are the same for every key of a type.
            text.find(' ').map_or(0, |blank| blank + 1)
        } else {
            10
        };
    let head: String = characters[..prefix.min(characters.len())].iter().collect();
    let tail: String = characters[characters.len() - 8..].iter().collect();
    format!("{head}…{tail}")
}

impl PartialEq for Recipient {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Recipient {}

impl PartialOrd for Recipient {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Recipient {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGE1: &str = "age1ng0fdfkz7kyqkdhu8quts5gm7j4yjudzmw2z0utl06sne5vqd5lqnyp9ga";
    const SSH1: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBOCdSWjIMfzszdPo7IKIjJSHWCqqJzCc1q6X8BSXLQc";

    #[test]
    fn recipients_are_equal_by_key_and_keep_their_text() {
        let plain = Recipient::parse(SSH1).unwrap();
        let commented = Recipient::parse(&format!("  {SSH1} root@chicago ")).unwrap();
        assert_eq!(plain, commented);
        assert_eq!(commented.as_str(), format!("{SSH1} root@chicago"));
        assert_eq!(
            Recipient::parse(AGE1).unwrap().short(),
            "age1ng0fdf…qnyp9ga".replace("qnyp9ga", "lqnyp9ga")
        );
        assert_ne!(plain, Recipient::parse(AGE1).unwrap());
    }

    #[test]
    fn kinds_that_sops_knows_and_we_do_not_are_named() {
        for (text, expected) in [
            ("age1pq1qqqq", "post-quantum"),
            ("age1yubikey1qqqq", "age plugin `yubikey`"),
            (
                "sk-ssh-ed25519@openssh.com AAAA x",
                "type sk-ssh-ed25519@openssh.com",
            ),
            ("ssh-dss AAAA", "type ssh-dss"),
            ("alice", "begins with neither"),
            (&AGE1.replace("ng0", "ng9"), "checksum"),
            ("AGE-SECRET-KEY-1QQ", "private key"),
        ] {
            let error = Recipient::parse(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
            assert!(!error.contains("SECRET-KEY-1"), "{error}");
        }
    }

    #[test]
    fn a_wrapped_key_is_one_armored_age_file_with_a_final_newline() {
        for text in [AGE1, SSH1] {
            let armored = Recipient::parse(text).unwrap().wrap(&[7; 32]).unwrap();
            assert!(armored.starts_with("-----BEGIN AGE ENCRYPTED FILE-----\n"));
            assert!(armored.ends_with("-----END AGE ENCRYPTED FILE-----\n"));
        }
    }
}
