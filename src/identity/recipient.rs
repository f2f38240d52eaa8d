//! Recipients: the public keys that a secret file's data key is wrapped for.

use std::fmt;
use std::str::FromStr as _;

use age::ssh::ParseRecipientKeyError;

use self::frequent::Frequent;
use super::plugin;

mod error;
mod frequent;

pub use error::{RecipientError, WrapError, WrapErrorKind};

/// Somebody who can open a secret file: an age key, an SSH key used as one, or a key that an age plugin has.
///
/// Two recipients are equal if they are the same key; an SSH key's comment does not count. A key of a kind that this
/// build cannot encrypt to is a recipient too: files keep their entries for it.
#[derive(Clone)]
pub struct Recipient {
    text: String,
    kind: Kind,
}

#[derive(Clone)]
enum Kind {
    X25519(Frequent),
    Ssh(age::ssh::Recipient),
    /// `age1tag1…`, a P-256 key in hardware; anybody can encrypt to it without the plugin.
    Tag(age::tag::Recipient),
    /// `age1tagpq1…`, the same with ML-KEM-768.
    TagPq(Box<age::tagpq::Recipient>),
    Plugin(age::plugin::Recipient),
    /// `age1pq1…`: sops 3.12 and age 1.3 know it, the age crate does not.
    PostQuantum,
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
        let upper = text.to_ascii_uppercase();
        if upper.contains("PRIVATE KEY") || upper.contains("AGE-SECRET-KEY-") {
            return Err(RecipientError::Private);
        }
        let invalid = |reason| RecipientError::Invalid {
            text: shorten(text),
            reason,
        };
        let kind = if text.starts_with("age1pq1") {
            let is_bech32 = text.bytes().all(|byte| byte.is_ascii_alphanumeric());
            if !is_bech32 {
                return Err(invalid("it has characters that no key has"));
            }
            Kind::PostQuantum
        } else if let Some(rest) = text.strip_prefix("age1") {
            const DAMAGED: &str = "its checksum does not fit, so a character is wrong or missing";
            match rest.rsplit_once('1').map(|(name, _)| name) {
                None => Kind::X25519(Frequent::new(text.parse().map_err(|_reason| {
                    RecipientError::Invalid {
                        text: text.to_owned(),
                        reason: DAMAGED,
                    }
                })?)),
                Some("tag") => Kind::Tag(text.parse().map_err(|_reason| invalid(DAMAGED))?),
                Some("tagpq") => {
                    Kind::TagPq(Box::new(text.parse().map_err(|_reason| invalid(DAMAGED))?))
                }
                Some(_) => Kind::Plugin(text.parse().map_err(|_reason| invalid(DAMAGED))?),
            }
        } else if text.starts_with("ssh-") || text.starts_with("ecdsa-") || text.starts_with("sk-")
        {
            Kind::Ssh(parse_ssh(text)?)
        } else {
            return Err(invalid("it begins with neither `age1` nor `ssh-`"));
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
            Kind::Ssh(key) => key.to_string(),
            _ => self.text.clone(),
        }
    }

    /// A form of at most some twenty characters, for tables.
    #[must_use]
    pub fn short(&self) -> String {
        shorten(&self.key())
    }

    /// The program that is needed to encrypt to this recipient, such as `age-plugin-yubikey`.
    #[must_use]
    pub fn plugin_program(&self) -> Option<String> {
        match &self.kind {
            Kind::Plugin(key) => Some(plugin::program(key.plugin())),
            _ => None,
        }
    }

    /// Encrypts `secret`, a data key, to this recipient alone.
    ///
    /// The result is one armored age file with a final newline, what sops stores as `enc`. For a plugin's recipient the
    /// plugin is started.
    ///
    /// # Errors
    /// [`WrapError`] for a post-quantum recipient, and for a plugin that is not installed or fails.
    pub fn wrap(&self, secret: &[u8]) -> Result<String, WrapError> {
        let failed = |kind| WrapError {
            recipient: self.short(),
            kind,
        };
        let of_age = |reason: age::EncryptError| {
            failed(WrapErrorKind::Age {
                reason: reason.to_string(),
            })
        };
        let mut armored = match &self.kind {
            Kind::X25519(key) => age::encrypt_and_armor(key, secret).map_err(of_age),
            Kind::Ssh(key) => age::encrypt_and_armor(key, secret).map_err(of_age),
            Kind::Tag(key) => age::encrypt_and_armor(key, secret).map_err(of_age),
            Kind::TagPq(key) => age::encrypt_and_armor(key.as_ref(), secret).map_err(of_age),
            Kind::Plugin(key) => plugin::encrypt(key, secret).map_err(|error| failed(error.into())),
            Kind::PostQuantum => Err(failed(WrapErrorKind::PostQuantum)),
        }?;
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
    // age 0.12 panics on an RSA key with a number that is written as zero bytes alone; `ssh_key` refuses it.
    if kind == "ssh-rsa" && ssh_key::PublicKey::from_openssh(text).is_err() {
        return Err(invalid("it is not a whole SSH public key line"));
    }
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
    fn an_rsa_key_whose_number_is_zero_bytes_alone_is_refused() {
        // `ssh-rsa`, then an exponent of one zero byte.
        let text = "ssh-rsa AAAAB3NzaC1yc2EAAAABAAAAAAEB";
        let error = Recipient::parse(text).unwrap_err();
        assert!(error.to_string().contains("not a whole SSH public key"));
    }

    #[test]
    fn what_is_no_recipient_says_why() {
        for (text, expected) in [
            ("age1pq1qq qq", "characters that no key has"),
            ("age1yubikey1qqqq", "checksum"),
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

    #[test]
    fn keys_that_cannot_be_encrypted_to_are_recipients_all_the_same() {
        let hybrid = Recipient::parse(&format!("age1pq1{}", "q".repeat(1950))).unwrap();
        assert_eq!(hybrid.short(), "age1pq1qqq…qqqqqqqq");
        let error = hybrid.wrap(&[7; 32]).unwrap_err();
        assert!(
            error.to_string().contains("post-quantum key (age1pq1…)"),
            "{error}"
        );
        assert!(error.fix().contains("sops 3.12"));

        let hrp = bech32::Hrp::parse("age1nobody").unwrap();
        let text = bech32::encode::<bech32::Bech32>(hrp, &[7; 32]).unwrap();
        let plugin = Recipient::parse(&text).unwrap();
        assert_eq!(plugin.plugin_program().unwrap(), "age-plugin-nobody");
        let error = plugin.wrap(&[7; 32]).unwrap_err();
        let expected = format!(
            "cannot encrypt to the recipient `{}`: the program `age-plugin-nobody` is not installed",
            plugin.short()
        );
        assert_eq!(error.to_string(), expected);
        assert!(error.fix().contains("PATH"));
    }

    #[test]
    fn tagged_recipients_need_no_plugin_to_encrypt_to() {
        let text = "age1tag1qt8lw0ual6avlwmwatk888yqnmdamm7xfd0wak53ut6elz5c4swx2yqdj4e";
        let tagged = Recipient::parse(text).unwrap();
        assert_eq!(tagged.plugin_program(), None);
        assert!(tagged.wrap(&[7; 32]).is_ok());
    }
}
