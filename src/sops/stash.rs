//! Remembering ciphertext, so that what does not change keeps it.

use std::collections::{HashMap, HashSet, VecDeque};

use sha2::{Digest as _, Sha512_256};

use super::cipher::DataKey;
use super::value::ValueType;

/// The ciphertext texts of a file by place, type and plaintext; equal values hand theirs out in file order.
#[derive(Clone, Default)]
pub(super) struct Stash {
    texts: HashMap<[u8; 32], VecDeque<String>>,
    /// Encrypted comments that did not open: they stay as they are.
    opaque: HashSet<String>,
}

impl Stash {
    /// Remembers that `bytes` of type `value_type` at `aad` were written as `text`.
    pub(super) fn put(
        &mut self,
        key: &DataKey,
        aad: &str,
        content: (ValueType, &[u8]),
        text: &str,
    ) {
        let slot = self.texts.entry(digest(key, aad, content)).or_default();
        slot.push_back(text.to_owned());
    }

    /// The next text for such a value.
    pub(super) fn take(
        &mut self,
        key: &DataKey,
        aad: &str,
        content: (ValueType, &[u8]),
    ) -> Option<String> {
        if self.texts.is_empty() {
            // A new file: there is nothing to look for, in what may be many megabytes.
            return None;
        }
        self.texts.get_mut(&digest(key, aad, content))?.pop_front()
    }

    /// Forgets everything that was encrypted with a key that goes.
    pub(super) fn forget_texts(&mut self) {
        self.texts.clear();
    }

    /// Takes over what `other` remembers, behind what is known already.
    pub(super) fn learn(&mut self, other: &Self) {
        for (place, texts) in &other.texts {
            let known = self.texts.entry(*place).or_default();
            for text in texts {
                if !known.contains(text) {
                    known.push_back(text.clone());
                }
            }
        }
        self.opaque.extend(other.opaque.iter().cloned());
    }

    /// Remembers an encrypted comment that did not open, `#ENC[…]` as a line or `ENC[…]` as a list's item.
    pub(super) fn keep(&mut self, text: &str) {
        self.opaque.insert(text.to_owned());
    }

    /// The comment `text`, as it was written, if it is one that did not open.
    pub(super) fn kept(&self, text: &str) -> Option<String> {
        let line = format!("#{text}");
        if self.opaque.contains(&line) {
            Some(line)
        } else {
            self.opaque.get(text).cloned()
        }
    }
}

/// Keyed with the data key, so that the table holds no plaintext and no digest that could be guessed at.
fn digest(key: &DataKey, aad: &str, (value_type, bytes): (ValueType, &[u8])) -> [u8; 32] {
    // Faster than SHA-256 where the processor has no instructions for either.
    let mut hash = Sha512_256::new();
    hash.update(key.expose());
    hash.update((aad.len() as u64).to_le_bytes());
    hash.update(aad);
    hash.update(value_type.as_str());
    hash.update([0]);
    hash.update(bytes);
    hash.finalize().into()
}
