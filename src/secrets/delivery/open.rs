//! Opening a host's secrets: everything is decrypted first, in memory, each secret file once.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;

use super::{SecretName, SecretSpec};
use crate::host::Digest;
use crate::identity::{Identities, Plaintext};
use crate::sops::{Format, OpenError, OpenedFile, ParseError, SealedFile};
use crate::source::RepoPath;

/// The opened secrets of one generation. Wiped on drop.
#[derive(Default)]
#[expect(
    missing_debug_implementations,
    reason = "plaintext must not be printable"
)]
pub struct OpenedSecrets {
    values: BTreeMap<SecretName, Plaintext>,
    unavailable: BTreeMap<SecretName, OpenSecretError>,
}

impl OpenedSecrets {
    /// The value of `secret`; `None` if it did not open, or is not among those asked for.
    #[must_use]
    pub fn value(&self, secret: &SecretName) -> Option<&Plaintext> {
        self.values.get(secret)
    }

    /// The optional secrets that did not open, and why. Whatever is installed of them stays as it is.
    #[must_use]
    pub fn unavailable(&self) -> &BTreeMap<SecretName, OpenSecretError> {
        &self.unavailable
    }

    #[cfg(test)]
    pub(crate) fn of<const N: usize>(values: [(&str, &str); N]) -> Self {
        let values = values.map(|(name, value)| {
            let name = SecretName::new(name).expect("a valid name");
            (name, Plaintext::new(value.as_bytes().to_vec()))
        });
        Self {
            values: values.into(),
            unavailable: BTreeMap::new(),
        }
    }
}

/// A secret that did not open.
#[derive(Debug, thiserror::Error)]
#[error("cannot open the secret `{secret}` in {file}")]
pub struct OpenSecretError {
    /// The secret.
    pub secret: SecretName,
    /// The secret file that should hold it.
    pub file: RepoPath,
    /// Why not. The same for every secret of a file that does not open at all.
    #[source]
    pub kind: std::sync::Arc<OpenSecretErrorKind>,
    /// This host's age recipient, which must be able to open the file.
    pub recipient: Option<String>,
}

/// Why a secret did not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenSecretErrorKind {
    /// The ciphertext is not there.
    #[error("the file cannot be read")]
    Unreadable {
        /// What whoever keeps it said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// Not a secret file.
    #[error("the file is not a secret file")]
    Parse(#[source] ParseError),
    /// It does not open, or is not whole.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It has no such entry.
    #[error("the file has no entry `{key}`")]
    NoEntry {
        /// The key path, parts separated by `/`.
        key: String,
    },
    /// The entry is another one than the generation was built from.
    #[error("the entry `{key}` is not the one that the generation was built from")]
    OtherCiphertext {
        /// The key path, parts separated by `/`.
        key: String,
    },
}

impl OpenSecretError {
    /// How to go on.
    #[must_use]
    pub fn fix(&self) -> String {
        match self.kind.as_ref() {
            OpenSecretErrorKind::Unreadable { .. } => {
                "run `reconcile now` again, so that the file is fetched and kept".to_owned()
            }
            OpenSecretErrorKind::Parse(error) => error.fix().to_owned(),
            OpenSecretErrorKind::Open(OpenError::NotARecipient { .. }) => {
                let whose = match &self.recipient {
                    Some(recipient) => format!("this host's recipient {recipient}"),
                    None => "this host's recipient".to_owned(),
                };
                format!(
                    "add {whose} to the rule for {} in .sops.yaml, then run `steadfast secrets rekey` where the file can be opened, and push",
                    self.file
                )
            }
            OpenSecretErrorKind::Open(error) => error.fix().to_owned(),
            OpenSecretErrorKind::NoEntry { key } => format!(
                "add it with `steadfast secrets set {} {key}`, or name the right `key:` for the secret in the host's file",
                self.file
            ),
            OpenSecretErrorKind::OtherCiphertext { .. } => {
                "build the generation again: `reconcile now`".to_owned()
            }
        }
    }
}

/// Required secrets that did not open; nothing may be changed on the host then.
#[derive(Debug)]
pub struct OpenSecretsError {
    /// Every one of them, in name order.
    pub failed: Vec<OpenSecretError>,
}

impl fmt::Display for OpenSecretsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.failed.as_slice() {
            [only] => write!(f, "{only}"),
            several => write!(f, "{} required secrets cannot be opened", several.len()),
        }
    }
}

