//! What a host's key is called elsewhere: the line for `.sops.yaml`, the file for `hosts/NAME/`.

use std::path::{Path, PathBuf};

use crate::host::{FileError, Host, HostPath, durable};
use crate::identity::{HostKey, HostPublicKey, KeyError, PublicKeyError};

/// Where sshd keeps the key that is a host's identity.
const HOST_KEY: &str = "/etc/ssh/ssh_host_ed25519_key";
/// Keys are short; `known_hosts` files are not.
const LARGEST_BYTES: u64 = 4 * 1024 * 1024;

/// The public forms of one host key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostIdentity {
    /// Age recipient as ssh-to-age derives it: what goes into `.sops.yaml`.
    pub age: String,
    /// SSH public key: what goes into `hosts/NAME/ssh_host_ed25519_key.pub`.
    pub ssh: String,
    /// Fingerprint, to compare with what the host itself shows.
    pub fingerprint: String,
    /// The file it was read from.
    pub from: PathBuf,
}

/// A host key whose public forms cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum HostIdentityError {
    /// A private key that cannot be used.
    #[error(transparent)]
    Private(#[from] KeyError),
    /// A file without a public key.
    #[error("cannot use {}", path.display())]
    Public {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: PublicKeyError,
    },
    /// A file that cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
}

impl HostIdentityError {
    /// How to go on.
    #[must_use]
    pub fn fix(&self) -> Option<String> {
        match self {
            Self::Private(error) => Some(error.fix()),
            Self::Public { source, .. } => Some(source.fix().to_owned()),
            Self::File(error) => error.hint(),
        }
    }
}

impl HostIdentity {
    /// The identity of `host`: its public key, which everybody may read, else its private key.
    pub fn of_host(host: &Host) -> Result<Self, HostIdentityError> {
        let private = match HostPath::new(HOST_KEY) {
            Ok(path) => host.real_path(&path),
            Err(_never) => PathBuf::from(HOST_KEY),
        };
        let public = private.with_extension("pub");
        match durable::read(&public, LARGEST_BYTES)? {
            Some(text) => Self::of_text(&text, &public),
            None => Self::of_file(&private),
        }
    }

    /// The identity in the file at `path`: a private or public key, or `known_hosts` lines.
    pub fn of_file(path: &Path) -> Result<Self, HostIdentityError> {
        let text = durable::read(path, LARGEST_BYTES)?.ok_or_else(|| KeyError::Missing {
            path: path.to_owned(),
        })?;
        let text = zeroize::Zeroizing::new(text);
        Self::of_text(&text, path)
    }

    /// The identity in `text`, which came from `path`.
    pub fn of_text(text: &[u8], path: &Path) -> Result<Self, HostIdentityError> {
        let public = if text.starts_with(b"-----BEGIN ") {
            HostKey::parse(text, path)?.public().clone()
        } else {
            HostPublicKey::find(&String::from_utf8_lossy(text)).map_err(|source| {
                HostIdentityError::Public {
                    path: path.to_owned(),
                    source,
                }
            })?
        };
        Ok(Self {
            age: public.age_recipient(),
            ssh: public.openssh(),
            fingerprint: public.fingerprint(),
            from: path.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRIVATE: &[u8] = include_bytes!("../../../tests/vectors/ssh-to-age/vector1");
    const PUBLIC: &[u8] = include_bytes!("../../../tests/vectors/ssh-to-age/vector1.pub");

    #[test]
    fn every_form_of_a_key_gives_the_same_identity() {
        let path = Path::new("key");
        let private = HostIdentity::of_text(PRIVATE, path).unwrap();
        assert_eq!(
            private.age,
            "age1ng0fdfkz7kyqkdhu8quts5gm7j4yjudzmw2z0utl06sne5vqd5lqnyp9ga"
        );
        assert_eq!(HostIdentity::of_text(PUBLIC, path).unwrap(), private);
        let known = [b"chicago ".as_slice(), PUBLIC].concat();
        assert_eq!(HostIdentity::of_text(&known, path).unwrap(), private);
        let error = HostIdentity::of_text(b"hello", path).unwrap_err();
        assert!(error.fix().is_some());
    }

    #[test]
    fn a_host_below_a_root_has_its_own_key() {
        let root = tempfile::tempdir().unwrap();
        let host = Host::below(root.path()).unwrap();
        assert!(HostIdentity::of_host(&host).is_err());
        let directory = root.path().join("etc/ssh");
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::copy(
            concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/tests/vectors/ssh-to-age/vector1"
            ),
            directory.join("ssh_host_ed25519_key"),
        )
        .unwrap();
        let found = HostIdentity::of_host(&host).unwrap();
        assert!(found.from.ends_with("etc/ssh/ssh_host_ed25519_key"));
    }
}
