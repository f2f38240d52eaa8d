//! The MAC: SHA-512 over all values in order, encrypted with the time of the change as associated data.

use sha2::{Digest as _, Sha512};

use super::selector::Chooser;

/// What the hash begins with when it covers encrypted values only: SHA-256 of `sops`.
const ONLY_ENCRYPTED_SEED: [u8; 32] = [
    0x8a, 0x3f, 0xd2, 0xad, 0x54, 0xce, 0x66, 0x52, 0x7b, 0x10, 0x34, 0xf3, 0xd1, 0x47, 0xbe, 0x0b,
    0x0b, 0x97, 0x5b, 0x3b, 0xf4, 0x4f, 0x72, 0xc6, 0xfd, 0xad, 0xec, 0x81, 0x76, 0xf2, 0x7d, 0x69,
];

/// The hash as it grows.
pub(super) struct Mac {
    hash: Sha512,
    covers_readable: bool,
}

impl Mac {
    pub(super) fn new(chooser: &Chooser) -> Self {
        let covers_readable = chooser.mac_covers_readable();
        let mut hash = Sha512::new();
        if !covers_readable {
            hash.update(ONLY_ENCRYPTED_SEED);
        }
        Self {
            hash,
            covers_readable,
        }
    }

    /// Adds the canonical bytes of one leaf; `chosen` if the selector chooses it.
    pub(super) fn add(&mut self, canonical: &[u8], chosen: Chosen) {
        if self.covers_readable || chosen == Chosen::Encrypted {
            self.hash.update(canonical);
        }
    }

    /// 128 upper-case hexadecimal digits.
    pub(super) fn finish(self) -> String {
        hex::encode_upper(self.hash.finalize())
    }
}

/// Whether the selector chooses a leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chosen {
    Encrypted,
    Readable,
}

impl Chosen {
    pub(super) fn of(visit: &super::walk::Visit<'_>) -> Self {
        if visit.chosen {
            Self::Encrypted
        } else {
            Self::Readable
        }
    }
}
