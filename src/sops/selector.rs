//! Selectors: which leaves are encrypted.

/// The rule by which leaves are chosen, as stored in the file; `mac_only_encrypted` belongs to it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selector {
    /// Which leaves.
    pub rule: SelectorRule,
    /// What the MAC covers.
    pub mac_scope: MacScope,
}

/// Which leaves are encrypted. Regular expressions are searched in each component of the path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SelectorRule {
    /// All but those with a path component that ends so.
    UnencryptedSuffix(String),
    /// Only those with a path component that ends so.
    EncryptedSuffix(String),
    /// All but those with a path component that matches.
    UnencryptedRegex(String),
    /// Only those with a path component that matches.
    EncryptedRegex(String),
    /// All but those that a matching comment governs.
    UnencryptedCommentRegex(String),
    /// Only those that a matching comment governs.
    EncryptedCommentRegex(String),
}

impl Default for SelectorRule {
    fn default() -> Self {
        Self::UnencryptedSuffix("_unencrypted".to_owned())
    }
}

/// What the MAC covers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MacScope {
    /// All leaves.
    #[default]
    Everything,
    /// Encrypted leaves only (`mac_only_encrypted: true`).
    OnlyEncrypted,
}
