//! Where a generation came from: the side of it that differs between two builds of the same content.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::Manifest;
use crate::config::Origin;
use crate::host::Digest;
use crate::source::{Revision, Signer};

/// The number of a generation on its host; starts at 1, only grows, is never used again.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(transparent)]
pub struct GenerationNumber(pub u64);

impl fmt::Display for GenerationNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Where a generation came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// The revision it was built from.
    pub revision: Revision,
    /// Who signed the revision, if signatures are required.
    pub signer: Option<Signer>,
    /// When it was stored, seconds since 1970-01-01T00:00:00Z.
    pub created_secs: i64,
    /// The generation it is a copy of, when it was made by `generations rollback`.
    pub copy_of: Option<GenerationNumber>,
    /// Where each resource was written, by `kind name`: `file /etc/motd`, `unit app.service`, `secret db/password`.
    pub origins: BTreeMap<String, Origin>,
}

/// A stored generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generation {
    /// Its number on this host.
    pub number: GenerationNumber,
    /// SHA-256 of the canonical manifest.
    pub digest: Digest,
    /// What it says.
    pub manifest: Manifest,
    /// Where it came from.
    pub provenance: Provenance,
}
