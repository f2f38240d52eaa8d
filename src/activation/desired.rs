//! What a host is to be, with the contents of its files as far as they are at hand.

use std::collections::BTreeMap;

use crate::generation::{Built, Manifest, Store};
use crate::host::Digest;

/// What a host is to be.
#[derive(Debug, Clone, Copy)]
pub struct Desired<'a> {
    /// The manifest.
    pub manifest: &'a Manifest,
    /// Contents of it that nobody stored yet, of a generation that was built just now.
    pub new: Option<&'a BTreeMap<Digest, Vec<u8>>>,
}

impl Desired<'_> {
    /// The content with this digest, new or stored. What cannot be read is not known.
    pub(super) fn object(self, store: &Store, digest: &Digest) -> Option<Vec<u8>> {
        let new = self.new.and_then(|new| new.get(digest).cloned());
        // Whether a damaged object matters is found out when it is to be written.
        new.or_else(|| store.object(digest).ok())
    }
}

impl<'a> From<&'a Manifest> for Desired<'a> {
    fn from(manifest: &'a Manifest) -> Self {
        Self {
            manifest,
            new: None,
        }
    }
}

impl<'a> From<&'a Built> for Desired<'a> {
    fn from(built: &'a Built) -> Self {
        Self {
            manifest: &built.manifest,
            new: Some(&built.objects),
        }
    }
}
