//! A sealed file: parsed, its metadata read, nothing opened.

use std::fmt;

use super::cipher::DataKey;
use super::decrypt::{Verify, decrypt, metadata_lines};
use super::document::splice::Edits;
use super::document::tree::Tree;
use super::error::{OpenError, ParseError, SealError};
use super::format::Format;
use super::key_groups::{KeyEntry, KeyGroup, KeyGroups, KeyKind};
use super::metadata::{Metadata, MetadataText, NewEntry};
use super::opened::OpenedFile;
use super::stores::yaml::rewrite::RewriteError;
use super::walk::METADATA_KEY;
use crate::identity::{Identities, Recipient};

/// A SOPS file as it lies in the repository. Holds no plaintext of encrypted values.
pub struct SealedFile {
    tree: Tree,
    format: Format,
    metadata: Metadata,
    text: MetadataText,
}

impl fmt::Debug for SealedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedFile")
            .field("recipients", &self.recipients())
            .finish_non_exhaustive()
    }
}

impl SealedFile {
    /// Reads a sealed file of the given format. Nothing is decrypted, no key is needed.
    pub fn parse(text: &[u8], format: Format) -> Result<Self, ParseError> {
        if format != Format::Yaml {
            return Err(ParseError::Unsupported { format });
        }
        let mut tree = Tree::parse(text)?;
        let mut edits = Edits::default();
        tree.block_roots(&mut edits);
        if !edits.is_empty() {
            tree = tree.after(edits).map_err(|error| match error {
                RewriteError::Parse(error) => error,
                RewriteError::Overlap => ParseError::Shape {
                    line: 1,
                    reason: "the file in flow style cannot be rewritten in block style".to_owned(),
                },
            })?;
        }
        let metadata = Metadata::read(&tree)?;
        let text = MetadataText::of(&tree)?;
        Ok(Self {
            tree,
            format,
            metadata,
            text,
        })
    }

    /// Everybody who can open the file, as its metadata names them, in file order. Age and SSH recipients only.
    #[must_use]
    pub fn recipients(&self) -> Vec<String> {
        let recipients = self.metadata.entries().map(|entry| entry.recipient.clone());
        recipients.collect()
    }

    /// All keys of the file, those of other kinds too, group by group.
    #[must_use]
    pub fn key_groups(&self) -> Vec<Vec<KeyEntry>> {
        let groups = self.metadata.groups.iter().map(|group| {
            let recipients = group.entries.iter().map(|entry| KeyEntry {
                kind: KeyKind::Age,
                name: entry.recipient.clone(),
            });
            recipients.chain(group.others.iter().cloned()).collect()
        });
        groups.collect()
    }

    /// The keys of the file, as [`rewrap`](Self::rewrap) takes them.
    #[must_use]
    pub fn keys(&self) -> KeyGroups {
        let groups = self.metadata.groups.iter().map(|group| {
            let mut keys = KeyGroup {
                recipients: Vec::new(),
                others: group.others.clone(),
            };
            for entry in &group.entries {
                match Recipient::parse(&entry.recipient) {
                    Ok(recipient) => keys.recipients.push(recipient),
                    Err(_not_usable) => keys.others.push(KeyEntry {
                        kind: KeyKind::Age,
                        name: entry.recipient.clone(),
                    }),
                }
            }
            keys
        });
        KeyGroups::of_file(groups.collect(), self.metadata.threshold)
    }

