//! The ledger of values that somebody could read who must not any more: kept until each of them is changed.
//!
//! It lies in the repository, beside nothing secret: it names files and key paths, and the digest of a value's ciphertext
//! as it was when the value had to be changed. Another ciphertext there means that the value was changed.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Repository;
use crate::host::{Digest, FileError};
use crate::sops::{Format, ParseError, SealedFile};
use crate::source::RepoPath;

const FILE: &str = ".steadfast/must-change.yml";
const VERSION: u32 = 1;
const HEAD: &str = "\
# Values that somebody could read who must not any more. `steadfast secrets offboard` writes this file, and
# `steadfast secrets check` names the values that still have the ciphertext of then. Commit it.
";

/// The ledger.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MustChange {
    /// Format version, 1.
    pub version: u32,
    /// Values that are there.
    #[serde(default)]
    pub values: Vec<MustChangeValue>,
    /// Values that were there once. Nothing here shows whether they are still good somewhere.
    #[serde(default)]
    pub gone: Vec<GoneValue>,
}

/// A value that must be changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MustChangeValue {
    /// The secret file.
    pub file: RepoPath,
    /// Where in it, outermost key first.
    pub key: Vec<String>,
    /// Who could read it, by name.
    pub could_read: Vec<String>,
    /// When that was written down, RFC 3339.
    pub since: String,
    /// SHA-256, in hex, of the ciphertext that stood there then.
    pub ciphertext: Digest,
}

/// A value that is only in git's history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GoneValue {
    /// The secret file.
    pub file: RepoPath,
    /// Where in it, outermost key first.
    pub key: Vec<String>,
    /// Who could read it, by name.
    pub could_read: Vec<String>,
}

/// A ledger that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum MustChangeError {
    /// The file system.
    #[error(transparent)]
    File(#[from] FileError),
    /// Not a ledger.
    #[error("{} is not a list of values to change: {reason}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

impl MustChangeError {
    /// How to go on.
    #[must_use]
    pub fn fix(&self) -> Option<String> {
        match self {
            Self::File(error) => error.hint(),
            Self::Invalid { .. } => Some("restore the file from git".to_owned()),
        }
    }
}

impl MustChange {
    /// Where it lies.
    #[must_use]
    pub fn file() -> RepoPath {
        RepoPath::new(FILE).unwrap_or_else(|_| unreachable!("`{FILE}` is a path"))
    }

    /// Reads the ledger of `repository`; an empty one if there is none.
    ///
    /// # Errors
    /// [`MustChangeError`].
    pub fn load(repository: &Repository) -> Result<Self, MustChangeError> {
        let file = Self::file();
        let Some(text) = repository.read(&file)? else {
            return Ok(Self {
                version: VERSION,
                ..Self::default()
            });
        };
        let invalid = |reason| MustChangeError::Invalid {
            path: repository.path(&file),
            reason,
        };
        let ledger: Self =
            serde_yaml::from_slice(&text).map_err(|error| invalid(error.to_string()))?;
        if ledger.version != VERSION {
            return Err(invalid(format!(
                "it is of version {}, and this program knows {VERSION}",
                ledger.version
            )));
        }
        Ok(ledger)
    }

    /// Follows the values of `file`, which had the text `before` and got a new data key: the ledger of `repository` names
    /// their new ciphertexts.
    ///
    /// # Errors
    /// [`MustChangeError`]; the ledger is then as it was, and the values look changed.
    pub fn follow(
        repository: &Repository,
        file: &RepoPath,
        before: &[u8],
    ) -> Result<Carried, MustChangeError> {
        let mut ledger = Self::load(repository)?;
        let format = Format::of_path(file.as_str());
        // A file in another format than its name says has no values in the ledger.
        let (Ok(before), Some(after)) = (SealedFile::parse(before, format), repository.read(file)?)
        else {
            return Ok(Carried::Nothing);
        };
        let carried = ledger
            .carry(file, &before, &after)
            .unwrap_or(Carried::Nothing);
        if let (Carried::Values, Some(text)) = (carried, ledger.text()) {
            repository.replace(&Self::file(), text.as_bytes())?;
        }
        Ok(carried)
    }

    /// The text of the ledger; `None` if it holds nothing.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        if self.values.is_empty() && self.gone.is_empty() {
            return None;
        }
        // Names, digests and times always are YAML.
        let yaml = serde_yaml::to_string(self).unwrap_or_default();
        Some(format!("{HEAD}{yaml}"))
    }

    /// The values of `file` that still have the ciphertext that must go; `sealed` is the file as it is now.
    pub fn unchanged<'a>(
        &'a self,
        file: &'a RepoPath,
        sealed: &'a SealedFile,
    ) -> impl Iterator<Item = &'a MustChangeValue> {
        let of_file = self.values.iter().filter(move |value| value.file == *file);
        of_file.filter(|value| value.is_unchanged(sealed))
    }

    /// Adds a value, or says of one that is there that one more could read it. What a name stands beside already stays as
    /// it is once the value was changed, so that adding twice asks for nothing twice.
    pub fn add(&mut self, new: MustChangeValue) {
        let known = self
            .values
            .iter_mut()
            .find(|value| value.file == new.file && value.key == new.key);
        let Some(known) = known else {
            self.values.push(new);
            return;
        };
        let names = new
            .could_read
            .iter()
            .filter(|name| !known.could_read.contains(name));
        let names: Vec<String> = names.cloned().collect();
        if names.is_empty() {
            return;
        }
        if known.ciphertext != new.ciphertext {
            // Changed since the others left: it is only for the new one that it must change again.
            known.could_read.clear();
            known.ciphertext = new.ciphertext;
            known.since = new.since;
        }
        known.could_read.extend(names);
    }

    /// Adds a value that is only in the history.
    pub fn add_gone(&mut self, new: GoneValue) {
        let known = self
            .gone
            .iter_mut()
            .find(|value| value.file == new.file && value.key == new.key);
        match known {
            None => self.gone.push(new),
            Some(known) => {
                for name in new.could_read {
                    if !known.could_read.contains(&name) {
                        known.could_read.push(name);
                    }
                }
            }
        }
    }

    /// Follows the values of `file` through a new data key, which gives every value another ciphertext and changes none.
    /// Says whether there were any.
    ///
    /// # Errors
    /// [`ParseError`] if `after` is no secret file.
    pub fn carry(
        &mut self,
        file: &RepoPath,
        before: &SealedFile,
        after: &[u8],
    ) -> Result<Carried, ParseError> {
        if self.unchanged(file, before).next().is_none() {
            return Ok(Carried::Nothing);
        }
        let after = SealedFile::parse(after, Format::of_path(file.as_str()))?;
        for value in &mut self.values {
            if value.file == *file
                && value.is_unchanged(before)
                && let Some(text) = after.ciphertext(&value.key)
            {
                value.ciphertext = Digest::of(text.as_bytes());
            }
        }
        Ok(Carried::Values)
    }
}

