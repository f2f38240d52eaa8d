//! Decrypted bytes: unprintable by type, wiped on drop.

use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// Decrypted bytes: a secret's value, a data key, a whole opened file. Wiped on drop.
///
/// There is no `Debug`, `Display`, `Clone`, `PartialEq` or `Serialize`, so that no error, log line or report can carry
/// one by accident. The only way to the bytes is [`expose`](Self::expose).
#[expect(
    missing_debug_implementations,
    reason = "plaintext must not be printable"
)]
pub struct Plaintext(Zeroizing<Vec<u8>>);

impl Plaintext {
    /// Takes `bytes` over without copying them.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes. Do not copy them into anything that is not wiped.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The bytes as text; `None` if they are not UTF-8.
    #[must_use]
    pub fn expose_text(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    /// Length in bytes. SOPS shows it in every ciphertext, so it is not a secret.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Compares with `other` in a time that depends on the lengths only.
    #[must_use]
    pub fn same_as(&self, other: &[u8]) -> bool {
        self.0.as_slice().ct_eq(other).into()
    }

    /// Makes a second copy, wiped like the first. A method of its own so that every copy can be found.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self::new(self.0.to_vec())
    }
}

impl From<Zeroizing<Vec<u8>>> for Plaintext {
    fn from(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(bytes)
    }
}

impl From<Zeroizing<String>> for Plaintext {
    fn from(mut text: Zeroizing<String>) -> Self {
        Self::new(std::mem::take(&mut *text).into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plaintext_compares_by_content() {
        let value = Plaintext::new(b"hunter2".to_vec());
        assert!(value.same_as(b"hunter2"));
        assert!(!value.same_as(b"hunter3"));
        assert!(!value.same_as(b"hunter22"));
        assert!(value.duplicate().same_as(value.expose()));
        assert_eq!(value.expose_text(), Some("hunter2"));
        assert_eq!(Plaintext::new(vec![0xff]).expose_text(), None);
    }
}
