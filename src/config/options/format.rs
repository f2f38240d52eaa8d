//! Formats of texts that mean something to a host.

use super::calendar;
use crate::config::duration_ms;
use crate::host::{FileMode, HostPath, UnitName};
use crate::secrets::SecretName;

/// What a text has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::config) enum Format {
    SystemdCalendar,
    Path,
    Mode,
    SecretName,
    UnitName,
    Duration,
}

impl Format {
    /// The words for them.
    pub(super) const WORDS: [(&str, Self); 6] = [
        ("systemd-calendar", Self::SystemdCalendar),
        ("path", Self::Path),
        ("mode", Self::Mode),
        ("secret-name", Self::SecretName),
        ("unit-name", Self::UnitName),
        ("duration", Self::Duration),
    ];

    /// How `text` could be put right, where that is not plain from what [`check`](Self::check) says.
    pub(super) fn fix(self, text: &str) -> Option<String> {
        match self {
            Self::SystemdCalendar => Some(
                "`systemd-analyze calendar '…'` says what systemd makes of an expression"
                    .to_owned(),
            ),
            Self::Duration if text.bytes().all(|b| b.is_ascii_digit()) && !text.is_empty() => {
                Some(format!("say the unit: `{text}s`"))
            }
            _ => None,
        }
    }

    /// Whether `text` has this format, and if not, what it should be.
    pub(super) fn check(self, text: &str) -> Result<(), String> {
        match self {
            Self::SystemdCalendar => calendar::check(text).map_err(|why| {
                format!("`{text}` is not a calendar expression of systemd, such as `02:00` or `Mon *-*-* 03:00`: {why}")
            }),
            Self::Path => HostPath::new(text).map(drop).map_err(|error| error.to_string()),
            Self::Mode => text.parse::<FileMode>().map(drop).map_err(|error| error.to_string()),
            Self::SecretName => SecretName::new(text).map(drop).map_err(|error| error.to_string()),
            Self::UnitName => UnitName::new(text).map(drop).map_err(|error| error.to_string()),
            Self::Duration => match duration_ms(text) {
                Some(_) => Ok(()),
                None => Err(format!("`{text}` is not a duration such as `30s`, `5m` or `1h30m`")),
            },
        }
    }
}
