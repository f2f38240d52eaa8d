//! What a merge needs of an opened file: its parts, and putting new ones together.

use super::OpenedFile;
use crate::sops::document::tree::Tree;
use crate::sops::encrypt::check_plain;
use crate::sops::error::ParseError;
use crate::sops::format::Format;
use crate::sops::metadata::VersionChange;
use crate::sops::sealed::SealedFile;
use crate::sops::stash::Stash;

impl OpenedFile {
    pub(in crate::sops) fn tree(&self) -> &Tree {
        &self.tree
    }

    /// A file with the contents `text`, the text of a tree as opened files have it, sealed as this one: same data key,
    /// keys and selector.
    pub(in crate::sops) fn with_contents(&self, text: &str) -> Result<Self, ParseError> {
        let tree = self.tree.again(text)?;
        check_plain(&tree)?;
        Ok(Self {
            tree,
            format: self.format,
            key: self.key.clone(),
            chooser: self.chooser.clone(),
            metadata: self.metadata.clone(),
            layout: self.layout.clone(),
            stash: self.stash.clone(),
            version: VersionChange::Keep,
        })
    }

    pub(in crate::sops) fn format(&self) -> Format {
        self.format
    }

    /// Forgets all ciphertext, so that another file's comes first.
    pub(in crate::sops) fn forget(&mut self) {
        self.stash = Stash::default();
    }

    /// Takes the ciphertext of `other` for values that this file does not have.
    pub(in crate::sops) fn learn(&mut self, other: &Self) {
        self.stash.learn(&other.stash);
    }

    /// Takes over the metadata of `sealed`, which has the same data key.
    pub(in crate::sops) fn take_metadata(&mut self, sealed: &SealedFile) {
        self.metadata = sealed.metadata_text().clone();
    }
}