/// Whether a ledger has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carried {
    /// It is as it was.
    Nothing,
    /// It names new ciphertexts.
    Values,
}

impl MustChangeValue {
    /// Whether the value still has the ciphertext that must go.
    #[must_use]
    pub fn is_unchanged(&self, sealed: &SealedFile) -> bool {
        sealed
            .ciphertext(&self.key)
            .is_some_and(|text| Digest::of(text.as_bytes()) == self.ciphertext)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ledger_is_read_as_it_was_written() {
        let directory = tempfile::tempdir().unwrap();
        crate::host::durable::replace(
            &directory.path().join(".sops.yaml"),
            b"{}",
            crate::host::FileMode::from_bits(0o644),
        )
        .unwrap();
        let repository = Repository::find(directory.path()).unwrap();
        let mut ledger = MustChange::load(&repository).unwrap();
        assert_eq!(ledger.text(), None);
        ledger.values.push(MustChangeValue {
            file: RepoPath::new("secrets/a.yml").unwrap(),
            key: vec!["db".to_owned(), "a/b: c".to_owned()],
            could_read: vec!["chicago".to_owned()],
            since: "2026-01-01T00:00:00Z".to_owned(),
            ciphertext: Digest::of(b"ENC[]"),
        });
        let text = ledger.text().unwrap();
        assert!(text.starts_with("# Values"));
        repository
            .replace(&MustChange::file(), text.as_bytes())
            .unwrap();
        assert_eq!(MustChange::load(&repository).unwrap(), ledger);
        repository
            .replace(&MustChange::file(), b"version: 2\n")
            .unwrap();
        assert!(matches!(
            MustChange::load(&repository),
            Err(MustChangeError::Invalid { .. })
        ));
    }
}
