//! What a host's key is called elsewhere: the line for `.sops.yaml`, the file for `hosts/NAME/`.

use std::path::{Path, PathBuf};

use crate::host::{FileError, Host, HostPath, durable};
use crate::identity::{
    HostKey, HostPublicKey, KeyError, KeyscanError, PublicKeyError, PublicKeys, ScanTarget,
    SkippedKey, scan_host_key,
};

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
    /// What the key is called where it was found: the host names of a `known_hosts` line, or the key's comment.
    pub name: Option<String>,
}

/// The host keys of one source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostIdentities {
    /// Those that can be an identity; at least one.
    pub keys: Vec<HostIdentity>,
    /// Lines with keys that cannot be one.
    pub skipped: Vec<SkippedKey>,
    /// The file that they were read from, or the host that was asked.
    pub from: String,
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
    /// A host that gives no key.
    #[error(transparent)]
    Scan(#[from] KeyscanError),
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
            Self::Scan(error) => Some(error.fix()),
            Self::File(error) => error.hint(),
        }
    }
}

impl HostIdentity {
    fn of(key: &HostPublicKey, name: Option<String>) -> Self {
        Self {
            age: key.age_recipient(),
            ssh: key.openssh(),
            fingerprint: key.fingerprint(),
            name,
        }
    }
}

impl HostIdentities {
    /// The identity of `host`: its public key, which everybody may read, else its private key.
    pub fn of_host(host: &Host) -> Result<Self, HostIdentityError> {
        let private = private_key_of(host);
        let public = private.with_extension("pub");
        match durable::read(&public, LARGEST_BYTES)? {
            Some(text) => Self::of_text(&text, &public),
            None => Self::of_file(&private),
        }
    }

    /// The identities in the file at `path`: a private or public key, or `known_hosts` lines.
    pub fn of_file(path: &Path) -> Result<Self, HostIdentityError> {
        let text = durable::read(path, LARGEST_BYTES)?.ok_or_else(|| KeyError::Missing {
            path: path.to_owned(),
        })?;
        let text = zeroize::Zeroizing::new(text);
        Self::of_text(&text, path)
    }

    /// The identities in `text`, which came from `path`. A private key's passphrase is not needed.
    pub fn of_text(text: &[u8], path: &Path) -> Result<Self, HostIdentityError> {
        let from = path.display().to_string();
        if text.starts_with(b"-----BEGIN ") {
            let public = match HostKey::parse(text, path) {
                Ok(key) => key.public().clone(),
                Err(error @ KeyError::Passphrase { .. }) => {
                    HostPublicKey::of_private_key(text).ok_or(error)?
                }
                Err(error) => return Err(error.into()),
            };
            return Ok(Self {
                keys: vec![HostIdentity::of(&public, None)],
                skipped: Vec::new(),
                from,
            });
        }
        let found = PublicKeys::read(&String::from_utf8_lossy(text));
        let checked = found.and_then(|found| found.first().map(|_| ()).map(|()| found));
        let found = checked.map_err(|source| HostIdentityError::Public {
            path: path.to_owned(),
            source,
        })?;
        let keys = found.usable.into_iter();
        Ok(Self {
            keys: keys
                .map(|named| HostIdentity::of(&named.key, named.name))
                .collect(),
            skipped: found.skipped,
            from,
        })
    }

    /// The identities that `target` has, asked over the network: see [`scan_host_key`] for what that is worth.
    pub fn of_scan(target: &ScanTarget) -> Result<Self, HostIdentityError> {
        let keys = scan_host_key(target)?;
        let name = Some(target.to_string());
        Ok(Self {
            keys: keys
                .iter()
                .map(|key| HostIdentity::of(key, name.clone()))
                .collect(),
            skipped: Vec::new(),
            from: target.to_string(),
        })
    }
}

/// Where the private key of `host` is.
#[must_use]
pub fn private_key_of(host: &Host) -> PathBuf {
    match HostPath::new(HOST_KEY) {
        Ok(path) => host.real_path(&path),
        Err(_never) => PathBuf::from(HOST_KEY),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRIVATE: &[u8] = include_bytes!("../../../tests/vectors/ssh-to-age/vector1");
    const PUBLIC: &[u8] = include_bytes!("../../../tests/vectors/ssh-to-age/vector1.pub");

    fn only(found: Result<HostIdentities, HostIdentityError>) -> HostIdentity {
        let mut found = found.unwrap();
        assert_eq!((found.keys.len(), found.skipped.len()), (1, 0));
        found.keys.remove(0)
    }

    #[test]
    fn every_form_of_a_key_gives_the_same_identity() {
        let path = Path::new("key");
        let private = only(HostIdentities::of_text(PRIVATE, path));
        assert_eq!(
            private.age,
            "age1ng0fdfkz7kyqkdhu8quts5gm7j4yjudzmw2z0utl06sne5vqd5lqnyp9ga"
        );
        let public = only(HostIdentities::of_text(PUBLIC, path));
        let known = [b"chicago ".as_slice(), PUBLIC].concat();
        let known = only(HostIdentities::of_text(&known, path));
        assert_eq!(known.name.as_deref(), Some("chicago"));
        for other in [public, known] {
            assert_eq!(
                HostIdentity {
                    name: None,
                    ..other
                },
                private
            );
        }
        let error = HostIdentities::of_text(b"hello", path).unwrap_err();
        assert!(error.fix().is_some());
    }

    #[test]
    fn a_host_below_a_root_has_its_own_key() {
        let root = tempfile::tempdir().unwrap();
        let host = Host::below(root.path()).unwrap();
        assert!(HostIdentities::of_host(&host).is_err());
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
        let found = HostIdentities::of_host(&host).unwrap();
        assert!(found.from.ends_with("/etc/ssh/ssh_host_ed25519_key"));
    }
}
