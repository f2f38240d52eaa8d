//! SSH public keys, and the age recipient that ssh-to-age makes of one.

use bech32::{Bech32, Hrp};
use ed25519_dalek::VerifyingKey;
use ssh_key::public::{Ed25519PublicKey, KeyData};
use ssh_key::{Fingerprint, HashAlg};

use super::public_keys::PublicKeys;

/// An ed25519 SSH public key whose point was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPublicKey {
    point: VerifyingKey,
}

/// Text that holds no ed25519 public key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublicKeyError {
    /// Only keys of other types.
    #[error("there is no ssh-ed25519 public key, only {}", found.join(", "))]
    OtherTypes {
        /// The key types that were there.
        found: Vec<String>,
    },
    /// No key at all.
    #[error("there is no SSH public key in the text")]
    NoKey,
    /// A key that does not decode.
    #[error("the ssh-ed25519 public key is damaged: {reason}")]
    Damaged {
        /// What is wrong with it.
        reason: &'static str,
    },
}

impl PublicKeyError {
    /// How to go on.
    #[must_use]
    pub fn fix(&self) -> &'static str {
        match self {
            Self::OtherTypes { .. } => {
                "only ed25519 keys can be converted; make one with `ssh-keygen -t ed25519` (a host has it in /etc/ssh/ssh_host_ed25519_key.pub)"
            }
            Self::NoKey => {
                "give a line such as `ssh-ed25519 AAAA…`, a known_hosts line, or the output of ssh-keyscan"
            }
            Self::Damaged { .. } => "copy the key again, as one line",
        }
    }
}

impl HostPublicKey {
    /// Finds the first `ssh-ed25519` key in `text`; [`PublicKeys`] gives all of them.
    ///
    /// Each line may be a public key file's, a `known_hosts` line or one of an `authorized_keys` file: what stands before
    /// the key type is skipped, as are comments, revoked keys and keys of other types.
    pub fn find(text: &str) -> Result<Self, PublicKeyError> {
        Ok(PublicKeys::read(text)?.first()?.key.clone())
    }

    /// The public half of an OpenSSH private key, which can be read without its passphrase; `None` for anything else.
    #[must_use]
    pub fn of_private_key(text: &[u8]) -> Option<Self> {
        let key = ssh_key::PrivateKey::from_openssh(text).ok()?;
        match key.public_key().key_data() {
            KeyData::Ed25519(key) => Self::from_bytes(&key.0).ok(),
            _ => None,
        }
    }

    /// The key whose base64 text stands after `ssh-ed25519`.
    pub(super) fn from_base64(encoded: Option<&str>) -> Result<Self, PublicKeyError> {
        let encoded = encoded.unwrap_or_default();
        let key = ssh_key::PublicKey::from_openssh(&format!("ssh-ed25519 {encoded}")).map_err(
            |_not_a_key| PublicKeyError::Damaged {
                reason: "the text after `ssh-ed25519` is not a key",
            },
        )?;
        match key.key_data() {
            KeyData::Ed25519(key) => Self::from_bytes(&key.0),
            _ => Err(PublicKeyError::Damaged {
                reason: "it says ssh-ed25519 but holds a key of another type",
            }),
        }
    }

    pub(super) fn from_bytes(bytes: &[u8; 32]) -> Result<Self, PublicKeyError> {
        let point =
            VerifyingKey::from_bytes(bytes).map_err(|_not_a_point| PublicKeyError::Damaged {
                reason: "it is not a point of the curve",
            })?;
        if point.is_weak() {
            return Err(PublicKeyError::Damaged {
                reason: "it is a point that anybody can decrypt for",
            });
        }
        Ok(Self { point })
    }

    /// The age recipient, `age1…`, exactly as ssh-to-age derives it.
    #[must_use]
    pub fn age_recipient(&self) -> String {
        let u = self.point.to_montgomery().to_bytes();
        encode_lower("age", &u)
    }

    /// The key as a public key file has it, `ssh-ed25519 AAAA…`, without a comment.
    #[must_use]
    pub fn openssh(&self) -> String {
        let key = ssh_key::PublicKey::from(KeyData::Ed25519(self.ed25519()));
        // An ed25519 key of 32 bytes always encodes; the empty text could only come from a key of no known type.
        key.to_openssh().unwrap_or_default()
    }

    /// The fingerprint as `ssh-keygen -l` prints it, `SHA256:…`.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        Fingerprint::new(HashAlg::Sha256, &KeyData::Ed25519(self.ed25519())).to_string()
    }

    fn ed25519(&self) -> Ed25519PublicKey {
        Ed25519PublicKey(self.point.to_bytes())
    }
}

/// Converts an SSH public key line, `known_hosts` line or ssh-keyscan output to an age recipient, as ssh-to-age does.
pub fn recipient_of_public_key(text: &str) -> Result<String, PublicKeyError> {
    Ok(HostPublicKey::find(text)?.age_recipient())
}

/// Bech32 with a prefix that is known to be valid.
pub(super) fn encode_lower(prefix: &'static str, bytes: &[u8; 32]) -> String {
    let hrp = Hrp::parse_unchecked(prefix);
    // 32 bytes and a short prefix are far below bech32's length limit, the only way this can fail.
    bech32::encode_lower::<Bech32>(hrp, bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const VECTOR1: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBOCdSWjIMfzszdPo7IKIjJSHWCqqJzCc1q6X8BSXLQc";
    const AGE1: &str = "age1ng0fdfkz7kyqkdhu8quts5gm7j4yjudzmw2z0utl06sne5vqd5lqnyp9ga";

    #[test]
    fn every_usual_line_form_converts_as_ssh_to_age_does() {
        for text in [
            VECTOR1.to_owned(),
            format!("{VECTOR1} root@chicago\n"),
            format!("10.0.0.2,chicago {VECTOR1}"),
            format!("|1|salt=|hash= {VECTOR1}"),
            format!("# chicago:22 SSH-2.0\nchicago ssh-rsa AAAAB3\nchicago {VECTOR1}\n"),
        ] {
            assert_eq!(recipient_of_public_key(&text).unwrap(), AGE1, "{text}");
        }
    }

    #[test]
    fn a_public_key_keeps_its_ssh_form() {
        let key = HostPublicKey::find(VECTOR1).unwrap();
        assert_eq!(key.openssh(), VECTOR1);
        assert!(key.fingerprint().starts_with("SHA256:"));
    }

    #[test]
    fn other_types_are_named() {
        let error = HostPublicKey::find("h ssh-rsa AAAA\nh ecdsa-sha2-nistp256 AAAA").unwrap_err();
        assert_eq!(
            error.to_string(),
            "there is no ssh-ed25519 public key, only ecdsa-sha2-nistp256, ssh-rsa"
        );
        assert_eq!(HostPublicKey::find("hello\n"), Err(PublicKeyError::NoKey));
        assert!(matches!(
            HostPublicKey::find("ssh-ed25519 AAAA"),
            Err(PublicKeyError::Damaged { .. })
        ));
    }

    #[test]
    fn a_point_of_low_order_is_refused() {
        let mut identity_point = [0; 32];
        identity_point[0] = 1;
        assert!(matches!(
            HostPublicKey::from_bytes(&identity_point),
            Err(PublicKeyError::Damaged { .. })
        ));
    }
}
