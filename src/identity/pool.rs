//! A pool of identities: everything that may open a secret file, tried in turn.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use age::armor::ArmoredReader;
use age::{DecryptError, Decryptor};
use zeroize::Zeroizing;

use super::host_key::{HostKey, KeyError, read_key_file};
use super::identity_text::{IdentityTextError, parse_any};
use super::person::SourceProblem;
use super::plaintext::Plaintext;

/// A wrapped data key is 32 or 33 bytes; an age file much larger than that is not one.
const LARGEST_DATA_KEY: u64 = 1024;

/// Private keys that may open secret files.
#[derive(Default)]
#[expect(
    missing_debug_implementations,
    reason = "private keys must not be printable"
)]
pub struct Identities {
    entries: Vec<Entry>,
    problems: Vec<SourceProblem>,
}

/// One identity, with the public half that it opens for.
pub(super) struct Entry {
    name: String,
    recipient: String,
    identity: Box<dyn age::Identity + Send + Sync>,
}

impl Entry {
    pub(super) fn new(
        name: String,
        recipient: String,
        identity: Box<dyn age::Identity + Send + Sync>,
    ) -> Self {
        Self {
            name,
            recipient,
            identity,
        }
    }

    /// Both identities of an ed25519 key: X25519 as ssh-to-age derives it, and native `ssh-ed25519`.
    pub(super) fn of_ed25519(key: &HostKey, name: &str) -> Vec<Self> {
        let mut entries = Vec::with_capacity(2);
        if let Some(derived) = key.x25519() {
            let recipient = key.age_recipient();
            entries.push(Self::new(name.to_owned(), recipient, Box::new(derived)));
        }
        if let Some(native) = key.native() {
            let recipient = key.public_key();
            entries.push(Self::new(name.to_owned(), recipient, Box::new(native)));
        }
        entries
    }
}

/// A wrapped data key that did not open.
#[derive(Debug, thiserror::Error)]
pub enum UnwrapError {
    /// It is wrapped for somebody else.
    #[error("it is encrypted to a key that is not here")]
    NotForUs,
    /// There is no identity at all.
    #[error("there is no private key to open it with")]
    NoIdentity,
    /// It is encrypted with a passphrase, which sops never does.
    #[error("it is encrypted with a passphrase, not to a key")]
    Passphrase,
    /// Not a whole age file, or tampered with.
    #[error("the age file is damaged: {reason}")]
    Damaged {
        /// What age said.
        reason: String,
    },
}

/// An identity file that was named and cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum IdentityFileError {
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] KeyError),
    /// It holds nothing that can be used.
    #[error("cannot use the identity file {}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: IdentityTextError,
    },
}

impl IdentityFileError {
    /// How to go on.
    #[must_use]
    pub fn fix(&self) -> String {
        match self {
            Self::Read(error) => error.fix(),
            Self::Content { source, .. } => source.fix().to_owned(),
        }
    }
}

impl Identities {
    /// The two identities of a host.
    #[must_use]
    pub fn of_host(key: &HostKey) -> Self {
        let name = format!("host key {}", key.path().display());
        Self {
            entries: Entry::of_ed25519(key, &name),
            problems: Vec::new(),
        }
    }

    /// Everything that sops would find for the person who runs this: see [`person`](super::person).
    ///
    /// A source that is broken spoils nothing; it is kept in [`problems`](Self::problems), to be shown if a file does
    /// not open in the end.
    #[must_use]
    pub fn of_person() -> Self {
        super::person::collect(&|name| std::env::var_os(name))
    }

    /// The identities in the file at `path`: an age identity file, or an SSH private key.
    pub fn of_file(path: &Path) -> Result<Self, IdentityFileError> {
        let text = read_key_file(path)?;
        let entries = parse_any(&text, path, &path.display().to_string()).map_err(|source| {
            IdentityFileError::Content {
                path: path.to_path_buf(),
                source,
            }
        })?;
        Ok(Self {
            entries,
            problems: Vec::new(),
        })
    }

