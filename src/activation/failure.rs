//! What can stand in the way of looking at a host or changing it.

use super::{HoldsError, JournalError};
use crate::generation::StoreError;
use crate::host::{
    AccountError, FileError, HostPath, JobResult, LoadModuleError, MachineError, PackageError,
    PeopleError, UnitError, UnitId,
};
use crate::secrets::InstallError;

/// The reason why a host could not be looked at, or a step not be carried out.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each says what it is")]
pub enum HostFailure {
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Account(#[from] AccountError),
    #[error(transparent)]
    Package(#[from] PackageError),
    #[error(transparent)]
    Machine(#[from] MachineError),
    #[error(transparent)]
    Module(#[from] LoadModuleError),
    #[error(transparent)]
    People(#[from] PeopleError),
    #[error(transparent)]
    Unit(#[from] UnitError),
    #[error(transparent)]
    Secrets(#[from] InstallError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Holds(#[from] HoldsError),
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Content that could be judged only when packages were there is not valid.
    #[error("{}", in_lines(.0))]
    Refused(super::Refused),
    /// A job of systemd did not end well.
    #[error("cannot {verb} {unit}: the job ended with `{result}`")]
    Job {
        unit: UnitId,
        verb: &'static str,
        result: JobResult,
    },
    /// Somebody else changes the host at the same time.
    #[error("{path} was changed by somebody since it was looked at: {now}")]
    Raced { path: HostPath, now: String },
    /// A package that came with this very plan has a file there.
    #[error("{path} is a file of the package {package}, whose upgrades replace it")]
    OfPackage { path: HostPath, package: String },
    /// A name without an account.
    #[error("the owner `{name}` of {path} does not exist on this host")]
    UnknownOwner { path: HostPath, name: String },
    /// The secret with a password hash is not there or is not text.
    #[error("the password of `{user}` is in the secret `{secret}`, which could not be used")]
    PasswordSecret { user: String, secret: String },
    /// What was there before is not recorded.
    #[error("nothing is recorded about what was at {path} before")]
    NoOriginal { path: HostPath },
}

impl HostFailure {
    /// How to go on.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::File(error) => error.hint(),
            Self::Account(error) => error.hint(),
            Self::Package(error) => error.hint(),
            Self::Machine(error) => error.hint(),
            Self::Module(error) => error.hint(),
            Self::People(error) => error.hint(),
            Self::Unit(error) => error.hint(),
            Self::Secrets(error) => error.fix(),
            Self::Store(error) => error.fix(),
            Self::Holds(error) => Some(error.fix()),
            Self::Journal(error) => error.hint(),
            Self::Job { unit, .. } => Some(format!("see `journalctl -u {unit} -e`")),
            Self::Refused(_) => Some("put it right in the repository".to_owned()),
            Self::Raced { .. } => Some("run it again".to_owned()),
            Self::OfPackage { .. } => Some("use what the package offers for settings".to_owned()),
            Self::UnknownOwner { name, .. } => Some(format!(
                "declare `{name}`, or ask for the package that makes it"
            )),
            Self::PasswordSecret { secret, .. } => Some(format!(
                "put one crypt(3) hash into `{secret}`, as `mkpasswd` prints it"
            )),
            Self::NoOriginal { .. } => None,
        }
    }

    /// The error and its causes in one line.
    #[must_use]
    pub fn in_one_line(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }
}

fn in_lines(refused: &super::Refused) -> String {
    let each: Vec<String> = refused.0.iter().map(ToString::to_string).collect();
    format!("{refused}: {}", each.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_has_the_error_and_what_the_disk_said() {
        let broken = JournalError::List {
            path: "/var/lib/steadfast/transactions/00000002/journal".into(),
            source: std::io::Error::other("Input/output error"),
        };
        assert_eq!(
            HostFailure::from(broken).in_one_line(),
            "cannot use /var/lib/steadfast/transactions/00000002/journal: Input/output error"
        );
    }
}
