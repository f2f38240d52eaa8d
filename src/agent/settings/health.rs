//! How long health is asked, and who confirms: the block `health`, `confirm` and `confirm_within`.

use std::time::Duration;

use serde::{Deserialize, Deserializer};

use super::bounded;
use crate::health::Windows;

/// The block `health` as written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct WrittenHealth {
    #[serde(deserialize_with = "window")]
    window: Option<Duration>,
    #[serde(deserialize_with = "window")]
    lockout_window: Option<Duration>,
    #[serde(deserialize_with = "passes")]
    passes: Option<u32>,
    #[serde(deserialize_with = "every")]
    every: Option<Duration>,
    pub(super) keep_operator: Option<bool>,
}

impl WrittenHealth {
    /// The windows, with the defaults where nothing is written.
    pub(super) fn windows(&self) -> Windows {
        let defaults = Windows::default();
        Windows {
            ordinary: self.window.unwrap_or(defaults.ordinary),
            lockout: self.lockout_window.unwrap_or(defaults.lockout),
            passes: self.passes.unwrap_or(defaults.passes),
            every: self.every.unwrap_or(defaults.every),
            ..defaults
        }
    }
}

fn window<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    bounded(
        deserializer,
        Duration::from_secs(1),
        Duration::from_hours(1),
    )
}

fn every<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    bounded(deserializer, Duration::from_secs(1), Duration::from_mins(5))
}

/// For `confirm_within`: at least the time that a login takes.
pub(super) fn confirm_within<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    bounded(
        deserializer,
        Duration::from_secs(5),
        Duration::from_hours(1),
    )
}

fn passes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    use serde::de::Error as _;
    let passes = u32::deserialize(deserializer)?;
    if (1..=20).contains(&passes) {
        Ok(Some(passes))
    } else {
        Err(D::Error::custom(format!(
            "`{passes}` must be between 1 and 20"
        )))
    }
}
