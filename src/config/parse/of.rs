//! Whose entries are being read: the host's, or those of a home directory.

use std::collections::BTreeMap;
use std::fmt::Display;

use super::HostParser;
use super::paths::{DEFINES_A_UNIT, defined_unit, refusal};
use crate::config::Located;
use crate::config::reader::suggestion;
use crate::config::yaml::{Key, Place};
use crate::host::{HostPath, InvalidName, UserName};
use crate::secrets::{SecretName, TemplateName};

/// Whose entries are being read.
#[derive(Debug, Clone, Copy)]
pub(super) enum Of<'h> {
    /// The host's: paths begin at its root, and root is the owner of what names none.
    Host,
    /// Those of a home: paths begin there, and the account is the owner of what names none.
    Home(&'h Home),
}

/// The home directory of an account.
#[derive(Debug)]
pub(super) struct Home {
    pub(super) account: UserName,
    pub(super) directory: HostPath,
}

impl Of<'_> {
    /// The owner of what names none.
    pub(super) fn owner(self, named: Option<UserName>) -> Option<UserName> {
        match self {
            Self::Host => named,
            Self::Home(home) => named.or_else(|| Some(home.account.clone())),
        }
    }

    /// The account, in a home.
    pub(super) fn account(self) -> Option<UserName> {
        match self {
            Self::Host => None,
            Self::Home(home) => Some(home.account.clone()),
        }
    }

    /// What a secret is called on the host: those of a home begin with `home/NAME/`.
    pub(super) fn secret_name(self, name: &SecretName) -> Result<SecretName, InvalidName> {
        match self {
            Self::Host => Ok(name.clone()),
            Self::Home(home) => name.in_home(&home.account),
        }
    }

    /// What a template is called on the host.
    pub(super) fn template_name(self, name: &TemplateName) -> Result<TemplateName, InvalidName> {
        match self {
            Self::Host => Ok(name.clone()),
            Self::Home(home) => name.in_home(&home.account),
        }
    }
}

impl HostParser<'_> {
    /// The path that a key names, unless it must be left alone.
    pub(super) fn path_key(&mut self, key: &Key, of: Of<'_>) -> Option<HostPath> {
        self.path_text(&key.text, key.place, of)
    }

    /// A path that is written at `place`, unless it must be left alone.
    pub(super) fn path_text(&mut self, text: &str, place: Place, of: Of<'_>) -> Option<HostPath> {
        let path = match of {
            Of::Host => HostPath::new(text),
            Of::Home(home) => {
                self.below_home(text, place, home)?;
                self.no_unit(text, place)?;
                home.directory.join(text)
            }
        };
        let path = match path {
            Ok(path) => path,
            Err(invalid) => {
                let fix = match text.strip_suffix('/') {
                    _ if invalid.text == text => suggestion(&invalid),
                    Some(shorter) if !shorter.is_empty() => Some(format!("write `{shorter}`")),
                    _ => None,
                };
                self.reader.error(place, invalid.to_string()).fix = fix;
                return None;
            }
        };
        let Some(refusal) = refusal(&path) else {
            return Some(path);
        };
        let error = self
            .reader
            .error(place, format!("`{path}` cannot be an entry"));
        error.cause = Some(refusal.reason.to_owned());
        error.fix = refusal.fix;
        None
    }

    /// `None` if the path does not begin in the home directory, which is recorded.
    fn below_home(&mut self, text: &str, place: Place, home: &Home) -> Option<()> {
        let directory = format!("{}/", home.directory);
        let below = text
            .strip_prefix("~/")
            .or_else(|| text.strip_prefix(&directory));
        let fix = match below {
            Some(below) => format!("write `{below}`"),
            None if text.starts_with('/') => {
                "entries outside of the home go under `files`, `directories` or `symlinks` of the host"
                    .to_owned()
            }
            None => return Some(()),
        };
        self.reader
            .error(
                place,
                format!(
                    "a path in a home begins in the home directory, {}",
                    home.directory
                ),
            )
            .fix = Some(fix);
        None
    }

    /// `None` if the path defines a unit of the account, which is recorded.
    fn no_unit(&mut self, text: &str, place: Place) -> Option<()> {
        let Some(unit) = text
            .strip_prefix(".config/systemd/user/")
            .and_then(defined_unit)
        else {
            return Some(());
        };
        let error = self
            .reader
            .error(place, format!("`{text}` cannot be an entry"));
        error.cause = Some(DEFINES_A_UNIT.to_owned());
        error.fix = Some(format!("declare `{unit}` under `units:` of the home"));
        None
    }

    /// Keeps an entry; two of one name are an error.
    pub(super) fn once<K: Ord + Display, T>(
        &mut self,
        pick: impl Fn(&mut crate::config::HostConfig) -> &mut BTreeMap<K, Located<T>>,
        key: K,
        place: Place,
        value: T,
    ) {
        let value = self.reader.located(place, value);
        let map = pick(&mut self.config);
        if let Some(first) = map.get(&key) {
            let first = crate::config::Mark::from(&first.origin);
            let error = self
                .reader
                .error(place, format!("`{key}` is made by two entries"));
            error.related = Some((first, "the other entry is here".to_owned()));
            error.fix = Some("keep one of the two".to_owned());
            return;
        }
        map.insert(key, value);
    }
}
