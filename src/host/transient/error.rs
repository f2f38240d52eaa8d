//! How asking for a transient unit goes wrong.

use zbus::DBusError as _;

/// systemd or logind did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action}")]
pub struct TransientError {
    action: &'static str,
    #[source]
    source: zbus::Error,
}

impl TransientError {
    pub(super) fn of(action: &'static str) -> impl FnOnce(zbus::Error) -> Self {
        move |source| Self { action, source }
    }

    /// How to go on.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some("see `systemctl status dbus.socket`, and `systemctl list-jobs` for what systemd waits for".to_owned())
    }

    /// Whether there is a unit of that name already.
    #[must_use]
    pub fn is_taken(&self) -> bool {
        self.said("UnitExists")
    }

    /// Whether nobody knows the unit.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        self.said("NoSuchUnit") || self.said("UnknownObject")
    }

    fn said(&self, word: &str) -> bool {
        let name = match &self.source {
            zbus::Error::MethodError(name, ..) => name.to_string(),
            zbus::Error::FDO(error) => error.name().to_string(),
            _ => return false,
        };
        name.rsplit('.').next() == Some(word)
    }
}
