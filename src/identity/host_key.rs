//! A host's private key: one ed25519 OpenSSH key, from which both of its age identities follow.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha512};
use ssh_key::private::KeypairData;
use zeroize::{Zeroize as _, Zeroizing};

use super::ask::{AskPassphrase, NoAnswer};
use super::plaintext::Plaintext;
use super::public_key::{HostPublicKey, PublicKeyError, encode_lower};

/// An SSH private key is a few hundred bytes; a file far larger than that is something else.
const LARGEST_KEY_BYTES: u64 = 64 * 1024;

/// How often a passphrase may be mistyped.
pub(super) const TRIES: usize = 3;

/// A host's ed25519 private key, in memory only; wiped on drop.
#[expect(
    missing_debug_implementations,
    reason = "a private key must not be printable"
)]
pub struct HostKey {
    seed: Zeroizing<[u8; 32]>,
    public: HostPublicKey,
    path: PathBuf,
}

/// A private key that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// There is no such file.
    #[error("there is no host key at {}", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The file is there and cannot be read.
    #[error("cannot read the host key {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the kernel said.
        source: std::io::Error,
    },
    /// The file is too large to be a key.
    #[error("{} is not an OpenSSH private key: it is larger than 64 KiB", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// The public half was given.
    #[error("{} is a public key, not a private one", path.display())]
    Public {
        /// The file.
        path: PathBuf,
    },
    /// Something else than an OpenSSH private key.
    #[error("{} is not an OpenSSH private key", path.display())]
    NotOpenSsh {
        /// The file.
        path: PathBuf,
    },
    /// RSA, ECDSA or a hardware key.
    #[error("the host key {} is of type {kind}, not ssh-ed25519", path.display())]
    WrongType {
        /// The file.
        path: PathBuf,
        /// The type, as OpenSSH names it.
        kind: String,
    },
    /// Protected with a passphrase.
    #[error("the host key {} is protected with a passphrase", path.display())]
    Passphrase {
        /// The file.
        path: PathBuf,
    },
    /// Protected with a passphrase that nobody gave.
    #[error("{} needs a passphrase, and {why}", path.display())]
    Locked {
        /// The file.
        path: PathBuf,
        /// Why there is none.
        why: NoAnswer,
    },
    /// The passphrase was wrong, each time.
    #[error("the passphrase is not that of {}", path.display())]
    WrongPassphrase {
        /// The file.
        path: PathBuf,
    },
    /// A key whose halves do not belong together, or that is no key at all.
    #[error("the host key {} is damaged", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with its public half.
        source: PublicKeyError,
    },
}

impl KeyError {
    /// How to go on.
    #[must_use]
    pub fn fix(&self) -> String {
        match self {
            Self::Missing { path } => format!(
                "make one with `ssh-keygen -t ed25519 -N '' -f {}`, or name another key",
                path.display()
            ),
            Self::Unreadable { .. } => {
                "run this as root, or name a key that this user can read".to_owned()
            }
            Self::TooLarge { .. } | Self::NotOpenSsh { .. } => {
                "name a file that begins with `-----BEGIN OPENSSH PRIVATE KEY-----`; `ssh-keygen -p -f FILE` converts an old one"
                    .to_owned()
            }
            Self::Public { path } => format!(
                "name the private key, most likely {}",
                path.display().to_string().trim_end_matches(".pub")
            ),
            Self::WrongType { .. } => {
                "name the host's ed25519 key, usually /etc/ssh/ssh_host_ed25519_key".to_owned()
            }
            Self::Passphrase { path } => format!(
                "a host must open its secrets with nobody there: remove the passphrase with `ssh-keygen -p -N '' -f {}`",
                path.display()
            ),
            Self::Locked { .. } => {
                "run this in a terminal, or give the passphrase in SSH_TO_AGE_PASSPHRASE".to_owned()
            }
            Self::WrongPassphrase { .. } => "try again".to_owned(),
            Self::Damaged { .. } => "restore the key from a backup, or make a new one and rekey".to_owned(),
        }
    }
}

