//! Keys that need a passphrase: asked for when nothing else opens a file, and once.

use std::io::Read as _;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use age::armor::ArmoredReader;
use age::secrecy::SecretString;
use age::{DecryptError, Decryptor};
use zeroize::Zeroizing;

use super::ask::{AskPassphrase, NoAnswer};
use super::found::Found;
use super::host_key::TRIES;
use super::identity_text::{IdentityTextError, Words, parse_age_identities, parse_ssh_identity};
use super::plaintext::Plaintext;
use super::problem::{SourceProblem, SourceProblemKind};
use super::public_key::HostPublicKey;

/// The same bound as age's: 2 to this power rounds take about a minute and 4 GiB.
const LARGEST_WORK_FACTOR: u8 = 22;
/// An identity file holds some lines.
const LARGEST_FILE: u64 = 1024 * 1024;

/// A key that needs a passphrase.
pub(super) struct Locked {
    name: String,
    kind: Kind,
    /// What came of asking; empty as long as nobody needed to.
    outcome: OnceLock<Result<Found, Arc<SourceProblem>>>,
}

enum Kind {
    /// An OpenSSH private key, whose public half can be read: in the forms that a file may be encrypted to.
    Ssh {
        key: Box<ssh_key::PrivateKey>,
        recipients: Vec<String>,
    },
    /// An age identity file, of which nothing is known.
    File { sealed: Vec<u8> },
}

impl Locked {
    /// An OpenSSH private key with a passphrase; the type must be one that age knows.
    pub(super) fn ssh(key: ssh_key::PrivateKey, name: &str) -> Result<Self, IdentityTextError> {
        let kind = key.algorithm();
        if !matches!(
            kind,
            ssh_key::Algorithm::Ed25519 | ssh_key::Algorithm::Rsa { .. }
        ) {
            return Err(IdentityTextError::SshType {
                kind: kind.as_str().to_owned(),
            });
        }
        let mut recipients = Vec::with_capacity(2);
        if let ssh_key::public::KeyData::Ed25519(public) = key.public_key().key_data() {
            let public = HostPublicKey::from_bytes(&public.0)
                .map_err(|_damaged| IdentityTextError::BadSshKey)?;
            recipients.push(public.age_recipient());
            recipients.push(public.openssh());
        } else {
            let public = ssh_key::PublicKey::from(key.public_key().key_data().clone());
            let text = public.to_openssh();
            recipients.push(text.map_err(|_reason| IdentityTextError::BadSshKey)?);
        }
        Ok(Self {
            name: name.to_owned(),
            kind: Kind::Ssh {
                key: Box::new(key),
                recipients,
            },
            outcome: OnceLock::new(),
        })
    }

    /// An age identity file that is encrypted with a passphrase, armored or not.
    pub(super) fn file(sealed: &[u8], name: &str) -> Self {
        Self {
            name: name.to_owned(),
            kind: Kind::File {
                sealed: sealed.to_vec(),
            },
            outcome: OnceLock::new(),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The public halves, where they can be known without the passphrase.
    pub(super) fn recipients(&self) -> &[String] {
        match &self.kind {
            Kind::Ssh { recipients, .. } => recipients,
            Kind::File { .. } => &[],
        }
    }

    /// Whether this is a file of which nothing is known.
    pub(super) fn is_opaque(&self) -> bool {
        matches!(self.kind, Kind::File { .. })
    }

    /// What is inside, if it was opened already.
    pub(super) fn opened(&self) -> Option<&Found> {
        self.outcome.get()?.as_ref().ok()
    }

    /// Why it was not opened, if that was tried.
    pub(super) fn problem(&self) -> Option<&Arc<SourceProblem>> {
        self.outcome.get()?.as_ref().err()
    }

    /// Opens it, asking for the passphrase the first time; afterwards the first answer stands.
    pub(super) fn unlock(&self, asker: Option<&dyn AskPassphrase>) -> Option<&Found> {
        let outcome = self.outcome.get_or_init(|| {
            self.ask(asker).map_err(|kind| {
                Arc::new(SourceProblem {
                    from: self.name.clone(),
                    kind,
                })
            })
        });
        outcome.as_ref().ok()
    }

    fn ask(&self, asker: Option<&dyn AskPassphrase>) -> Result<Found, SourceProblemKind> {
        let Some(asker) = asker else {
            return Err(SourceProblemKind::Locked(NoAnswer::NobodyThere));
        };
        let mut question = format!("Passphrase of {}:", self.name);
        for _ in 0..TRIES {
            let passphrase = asker
                .passphrase(&question)
                .map_err(SourceProblemKind::Locked)?;
            match self.open(&passphrase)? {
                Some(found) => return Ok(found),
                None => question = format!("That is not it. Passphrase of {}:", self.name),
            }
        }
        Err(SourceProblemKind::WrongPassphrase)
    }

    /// What is inside; `None` if the passphrase is not the right one.
    fn open(&self, passphrase: &Plaintext) -> Result<Option<Found>, IdentityTextError> {
        match &self.kind {
            Kind::Ssh { key, .. } => {
                let Ok(opened) = key.decrypt(passphrase.expose()) else {
                    return Ok(None);
                };
                let text = opened
                    .to_openssh(ssh_key::LineEnding::LF)
                    .map_err(|_reason| IdentityTextError::BadSshKey)?;
                parse_ssh_identity(text.as_bytes(), Path::new(&self.name), &self.name).map(Some)
            }
            Kind::File { sealed } => {
                let Some(text) = open_file(sealed, passphrase)? else {
                    return Ok(None);
                };
                parse_age_identities(text.expose(), Words::OnePerLine, &self.name).map(Some)
            }
        }
    }
}

fn open_file(
    sealed: &[u8],
    passphrase: &Plaintext,
) -> Result<Option<Plaintext>, IdentityTextError> {
    let damaged = |reason: String| IdentityTextError::DamagedFile { reason };
    // What is typed on a terminal is text; anything else cannot be the passphrase.
    let Some(passphrase) = passphrase.expose_text() else {
        return Ok(None);
    };
    let mut identity = age::scrypt::Identity::new(SecretString::from(passphrase.to_owned()));
    identity.set_max_work_factor(LARGEST_WORK_FACTOR);
    let decryptor = Decryptor::new_buffered(ArmoredReader::new(sealed))
        .map_err(|reason| damaged(reason.to_string()))?;
    if !decryptor.is_scrypt() {
        return Err(IdentityTextError::EncryptedToKeys);
    }
    let reader = match decryptor.decrypt(std::iter::once(&identity as &dyn age::Identity)) {
        Ok(reader) => reader,
        Err(
            DecryptError::DecryptionFailed
            | DecryptError::KeyDecryptionFailed
            | DecryptError::NoMatchingKeys,
        ) => return Ok(None),
        Err(other) => return Err(damaged(other.to_string())),
    };
    let mut text = Zeroizing::new(Vec::with_capacity(64 * 1024));
    reader
        .take(LARGEST_FILE)
        .read_to_end(&mut text)
        .map_err(|reason| damaged(reason.to_string()))?;
    Ok(Some(Plaintext::from(text)))
}