    /// Adds all of `other`.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.entries.extend(other.entries);
        self.problems.extend(other.problems);
        self
    }

    pub(super) fn add(&mut self, entries: Vec<Entry>) {
        self.entries.extend(entries);
    }

    pub(super) fn add_problem(&mut self, problem: SourceProblem) {
        self.problems.push(problem);
    }

    /// Where each identity came from, with its public half: for messages.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.entries
            .iter()
            .map(|entry| format!("{} ({})", entry.name, entry.recipient))
            .collect()
    }

    /// The public halves: what a file must be encrypted to for one of these to open it.
    pub fn recipients(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| entry.recipient.as_str())
    }

    /// Sources of a person that could not be used. Only of interest once something did not open.
    #[must_use]
    pub fn problems(&self) -> &[SourceProblem] {
        &self.problems
    }

    /// Whether there is no identity.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Opens one armored age file, the `enc` of a secret file's recipient, and gives the data key in it.
    ///
    /// Blanks around `armored` are ignored. Nothing was decrypted when this fails.
    ///
    /// Source: SOPS format §age entries; <https://c2sp.org/age>.
    pub fn unwrap(&self, armored: &str) -> Result<Plaintext, UnwrapError> {
        if self.entries.is_empty() {
            return Err(UnwrapError::NoIdentity);
        }
        let mut failure = UnwrapError::NotForUs;
        for entry in &self.entries {
            // One identity at a time: a planted stanza that carries our tag must not keep the others from trying.
            match open(armored.trim().as_bytes(), entry.identity.as_ref()) {
                Ok(key) => return Ok(key),
                Err(UnwrapError::NotForUs) => {}
                Err(other) => failure = other,
            }
        }
        Err(failure)
    }
}

fn open(armored: &[u8], identity: &dyn age::Identity) -> Result<Plaintext, UnwrapError> {
    let damaged = |reason: String| UnwrapError::Damaged { reason };
    let decryptor = Decryptor::new_buffered(ArmoredReader::new(armored))
        .map_err(|reason| damaged(reason.to_string()))?;
    if decryptor.is_scrypt() {
        return Err(UnwrapError::Passphrase);
    }
    let reader = decryptor
        .decrypt(std::iter::once(identity))
        .map_err(|reason| match reason {
            DecryptError::NoMatchingKeys => UnwrapError::NotForUs,
            other => damaged(other.to_string()),
        })?;
    let mut key = Zeroizing::new(Vec::with_capacity(2048));
    reader
        .take(LARGEST_DATA_KEY + 1)
        .read_to_end(&mut key)
        .map_err(|reason| damaged(reason.to_string()))?;
    if key.len() as u64 > LARGEST_DATA_KEY {
        return Err(damaged("it holds more than a data key".to_owned()));
    }
    Ok(Plaintext::from(key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Recipient;

    fn vector(name: &str) -> HostKey {
        let path = format!(
            "{}/tests/vectors/ssh-to-age/{name}",
            env!("CARGO_MANIFEST_DIR")
        );
        HostKey::read(Path::new(&path)).unwrap()
    }

    #[test]
    fn a_host_key_opens_both_kinds_of_stanza() {
        let key = vector("vector1");
        let identities = Identities::of_host(&key);
        assert_eq!(identities.recipients().count(), 2);
        for recipient in [key.age_recipient(), key.public_key()] {
            let armored = Recipient::parse(&recipient)
                .unwrap()
                .wrap(&[9; 32])
                .unwrap();
            assert!(identities.unwrap(&armored).ok().unwrap().same_as(&[9; 32]));
            // Files without the final newline, or with too many, exist.
            assert!(identities.unwrap(armored.trim()).is_ok());
            assert!(identities.unwrap(&format!("\n{armored}\n\n")).is_ok());
        }
    }

    #[test]
    fn what_is_for_somebody_else_does_not_open() {
        let armored = Recipient::parse(&vector("vector2").age_recipient())
            .unwrap()
            .wrap(&[9; 32])
            .unwrap();
        let identities = Identities::of_host(&vector("vector1"));
        assert!(matches!(
            identities.unwrap(&armored).err(),
            Some(UnwrapError::NotForUs)
        ));
        assert!(matches!(
            Identities::default().unwrap(&armored).err(),
            Some(UnwrapError::NoIdentity)
        ));
        assert!(matches!(
            identities
                .unwrap("-----BEGIN AGE ENCRYPTED FILE-----\nAAAA\n")
                .err(),
            Some(UnwrapError::Damaged { .. })
        ));
    }
}
