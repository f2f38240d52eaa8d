//! How asking or moving units goes wrong.

use zbus::DBusError;

use crate::host::exec::ExecError;
use crate::host::{AccountError, FileError, UnitName, UserName};

/// A question or an order that systemd did not answer or refused.
#[derive(Debug, thiserror::Error)]
pub enum UnitError {
    /// PID 1 is something else, such as in a container or a build.
    #[error("systemd does not run on this machine")]
    NoManager,
    /// systemd runs, but its bus cannot be reached.
    #[error("cannot reach systemd over D-Bus")]
    NoBus {
        /// Why.
        #[source]
        source: zbus::Error,
    },
    /// systemd said no.
    #[error("systemd refuses to {action} {unit}: {message}")]
    Refused {
        /// What was asked.
        action: &'static str,
        /// The unit.
        unit: UnitName,
        /// The D-Bus error name, `org.freedesktop.systemd1.UnitMasked`.
        name: String,
        /// systemd's own words.
        message: String,
    },
    /// The conversation broke.
    #[error("cannot {action}")]
    Call {
        /// What was asked.
        action: &'static str,
        /// Why.
        #[source]
        source: zbus::Error,
    },
    /// It took longer than anything should.
    #[error("systemd did not {action} within {secs} s")]
    Late {
        /// What was asked.
        action: &'static str,
        /// How long it was given.
        secs: u64,
    },
    /// A unit to enable or disable has no file.
    #[error("there is no unit file for {unit}")]
    NoFile {
        /// The unit.
        unit: UnitName,
    },
    /// `systemctl` could not be run for an account, or did not end.
    #[error("cannot {action} in the systemd of {account}")]
    Systemctl {
        /// What was asked.
        action: &'static str,
        /// The account.
        account: UserName,
        /// Why.
        #[source]
        source: ExecError,
    },
    /// The systemd of an account said no.
    #[error("the systemd of {account} does not {action}: {said}")]
    Declined {
        /// What was asked.
        action: &'static str,
        /// The account.
        account: UserName,
        /// Its own words.
        said: String,
    },
    /// What the systemd of an account answered is not an answer.
    #[error("the systemd of {account} does not say what its units are")]
    Unreadable {
        /// The account.
        account: UserName,
    },
    /// The accounts of the machine cannot be read.
    #[error(transparent)]
    Accounts {
        /// Why.
        source: Box<AccountError>,
    },
    /// A link or unit file below the root cannot be read or changed.
    #[error(transparent)]
    File(#[from] FileError),
}

impl UnitError {
    /// How to put it right, where that is known.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoManager => {
                Some("run it on a host that systemd booted, or give `--root DIR`".to_owned())
            }
            Self::NoBus { .. } => Some(
                "apt install dbus, then systemctl start dbus.socket; a user who is not root may need `sudo`"
                    .to_owned(),
            ),
            Self::Refused { unit, name, .. } => refusal_hint(name, unit),
            Self::Late { .. } => Some("systemctl list-jobs shows what systemd waits for".to_owned()),
            Self::NoFile { unit } => Some(format!(
                "install the package that brings {unit}, or give the unit a `file`"
            )),
            Self::File(error) => error.hint(),
            Self::Systemctl {
                account, source, ..
            } => source
                .hint()
                .or_else(|| Some(format!("look at it with `systemctl --user -M {account}@`"))),
            Self::Declined { account, .. } | Self::Unreadable { account } => {
                Some(format!("look at it with `systemctl --user -M {account}@`"))
            }
            Self::Accounts { source } => source.hint(),
            Self::Call { .. } => None,
        }
    }

    /// Sorts what D-Bus said about one unit into a refusal or a broken conversation.
    pub(super) fn about(action: &'static str, unit: &UnitName, source: zbus::Error) -> Self {
        match said(&source) {
            Some((name, message)) if !is_disconnection(&name) => Self::Refused {
                action,
                unit: unit.clone(),
                name,
                message,
            },
            _ => Self::Call { action, source },
        }
    }

    /// Whether the connection is gone, so that a new one may help.
    pub(super) fn is_disconnected(&self) -> bool {
        match self {
            Self::Call { source, .. } => {
                matches!(source, zbus::Error::InputOutput(_))
                    || said(source).is_some_and(|(name, _)| is_disconnection(&name))
            }
            _ => false,
        }
    }
}

/// The name and the text of an error that came as an answer.
fn said(error: &zbus::Error) -> Option<(String, String)> {
    let (name, message) = match error {
        zbus::Error::MethodError(name, message, _) => (name.to_string(), message.clone()),
        zbus::Error::FDO(error) if !matches!(**error, zbus::fdo::Error::ZBus(_)) => (
            error.name().to_string(),
            error.description().map(str::to_owned),
        ),
        _ => return None,
    };
    Some((name.clone(), message.unwrap_or(name)))
}

fn is_disconnection(name: &str) -> bool {
    matches!(
        name,
        "org.freedesktop.DBus.Error.Disconnected"
            | "org.freedesktop.DBus.Error.NoReply"
            | "org.freedesktop.DBus.Error.NameHasNoOwner"
            | "org.freedesktop.DBus.Error.ServiceUnknown"
    )
}

fn refusal_hint(name: &str, unit: &UnitName) -> Option<String> {
    match name.rsplit('.').next()? {
        "UnitMasked" => Some(format!("systemctl unmask {unit}")),
        "NoSuchUnit" | "NoSuchUnitFile" | "FileNotFound" => Some(format!(
            "install the package that brings {unit}, or give the unit a `file`"
        )),
        "BadUnitSetting" | "LoadFailed" => Some(format!("systemd-analyze verify {unit}")),
        "AccessDenied" | "InteractiveAuthorizationRequired" => Some("run it as root".to_owned()),
        _ => None,
    }
}