impl Error for OpenSecretsError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self.failed.as_slice() {
            [only] => only.source(),
            _ => None,
        }
    }
}

impl OpenSecretsError {
    /// How to go on: the distinct fixes, one a line.
    #[must_use]
    pub fn fix(&self) -> String {
        let mut fixes: Vec<String> = Vec::new();
        for error in &self.failed {
            let fix = error.fix();
            if !fixes.contains(&fix) {
                fixes.push(fix);
            }
        }
        fixes.join("\n")
    }
}

/// Opens all `secrets` of a generation, each file once.
///
/// `ciphertext` gives the text of a secret file: from the repository, or from the objects kept with a generation.
///
/// # Errors
/// [`OpenSecretsError`] with every required secret that does not open. Optional ones are in
/// [`unavailable`](OpenedSecrets::unavailable).
pub fn open<E>(
    secrets: &BTreeMap<SecretName, SecretSpec>,
    ciphertext: impl Fn(&RepoPath) -> Result<Vec<u8>, E>,
    identities: &Identities,
) -> Result<OpenedSecrets, OpenSecretsError>
where
    E: Into<Box<dyn Error + Send + Sync>>,
{
    let recipient = identities.recipients().next().map(str::to_owned);
    let mut files: BTreeMap<&RepoPath, Opened> = BTreeMap::new();
    let mut result = OpenedSecrets::default();
    let mut failed = Vec::new();
    for (name, spec) in secrets {
        let file = files
            .entry(&spec.file)
            .or_insert_with(|| open_file(&spec.file, &ciphertext, identities));
        let value = match file {
            Ok((sealed, opened)) => value_of(spec, sealed, opened).map_err(Into::into),
            Err(kind) => Err(std::sync::Arc::clone(kind)),
        };
        match value {
            Ok(value) => {
                result.values.insert(name.clone(), value);
            }
            Err(kind) => {
                let error = OpenSecretError {
                    secret: name.clone(),
                    file: spec.file.clone(),
                    kind,
                    recipient: recipient.clone(),
                };
                if spec.optional {
                    result.unavailable.insert(name.clone(), error);
                } else {
                    failed.push(error);
                }
            }
        }
    }
    if failed.is_empty() {
        Ok(result)
    } else {
        Err(OpenSecretsError { failed })
    }
}

type Opened = Result<(SealedFile, OpenedFile), std::sync::Arc<OpenSecretErrorKind>>;

fn open_file<E>(
    path: &RepoPath,
    ciphertext: &impl Fn(&RepoPath) -> Result<Vec<u8>, E>,
    identities: &Identities,
) -> Opened
where
    E: Into<Box<dyn Error + Send + Sync>>,
{
    let text = ciphertext(path).map_err(|source| OpenSecretErrorKind::Unreadable {
        source: source.into(),
    })?;
    let sealed = SealedFile::parse(&text, Format::of_path(path.as_str()))
        .map_err(OpenSecretErrorKind::Parse)?;
    let opened = sealed.open(identities).map_err(OpenSecretErrorKind::Open)?;
    Ok((sealed, opened))
}

fn value_of(
    spec: &SecretSpec,
    sealed: &SealedFile,
    opened: &OpenedFile,
) -> Result<Plaintext, OpenSecretErrorKind> {
    let key = || spec.key.join("/");
    let Some(text) = sealed.ciphertext_of(&spec.key) else {
        return Err(OpenSecretErrorKind::NoEntry { key: key() });
    };
    if Digest::of(text.as_bytes()).as_str() != spec.ciphertext {
        return Err(OpenSecretErrorKind::OtherCiphertext { key: key() });
    }
    if spec.key.is_empty() {
        return Ok(opened.plain_text());
    }
    opened
        .get(&spec.key)
        .ok_or_else(|| OpenSecretErrorKind::NoEntry { key: key() })
}

#[cfg(test)]
mod tests;
