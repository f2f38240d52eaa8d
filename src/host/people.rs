//! Locales that programs can use, and lingering of accounts.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use super::exec::{ExecError, Program};
use super::{Host, LocaleName, UserName};

/// A locale takes about ten seconds on a slow machine.
const GENERATE_TIMEOUT: Duration = Duration::from_mins(15);
/// logind makes it when it starts.
const LOGIND: &str = "/run/systemd/users";

/// Something about people that could not be settled.
#[derive(Debug, thiserror::Error)]
pub enum PeopleError {
    /// The locales cannot be told.
    #[error("cannot tell which locales there are")]
    Locales {
        /// Why.
        #[source]
        source: ExecError,
    },
    /// Locales cannot be made.
    #[error("cannot generate locales")]
    Generate {
        /// Why.
        #[source]
        source: ExecError,
    },
    /// logind refused.
    #[error("cannot set whether the services of {user} run without a login")]
    Linger {
        /// The account.
        user: UserName,
        /// Why.
        #[source]
        source: ExecError,
    },
}

impl PeopleError {
    /// How to put it right, where that is known.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Locales { source } | Self::Linger { source, .. } => source.hint(),
            Self::Generate { source } => source
                .hint()
                .or_else(|| Some("check the names against /usr/share/i18n/SUPPORTED".to_owned())),
        }
    }
}

impl Host {
    /// Those of `locales` that programs can use; `None` below a root.
    ///
    /// # Errors
    /// [`PeopleError::Locales`].
    pub fn generated_locales(
        &self,
        locales: &BTreeSet<LocaleName>,
    ) -> Result<Option<BTreeSet<LocaleName>>, PeopleError> {
        if !self.is_live() {
            return Ok(None);
        }
        if locales.is_empty() {
            return Ok(Some(BTreeSet::new()));
        }
        let listing = Program::new("locale")
            .arg("-a")
            .run_ok()
            .map_err(|source| PeopleError::Locales { source })?;
        let listing = String::from_utf8_lossy(&listing);
        let there: BTreeSet<&str> = listing.lines().collect();
        Ok(Some(
            locales
                .iter()
                .filter(|locale| there.contains(locale.listed().as_str()))
                .cloned()
                .collect(),
        ))
    }

    /// Makes the locales of `/etc/locale.gen` that are missing. Below a root nothing runs, and nothing happens.
    ///
    /// # Errors
    /// [`PeopleError::Generate`].
    pub fn generate_locales(&self) -> Result<(), PeopleError> {
        if !self.is_live() {
            return Ok(());
        }
        Program::new("locale-gen")
            .arg("--keep-existing")
            .timeout(GENERATE_TIMEOUT)
            .run_ok()
            .map(drop)
            .map_err(|source| PeopleError::Generate { source })
    }

    /// Whether logind runs, which starts and stops the services of accounts.
    #[must_use]
    pub fn has_logind(&self) -> bool {
        self.is_live() && Path::new(LOGIND).is_dir()
    }

    /// Starts the services of an account now and without a login, or lets them end with the last session. Below a root
    /// nothing runs, and nothing happens.
    ///
    /// # Errors
    /// [`PeopleError::Linger`].
    pub fn set_linger(&self, user: &UserName, linger: Linger) -> Result<(), PeopleError> {
        if !self.is_live() {
            return Ok(());
        }
        let verb = match linger {
            Linger::On => "enable-linger",
            Linger::Off => "disable-linger",
        };
        Program::new("loginctl")
            .args(["--no-ask-password", verb, user.as_str()])
            .run_ok()
            .map(drop)
            .map_err(|source| PeopleError::Linger {
                user: user.clone(),
                source,
            })
    }
}

/// Whether services of an account run without a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Linger {
    /// They do.
    On,
    /// They end with the last session.
    Off,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locale_is_known_by_the_spelling_of_the_c_library() {
        let listed = |text: &str| LocaleName::new(text).unwrap().listed();
        assert_eq!(listed("en_US.UTF-8"), "en_US.utf8");
        assert_eq!(listed("sr_RS.UTF-8@latin"), "sr_RS.utf8@latin");
        let host = Host::live().unwrap();
        let asked = ["C.UTF-8", "xx_XX.UTF-8"].map(|text| LocaleName::new(text).unwrap());
        let found = host.generated_locales(&asked.into()).unwrap().unwrap();
        assert_eq!(found, [LocaleName::new("C.UTF-8").unwrap()].into());
    }

    #[test]
    fn below_a_root_nothing_is_generated_and_nobody_lingers() {
        let dir = tempfile::tempdir().unwrap();
        let host = Host::below(dir.path()).unwrap();
        assert_eq!(host.generated_locales(&BTreeSet::new()).unwrap(), None);
        host.generate_locales().unwrap();
        host.set_linger(&UserName::new("nobody").unwrap(), Linger::On)
            .unwrap();
        assert!(!host.has_logind());
    }
}
