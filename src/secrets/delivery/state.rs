//! An installed secret against the value it should have.

use serde::{Deserialize, Serialize};

/// An installed secret against the value it should have. Never the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SecretState {
    /// As it should be.
    Current,
    /// Not there.
    Missing,
    /// Other content.
    Different,
    /// Right content, other owner, group or mode.
    Metadata,
    /// The value could not be opened, so nothing can be said.
    Unknown,
}
