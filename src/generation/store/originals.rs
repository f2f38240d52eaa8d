//! What was at paths before Steadfast took them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{PRIVATE_FILE, Store, StoreError, disk, record};
use crate::host::{HostPath, PathState, durable};

/// What was at paths before Steadfast took them; comes back when their entries go.
///
/// The content of a file is an object of the store, named by its digest in the state.
pub type Originals = BTreeMap<HostPath, PathState>;

const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct StoredOriginals {
    version: u32,
    paths: Originals,
}

impl record::Format for StoredOriginals {
    fn version(&self) -> u32 {
        self.version
    }
}

impl Store {
    /// What was at paths before Steadfast took them.
    pub fn originals(&self) -> Result<Originals, StoreError> {
        let path = self.root().join("originals.json");
        let Some(content) = disk::read(&path)? else {
            return Ok(Originals::new());
        };
        let stored: StoredOriginals =
            record::parse("read the originals", &path, &content, VERSION)?;
        Ok(stored.paths)
    }

    /// Replaces the record of originals; durable when this returns. Their contents must be objects already.
    pub fn set_originals(&self, originals: &Originals) -> Result<(), StoreError> {
        let path = self.root().join("originals.json");
        let stored = StoredOriginals {
            version: VERSION,
            paths: originals.clone(),
        };
        let text = serde_json::to_vec_pretty(&stored)
            .map_err(|error| StoreError::io("record the originals", &path, error.into()))?;
        disk::make_directory(self.root())?;
        durable::replace(&path, &text, PRIVATE_FILE)
            .map_err(|source| StoreError::file("record the originals", &path, source))
    }
}
