//! One stored generation: its manifest, and where it came from.

use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{StoreError, StoreErrorKind, disk};
use crate::config::HostName;
use crate::generation::{
    Built, Generation, GenerationNumber, MANIFEST_VERSION, Manifest, Provenance,
};
use crate::host::{Digest, both};

/// The version of the provenance file that this build writes.
const PROVENANCE_VERSION: u32 = 1;

/// The provenance file. The manifest's digest is here, so that a damaged manifest is told from another one.
#[derive(Serialize, Deserialize)]
struct StoredProvenance {
    version: u32,
    digest: Digest,
    provenance: Provenance,
}

#[derive(Deserialize)]
struct Versioned {
    version: u64,
}

pub(super) fn write(
    directory: &Path,
    built: &Built,
    provenance: &Provenance,
) -> Result<(), StoreError> {
    let stored = StoredProvenance {
        version: PROVENANCE_VERSION,
        digest: built.digest.clone(),
        provenance: provenance.clone(),
    };
    disk::write_new(
        &directory.join("manifest.json"),
        &built.manifest.canonical(),
    )?;
    let path = directory.join("provenance.json");
    let text = serde_json::to_vec_pretty(&stored)
        .map_err(|error| StoreError::io("write a file", &path, error.into()))?;
    disk::write_new(&path, &text)
}

pub(super) fn read(directory: &Path, number: GenerationNumber) -> Result<Generation, StoreError> {
    let operation = format!("read generation {number}");
    let path = directory.join("provenance.json");
    let content = bytes(&operation, &path)?;
    let stored: StoredProvenance = parse(&operation, &path, &content, PROVENANCE_VERSION)?;
    let path = directory.join("manifest.json");
    let content = bytes(&operation, &path)?;
    let (digest, manifest) = both(
        || Digest::of(&content),
        || parse(&operation, &path, &content, MANIFEST_VERSION),
    );
    let manifest = manifest?;
    if digest != stored.digest {
        let reason = "it does not have the digest that it was stored with";
        return Err(StoreError::damaged(operation, &path, reason));
    }
    Ok(Generation {
        number,
        digest: stored.digest,
        manifest,
        provenance: stored.provenance,
    })
}

/// A file that a complete generation has: if it is missing, the generation is damaged.
fn bytes(operation: &str, path: &Path) -> Result<Vec<u8>, StoreError> {
    disk::read(path)?.ok_or_else(|| StoreError::damaged(operation, path, "it is not there"))
}

/// The host that a stored generation is of, without the rest, and without a look at the digest.
pub(super) fn host(directory: &Path, number: GenerationNumber) -> Result<HostName, StoreError> {
    #[derive(Deserialize)]
    struct Named {
        host: HostName,
    }
    let operation = format!("read generation {number}");
    let path = directory.join("manifest.json");
    let content = bytes(&operation, &path)?;
    let named: Named = serde_json::from_slice(&content)
        .map_err(|error| StoreError::damaged(&*operation, &path, error.to_string()))?;
    Ok(named.host)
}

/// A format that says its version.
pub(super) trait Format: DeserializeOwned {
    /// The version that was read.
    fn version(&self) -> u32;
}

impl Format for StoredProvenance {
    fn version(&self) -> u32 {
        self.version
    }
}

impl Format for Manifest {
    fn version(&self) -> u32 {
        self.version
    }
}

/// Parses a file. A newer format is not called damaged, and not taken for one that is known.
pub(super) fn parse<T: Format>(
    operation: &str,
    path: &Path,
    content: &[u8],
    known: u32,
) -> Result<T, StoreError> {
    let damaged =
        |error: serde_json::Error| StoreError::damaged(operation, path, error.to_string());
    let parsed = serde_json::from_slice::<T>(content);
    if let Ok(parsed) = parsed
        && parsed.version() == known
    {
        return Ok(parsed);
    }
    let Versioned { version } = serde_json::from_slice(content).map_err(damaged)?;
    if version != u64::from(known) {
        let kind = StoreErrorKind::UnknownVersion {
            found: version,
            known,
        };
        return Err(StoreError::new(operation, path, kind));
    }
    serde_json::from_slice(content).map_err(damaged)
}