impl HostKey {
    /// Reads the private key at `path` into memory.
    ///
    /// # Errors
    /// [`KeyError`] says which file, what is wrong with it, and with [`fix`](KeyError::fix) how to go on.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let text = read_key_file(path)?;
        Self::parse(&text, path)
    }

    /// Takes the private key out of `text`; `path` is where it came from, for messages.
    pub fn parse(text: &[u8], path: &Path) -> Result<Self, KeyError> {
        let at = || path.to_path_buf();
        if HostPublicKey::find(&String::from_utf8_lossy(text)).is_ok() {
            return Err(KeyError::Public { path: at() });
        }
        let key = ssh_key::PrivateKey::from_openssh(text)
            .map_err(|_not_openssh| KeyError::NotOpenSsh { path: at() })?;
        // The public half is readable also in a protected key: say the more lasting reason first.
        if !key.algorithm().is_ed25519() {
            return Err(KeyError::WrongType {
                path: at(),
                kind: key.algorithm().as_str().to_owned(),
            });
        }
        if key.is_encrypted() {
            return Err(KeyError::Passphrase { path: at() });
        }
        Self::of_open_key(&key, path)
    }

    /// As [`parse`](Self::parse), for a key of a person: where it has a passphrase, `asker` is asked for it.
    pub fn parse_asking(
        text: &[u8],
        path: &Path,
        asker: &dyn AskPassphrase,
    ) -> Result<Self, KeyError> {
        let locked = match Self::parse(text, path) {
            Err(KeyError::Passphrase { .. }) => ssh_key::PrivateKey::from_openssh(text),
            other => return other,
        };
        let at = || path.to_path_buf();
        let locked = locked.map_err(|_not_openssh| KeyError::NotOpenSsh { path: at() })?;
        for _ in 0..TRIES {
            let passphrase = asker
                .passphrase(&format!("Passphrase of {}:", path.display()))
                .map_err(|why| KeyError::Locked { path: at(), why })?;
            if let Ok(key) = locked.decrypt(passphrase.expose()) {
                return Self::of_open_key(&key, path);
            }
        }
        Err(KeyError::WrongPassphrase { path: at() })
    }

    fn of_open_key(key: &ssh_key::PrivateKey, path: &Path) -> Result<Self, KeyError> {
        let at = || path.to_path_buf();
        let KeypairData::Ed25519(pair) = key.key_data() else {
            return Err(KeyError::NotOpenSsh { path: at() });
        };
        let seed = Zeroizing::new(pair.private.to_bytes());
        let derived = ed25519_dalek::SigningKey::from_bytes(&seed).verifying_key();
        if derived.as_bytes() != &pair.public.0 {
            return Err(KeyError::Damaged {
                path: at(),
                source: PublicKeyError::Damaged {
                    reason: "its private and public halves do not belong together",
                },
            });
        }
        let public = HostPublicKey::from_bytes(&pair.public.0)
            .map_err(|source| KeyError::Damaged { path: at(), source })?;
        Ok(Self {
            seed,
            public,
            path: at(),
        })
    }

    /// Where the key was read from.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The age recipient, `age1…`, as ssh-to-age derives it.
    #[must_use]
    pub fn age_recipient(&self) -> String {
        self.public.age_recipient()
    }

    /// The public key, `ssh-ed25519 AAAA…`, without a comment.
    #[must_use]
    pub fn public_key(&self) -> String {
        self.public.openssh()
    }

    /// The fingerprint as `ssh-keygen -l` prints it, `SHA256:…`.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.public.fingerprint()
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> &HostPublicKey {
        &self.public
    }

    /// The private key as ssh-to-age writes it, `AGE-SECRET-KEY-1…`: for those who want to show or store it.
    #[must_use]
    pub fn age_secret_key(&self) -> Plaintext {
        Plaintext::from(self.age_secret_text())
    }

    /// The X25519 identity that ssh-to-age derives: the first half of SHA-512 of the seed, clamped when used.
    ///
    /// Source: SOPS format §ssh-to-age.
    pub(super) fn x25519(&self) -> Option<age::x25519::Identity> {
        let text = self.age_secret_text();
        text.parse().ok()
    }

    fn age_secret_text(&self) -> Zeroizing<String> {
        let mut hash = Sha512::digest(self.seed.as_slice());
        let mut scalar = Zeroizing::new([0; 32]);
        scalar.copy_from_slice(&hash[..32]);
        hash.zeroize();
        let mut text = encode_lower("age-secret-key-", &scalar);
        text.make_ascii_uppercase();
        Zeroizing::new(text)
    }

    /// The identity for native `ssh-ed25519` stanzas. age takes SSH keys only as OpenSSH text, so the key is written
    /// out for it, into memory that is wiped.
    pub(super) fn native(&self) -> Option<age::ssh::Identity> {
        let pair = ssh_key::private::Ed25519Keypair::from_seed(&self.seed);
        let text = ssh_key::PrivateKey::from(pair)
            .to_openssh(ssh_key::LineEnding::LF)
            .ok()?;
        age::ssh::Identity::from_buffer(text.as_bytes(), None).ok()
    }
}

/// Reads a key file whole, with errors that tell missing from unreadable.
pub(super) fn read_key_file(path: &Path) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let at = || path.to_path_buf();
    let failed = |source: std::io::Error| {
        if source.kind() == ErrorKind::NotFound {
            KeyError::Missing { path: at() }
        } else {
            KeyError::Unreadable { path: at(), source }
        }
    };
    let file = File::open(path).map_err(failed)?;
    // Room for the whole file at once: a growing buffer would leave unwiped copies behind.
    let length = file
        .metadata()
        .map_err(failed)?
        .len()
        .min(LARGEST_KEY_BYTES);
    let mut text = Zeroizing::new(Vec::with_capacity(
        usize::try_from(length).unwrap_or_default() + 4096,
    ));
    file.take(LARGEST_KEY_BYTES + 1)
        .read_to_end(&mut text)
        .map_err(failed)?;
    if text.len() as u64 > LARGEST_KEY_BYTES {
        return Err(KeyError::TooLarge { path: at() });
    }
    Ok(text)
}

#[cfg(test)]
mod tests;
