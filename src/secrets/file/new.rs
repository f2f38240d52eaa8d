//! A new, generated secret in a secret file.

use std::path::PathBuf;

use super::change::{Access, ChangeError, Changed, Draft, finish};
use super::error::SecretFileErrorKind;
use super::generate::{GenerateError, Generated, Generator, generate};
use super::recipe::{Recipe, Wishes};
use super::{KeyPath, SecretFile};
use crate::identity::Plaintext;
use crate::sops::Format;

/// What to do about a value that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// Leave it, and refuse.
    Refuse,
    /// Put the new one in its place.
    Replace,
}

/// A secret to be made.
#[derive(Debug, Clone)]
pub struct NewSecret<'a> {
    /// Where it goes.
    pub key: &'a KeyPath,
    /// What it is to be.
    pub generator: &'a Generator,
    /// What to do about a value that is there already.
    pub existing: Existing,
}

/// A secret that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeSecret {
    /// What happened to the file.
    pub changed: Changed,
    /// The key paths of the values that were set; two for a key pair, the private half first.
    pub keys: Vec<KeyPath>,
    /// The public half of a key pair.
    pub public: Option<String>,
}

/// A secret that was not made; the file is as it was.
#[derive(Debug, thiserror::Error)]
pub enum NewSecretError {
    /// The file does not open, or does not take it.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// It cannot be made as it was asked for.
    #[error(transparent)]
    Generate(#[from] GenerateError),
    /// There is a value already.
    #[error("{} has a `{key}` already", file.display())]
    Exists {
        /// The file.
        file: PathBuf,
        /// The key path.
        key: KeyPath,
    },
    /// A file of bytes has no keys.
    #[error("{} is one single value, in which there are no keys", file.display())]
    NoKeys {
        /// The file.
        file: PathBuf,
    },
}

impl NewSecretError {
    /// How to go on.
    #[must_use]
    pub fn fix(&self) -> Option<String> {
        match self {
            Self::Change(error) => error.fix(),
            Self::Generate(error) => Some(error.fix().to_owned()),
            Self::Exists { .. } => Some(
                "name another key, or --replace to put a new value in its place; the old one stays in git's history"
                    .to_owned(),
            ),
            Self::NoKeys { .. } => {
                Some("name a file that ends in .yml, .yaml, .json, .env or .ini".to_owned())
            }
        }
    }
}

/// Makes a secret and puts it into `file`, which is made for the recipients of its rule if it is not there.
///
/// The halves of a key pair are `private` and `public` below the key, or where a format has no maps, the key and the key
/// with `_PUBLIC` (dotenv) or `_public` (INI) after it.
pub fn new_secret(
    file: &SecretFile<'_>,
    new: &NewSecret<'_>,
    access: Access<'_>,
) -> Result<MadeSecret, NewSecretError> {
    let format = file.format();
    let path = || file.path().to_owned();
    if format == Format::Binary {
        return Err(NewSecretError::NoKeys { file: path() });
    }
    let (values, public) = values(new, format)?;
    let draft = Draft::begin(file)?;
    let mut opened = if let Some(opened) = draft.open(access.identities, access.mac)? {
        let there = opened.key_paths();
        let is_there = |key: &&KeyPath| there.iter().any(|path| path.starts_with(key.keys()));
        let taken = std::iter::once(new.key)
            .chain(values.iter().map(|(key, _)| key))
            .find(is_there);
        if let (Some(key), Existing::Refuse) = (taken, new.existing) {
            return Err(NewSecretError::Exists {
                file: path(),
                key: key.clone(),
            });
        }
        opened
    } else {
        let recipe = Recipe::of(file, &Wishes::default()).map_err(ChangeError::from)?;
        draft.create_for(&values[0].0, &recipe)?
    };
    for (key, value) in &values {
        opened
            .set(key.keys(), value)
            .map_err(|error| draft.failed("change", SecretFileErrorKind::Edit(error)))?;
    }
    Ok(MadeSecret {
        changed: finish(&draft, &opened)?,
        keys: values.into_iter().map(|(key, _)| key).collect(),
        public,
    })
}

type Values = (Vec<(KeyPath, Plaintext)>, Option<String>);

/// The values to set, and the public half if there is one.
fn values(new: &NewSecret<'_>, format: Format) -> Result<Values, GenerateError> {
    let key = new.key;
    Ok(match generate(new.generator)? {
        Generated::Value(value) => (vec![(key.clone(), value)], None),
        Generated::KeyPair { private, public } => {
            let [private_key, public_key] = match format {
                Format::Dotenv => [key.clone(), key.with_suffix("_PUBLIC")],
                Format::Ini => [key.clone(), key.with_suffix("_public")],
                Format::Yaml | Format::Json | Format::Binary => {
                    [key.below("private"), key.below("public")]
                }
            };
            let line = Plaintext::new(public.clone().into_bytes());
            let values = vec![(private_key, private), (public_key, line)];
            (values, Some(public))
        }
    })
}