    /// The version of sops that the file names as its writer.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.metadata.version
    }

    /// The text of the leaf at `path`: its `ENC[…]` form, or for an unencrypted leaf its text.
    ///
    /// A list's items are named by their position, counted from 0; encrypted comments in lists count, since they are
    /// items in a sealed file. First document only.
    #[must_use]
    pub fn ciphertext(&self, path: &[String]) -> Option<&str> {
        if path.first().is_some_and(|key| key == METADATA_KEY) {
            return None;
        }
        let node = self.tree.target(self.tree.find(path)?);
        self.tree.scalar(node).map(|scalar| scalar.text.as_str())
    }

    /// The paths of all leaves of the first document, in file order.
    #[must_use]
    pub fn key_paths(&self) -> Vec<Vec<String>> {
        self.tree.leaf_paths(Some(METADATA_KEY))
    }

    /// Decrypts everything and verifies the MAC; nothing is released otherwise.
    pub fn open(&self, identities: &Identities) -> Result<OpenedFile, OpenError> {
        let key = self.metadata.data_key(identities)?;
        self.open_with(key)
    }

    /// Decrypts everything without verifying the MAC: values may have been taken away, swapped or put back.
    ///
    /// For repairing a file only; each value was still encrypted with the file's data key for its place.
    pub fn open_unverified(&self, identities: &Identities) -> Result<OpenedFile, OpenError> {
        let key = self.metadata.data_key(identities)?;
        self.open_as(key, Verify::Values)
    }

    /// Opens with a data key that is already at hand.
    pub(super) fn open_with(&self, key: DataKey) -> Result<OpenedFile, OpenError> {
        self.open_as(key, Verify::ValuesAndMac)
    }

    fn open_as(&self, key: DataKey, verify: Verify) -> Result<OpenedFile, OpenError> {
        let decrypted = decrypt(&self.tree, (&self.metadata, &key), verify)?;
        OpenedFile::from_decrypted(
            decrypted,
            key,
            (
                self.format,
                self.metadata.chooser.clone(),
                self.text.clone(),
            ),
        )
    }

    /// The file's text with the same data key encrypted to exactly `keys`.
    ///
    /// Entries of recipients that stay are kept verbatim, as are keys of other kinds than age. Values, MAC and times are
    /// untouched, so this is no revocation: who is left out can still read every earlier revision.
    pub fn rewrap(&self, identities: &Identities, keys: &KeyGroups) -> Result<String, SealError> {
        let [group] = keys.groups() else {
            return Err(SealError::KeyGroups);
        };
        if group.is_empty() {
            return Err(SealError::NoRecipients);
        }
        if self.metadata.groups.len() > 1 {
            return Err(SealError::KeyGroups);
        }
        let key = self.metadata.data_key(identities)?;
        let present = self.recipients();
        let mut kept = Vec::new();
        let mut new: Vec<NewEntry> = Vec::new();
        for recipient in &group.recipients {
            let text = recipient.as_str().trim();
            if present.iter().any(|present| present == text) {
                kept.push(text.to_owned());
            } else if !new.iter().any(|entry| entry.recipient == text) {
                new.push(NewEntry {
                    recipient: text.to_owned(),
                    enc: recipient.wrap(key.expose())?,
                });
            }
        }
        let text = self.text.with_recipients(&kept, &new)?;
        let sealed = self.with_metadata(&text)?;
        let again =
            Self::parse(sealed.as_bytes(), self.format).map_err(|error| SealError::ReadBack {
                reason: error.to_string(),
            })?;
        again.check_rewrapped(self, &kept, &new)?;
        Ok(sealed)
    }

    fn with_metadata(&self, text: &MetadataText) -> Result<String, SealError> {
        let mut edits = Edits::default();
        let line_break = self.tree.line_break();
        for document in &self.tree.documents {
            if let Some(entry) = self.tree.child(document.root, METADATA_KEY) {
                let lines = metadata_lines(&self.tree, entry);
                let ends = if self.tree.text[lines.clone()].ends_with('\n') {
                    line_break
                } else {
                    ""
                };
                let text = text.at_column(entry.column, line_break);
                edits.replace(lines, &format!("{text}{ends}"));
            }
        }
        let sealed = edits
            .apply(&self.tree.text)
            .map_err(|_overlap| SealError::ReadBack {
                reason: "the `sops` entry overlaps another".to_owned(),
            })?;
        Ok(sealed.to_string())
    }

    /// Only the recipients may differ from `before`.
    fn check_rewrapped(
        &self,
        before: &Self,
        kept: &[String],
        new: &[NewEntry],
    ) -> Result<(), SealError> {
        let differs = |reason: &str| {
            Err(SealError::ReadBack {
                reason: reason.to_owned(),
            })
        };
        let wanted = |recipient: &String| {
            kept.contains(recipient) || new.iter().any(|entry| entry.recipient == *recipient)
        };
        let now = self.recipients();
        if !now.iter().all(wanted)
            || !kept.iter().all(|r| now.contains(r))
            || now.len() < kept.len() + new.len()
        {
            return differs("the recipients are not as wanted");
        }
        for entry in self.metadata.entries() {
            let as_before = before
                .metadata
                .entries()
                .any(|old| old.recipient == entry.recipient && old.enc == entry.enc);
            let as_new = new
                .iter()
                .any(|new| new.recipient == entry.recipient && new.enc.trim() == entry.enc.trim());
            if !as_before && !as_new {
                return differs("a recipient's entry changed");
            }
        }
        let untouched = self.metadata.mac == before.metadata.mac
            && self.metadata.mac_aad() == before.metadata.mac_aad()
            && self.key_paths() == before.key_paths()
            && self
                .key_paths()
                .iter()
                .all(|path| self.ciphertext(path) == before.ciphertext(path));
        if untouched {
            Ok(())
        } else {
            differs("something else than the recipients changed")
        }
    }
}
