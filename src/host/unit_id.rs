//! Which unit of which systemd: the machine's own, or that of an account.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{InvalidName, UnitKind, UnitName, UserName};

/// A unit of the machine's systemd, `app.service`, or of an account's, `ketan/sync.timer`.
///
/// Those of the machine come first in order, so that a set or map with none of accounts is spelled as one of names.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UnitId {
    /// The account whose systemd it is; `None` for the machine's.
    pub account: Option<UserName>,
    /// What that systemd calls it.
    pub name: UnitName,
}

impl UnitId {
    /// A unit of the systemd of `account`.
    #[must_use]
    pub fn of(account: Option<&UserName>, name: UnitName) -> Self {
        Self {
            account: account.cloned(),
            name,
        }
    }

    /// The unit's type.
    #[must_use]
    pub fn kind(&self) -> UnitKind {
        self.name.kind()
    }

    /// Whether this is a template, which never runs.
    #[must_use]
    pub fn is_template(&self) -> bool {
        self.name.is_template()
    }

    /// The unit of the same systemd that is named like this one but for its type.
    #[must_use]
    pub fn beside(&self, suffix: &str) -> Option<Self> {
        let (stem, _) = self.name.as_str().rsplit_once('.')?;
        let name = UnitName::new(format!("{stem}.{suffix}")).ok()?;
        Some(Self::of(self.account.as_ref(), name))
    }

    /// Whether a file of this name defines the unit: its own, or its template's.
    #[must_use]
    pub fn is_defined_by(&self, file: &str) -> bool {
        let template = self.name.template();
        file == self.name.as_str() || template.is_some_and(|template| file == template.as_str())
    }
}

impl From<UnitName> for UnitId {
    fn from(name: UnitName) -> Self {
        Self {
            account: None,
            name,
        }
    }
}

impl fmt::Display for UnitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.account {
            None => self.name.fmt(f),
            Some(account) => f.pad(&format!("{account}/{}", self.name)),
        }
    }
}

impl fmt::Debug for UnitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_string())
    }
}

impl FromStr for UnitId {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        match text.split_once('/') {
            None => Ok(UnitName::new(text)?.into()),
            Some((account, name)) => Ok(Self {
                account: Some(UserName::new(account)?),
                name: UnitName::new(name)?,
            }),
        }
    }
}

impl TryFrom<String> for UnitId {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        text.parse()
    }
}

impl From<UnitId> for String {
    fn from(unit: UnitId) -> Self {
        unit.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_of_the_machine_is_spelled_as_its_name_and_comes_first() {
        let of = |text: &str| text.parse::<UnitId>().unwrap();
        let mut units = [of("ketan/a.service"), of("z.service"), of("anna/b.timer")];
        units.sort();
        assert_eq!(
            serde_json::to_string(&units).unwrap(),
            r#"["z.service","anna/b.timer","ketan/a.service"]"#
        );
        assert_eq!(of("z.service"), UnitName::new("z.service").unwrap().into());
        for bad in ["ketan/", "/a.service", "a/b/c.service", "Ketan/a.service"] {
            assert!(bad.parse::<UnitId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn what_belongs_to_a_unit_is_of_the_same_systemd() {
        let socket: UnitId = "ketan/app@x.socket".parse().unwrap();
        assert_eq!(
            socket.beside("service").unwrap().to_string(),
            "ketan/app@x.service"
        );
        assert!(socket.is_defined_by("app@.socket") && socket.is_defined_by("app@x.socket"));
        assert!(!socket.is_defined_by("app.socket"));
    }
}
