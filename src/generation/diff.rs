//! What differs between two generations.

use super::Manifest;

/// One difference between two manifests.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Change {
    /// The kind of resource: `file`, `unit`, `package`, …
    pub resource: String,
    /// Its name.
    pub name: String,
    /// Added, removed or changed.
    pub kind: ChangeKind,
    /// What changed, in words: `mode 0644 → 0600`.
    pub details: Vec<String>,
}

/// What happened to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// It is only in the second.
    Added,
    /// It is only in the first.
    Removed,
    /// It is in both and differs.
    Changed,
}

/// Compares two manifests, resource by resource.
#[must_use]
pub fn diff(_from: &Manifest, _to: &Manifest) -> Vec<Change> {
    Vec::new()
}
