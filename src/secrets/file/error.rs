//! What can be wrong with one secret file, with who could have opened it.

use std::path::{Path, PathBuf};

use super::KeyPath;
use crate::host::FileError;
use crate::identity::{Identities, Recipient};
use crate::secrets::repository::RecipientNames;
use crate::sops::{ConvertError, EditError, OpenError, ParseError, SealError};

/// A secret file that cannot be read, opened or changed.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}", path.display())]
pub struct SecretFileError {
    /// What was tried, in words that follow "cannot".
    pub action: &'static str,
    /// The file.
    pub path: PathBuf,
    /// Why not.
    #[source]
    pub kind: Box<SecretFileErrorKind>,
}

/// Why a secret file cannot be read, opened or changed.
#[derive(Debug, thiserror::Error)]
pub enum SecretFileErrorKind {
    /// It is not there.
    #[error("there is no such file")]
    Missing,
    /// The file system.
    #[error(transparent)]
    File(FileError),
    /// It is not a secret file.
    #[error(transparent)]
    Parse(ParseError),
    /// No key that is here opens it.
    #[error("it is encrypted to {}; none of these keys is here{}", recipients.join(", "), listed(problems))]
    NotARecipient {
        /// Everybody who can open it, by name where one is known.
        recipients: Vec<String>,
        /// Keys that were found, and that it is not encrypted to.
        tried: Vec<String>,
        /// Sources of keys that could not be used.
        problems: Vec<String>,
        /// How to go on with a key that could have opened it and was not to be had, such as one with a passphrase.
        fix: Option<String>,
    },
    /// It does not open for another reason.
    #[error(transparent)]
    Open(OpenError),
    /// It has no such entry.
    #[error("there is no `{key}` in it")]
    NoEntry {
        /// The key path.
        key: String,
        /// Key paths that are there and look similar.
        similar: Vec<String>,
    },
    /// The change cannot be made.
    #[error(transparent)]
    Edit(EditError),
    /// It cannot be written in another format.
    #[error(transparent)]
    Convert(ConvertError),
    /// The result cannot be encrypted.
    #[error(transparent)]
    Seal(SealError),
    /// What is to be encrypted is a secret file.
    #[error("it is encrypted already")]
    SealedAlready,
    /// Somebody else changed it meanwhile.
    #[error("it was changed by somebody else meanwhile")]
    Changed,
}

fn listed(problems: &[String]) -> String {
    if problems.is_empty() {
        return String::new();
    }
    format!(". Not usable: {}", problems.join("; "))
}

impl SecretFileError {
    pub(in crate::secrets) fn new(
        action: &'static str,
        path: &Path,
        kind: SecretFileErrorKind,
    ) -> Self {
        Self {
            action,
            path: path.to_owned(),
            kind: Box::new(kind),
        }
    }

    /// How to go on.
    #[must_use]
    pub fn fix(&self) -> Option<String> {
        match self.kind.as_ref() {
            SecretFileErrorKind::Missing => Some(format!(
                "make it with `steadfast secrets edit {}`",
                self.path.display()
            )),
            SecretFileErrorKind::File(error) => error.hint(),
            SecretFileErrorKind::Parse(ParseError::NotSealed) => Some(format!(
                "encrypt it with `steadfast secrets encrypt -i {}`; if it ever was pushed in the clear, change the secrets in it",
                self.path.display()
            )),
            SecretFileErrorKind::Parse(error) => Some(
                error
                    .fix()
                    .replace("FILE", &self.path.display().to_string()),
            ),
            SecretFileErrorKind::NotARecipient { fix: Some(fix), .. } => Some(fix.clone()),
            SecretFileErrorKind::NotARecipient { tried, .. } if tried.is_empty() => Some(
                "put an age key into ~/.config/sops/age/keys.txt, or name one with --identity FILE"
                    .to_owned(),
            ),
            SecretFileErrorKind::NotARecipient { tried, .. } => Some(format!(
                "ask one of them to add your key to .sops.yaml and to run `steadfast secrets rekey`, or name another key with --identity FILE. Keys that were tried: {}",
                tried.join(", ")
            )),
            SecretFileErrorKind::Open(error) => Some(error.fix().to_owned()),
            SecretFileErrorKind::NoEntry { similar, .. } if !similar.is_empty() => {
                Some(format!("there is {}", similar.join(", ")))
            }
            SecretFileErrorKind::NoEntry { .. } => Some(format!(
                "`steadfast secrets view {}` shows what is there",
                self.path.display()
            )),
            SecretFileErrorKind::Edit(_) => None,
            SecretFileErrorKind::Convert(error) => Some(error.fix().to_owned()),
            SecretFileErrorKind::Seal(error) => Some(error.fix().to_owned()),
            SecretFileErrorKind::SealedAlready => Some(format!(
                "`steadfast secrets edit {}` opens it",
                self.path.display()
            )),
            SecretFileErrorKind::Changed => Some("try again".to_owned()),
        }
    }
}

/// Turns "not a recipient" into who is one, and why the keys that are here did not help.
pub(in crate::secrets) fn explain(
    error: OpenError,
    identities: &Identities,
    names: &RecipientNames,
) -> SecretFileErrorKind {
    let OpenError::NotARecipient { recipients } = &error else {
        return SecretFileErrorKind::Open(error);
    };
    let mut tried: Vec<String> = identities
        .recipients()
        .map(|text| Recipient::parse(text).map_or_else(|_| text.to_owned(), |it| it.short()))
        .collect();
    tried.dedup();
    let problems = identities.problems();
    let fix = problems
        .iter()
        .find(|problem| problem.was_needed())
        .map(|problem| problem.fix());
    let problems = problems
        .iter()
        .map(|problem| {
            let why = std::error::Error::source(problem).map(ToString::to_string);
            format!("{} ({})", problem.from, why.unwrap_or_default())
        })
        .collect();
    SecretFileErrorKind::NotARecipient {
        recipients: recipients
            .iter()
            .map(|text| names.name_of_text(text))
            .collect(),
        tried,
        problems,
        fix,
    }
}

/// Says that `key` is not there, with those that are and look similar.
pub(super) fn no_entry(path: &Path, key: &KeyPath, there: &[Vec<String>]) -> SecretFileError {
    let wanted = key.keys();
    let alike = |is_alike: &dyn Fn(&[String]) -> bool| -> Vec<String> {
        let alike = there.iter().filter(|path| is_alike(path));
        alike
            .map(|path| format!("`{}`", KeyPath::of(path)))
            .take(5)
            .collect()
    };
    let mut similar = alike(&|path| path.starts_with(wanted) || path.last() == wanted.last());
    if similar.is_empty() {
        // Its neighbours: mostly the last key is mistyped.
        similar = alike(&|path| {
            let up = |keys: &[String]| keys.split_last().map(|(_last, rest)| rest.to_vec());
            up(path) == up(wanted)
        });
    }
    let kind = SecretFileErrorKind::NoEntry {
        key: key.to_string(),
        similar,
    };
    SecretFileError::new("find a value in", path, kind)
}
