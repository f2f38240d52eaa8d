//! A sealed file: parsed, its metadata read, nothing opened.

use std::borrow::Cow;
use std::fmt;

use zeroize::Zeroizing;

use super::cipher::{DataKey, looks_encrypted};
use super::decrypt::{Purpose, Verify, decrypt};
use super::document::splice::Edits;
use super::document::tree::Tree;
use super::error::{OpenError, ParseError, SealError};
use super::format::Format;
use super::key_groups::{KeyEntry, KeyGroup, KeyGroups, KeyKind};
use super::merge::{Side as MergeSide, first_marker, one_side};
use super::metadata::{KeyChange, Metadata, MetadataLayout, MetadataText};
use super::opened::OpenedFile;
use super::selector::Selector;
use super::stores::yaml::rewrite::RewriteError;
use super::stores::{Store, binary};
use super::walk::{Item, Side, walk};
use crate::identity::{Identities, Plaintext, Recipient};

/// A SOPS file as it lies in the repository. Holds no plaintext of encrypted values.
pub struct SealedFile {
    tree: Tree,
    format: Format,
    metadata: Metadata,
    text: MetadataText,
    layout: MetadataLayout,
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
        Self::read(text, format).map_err(|error| match (&error, first_marker(text)) {
            (ParseError::NotSealed, _) | (_, None) => error,
            // Markers that pair up are no chance.
            (_, Some(line)) => match one_side(text, MergeSide::Ours) {
                Some(_) => ParseError::Conflict { line },
                None => error,
            },
        })
    }

    fn read(text: &[u8], format: Format) -> Result<Self, ParseError> {
        let tree = in_blocks(Tree::parse_sealed(text, format)?)?;
        let (text, read) = tree.metadata_text()?;
        let metadata = Metadata::read(&read)?;
        Ok(Self {
            layout: tree.metadata_layout(),
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
            let others = group.others.iter().map(|entry| entry.key.clone());
            recipients.chain(others).collect()
        });
        groups.collect()
    }

    /// The keys of the file, as [`rewrap`](Self::rewrap) takes them.
    #[must_use]
    pub fn keys(&self) -> KeyGroups {
        let groups = self.metadata.groups.iter().map(|group| {
            let mut keys = KeyGroup {
                recipients: Vec::new(),
                others: group.others.iter().map(|entry| entry.key.clone()).collect(),
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

    /// Which of its values are encrypted, and what its MAC covers.
    #[must_use]
    pub fn selector(&self) -> &Selector {
        &self.metadata.selector
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
        if self.tree.store.is_metadata_key(path.first()?) {
            return None;
        }
        let node = self.tree.target(self.tree.find(path)?);
        self.tree.scalar(node).map(|scalar| scalar.text.as_str())
    }

    /// The ciphertext of what a host's secret is about: of the leaf at `key`, or of the whole file where `key` is empty.
    ///
    /// It changes when the value changes, and stays when only the keys of the file do.
    #[must_use]
    pub fn ciphertext_of(&self, key: &[String]) -> Option<Cow<'_, str>> {
        if !key.is_empty() {
            return self.ciphertext(key).map(Cow::Borrowed);
        }
        if self.format == Format::Binary {
            let data = binary::data_node(&self.tree)?;
            return self.tree.scalar(data).map(|it| it.text.as_str().into());
        }
        let texts = self.texts()?;
        let lines = texts
            .into_iter()
            .map(|(aad, text)| format!("{text} {aad}\n"));
        let mut lines: Vec<String> = lines.collect();
        // What is encrypted first: the whole is, if anything is.
        lines.sort_by_key(|line| !line.starts_with("ENC["));
        Some(lines.concat().into())
    }

    /// The paths of all leaves of the first document, in file order.
    #[must_use]
    pub fn key_paths(&self) -> Vec<Vec<String>> {
        self.tree.leaf_paths()
    }

    /// The values that the file's selector chooses and that stand in the clear all the same: their paths, with their
    /// lines from 1. No key is needed.
    #[must_use]
    pub fn clear_values(&self) -> Vec<(Vec<String>, usize)> {
        let mut found = Vec::new();
        let walked = walk::<OpenError>(
            &self.tree,
            &self.metadata.chooser,
            Side::Sealed,
            &mut |visit| {
                if let (true, Item::Leaf(node)) = (visit.chosen, &visit.item)
                    && let Some(Ok(value)) = self.tree.value(*node)
                    && !value.is_never_encrypted()
                    && !self
                        .tree
                        .scalar(*node)
                        .is_some_and(|scalar| looks_encrypted(&scalar.text))
                {
                    found.push((visit.path.to_vec(), self.tree.node(*node).line));
                }
                Ok(())
            },
        );
        // Aliases without end: what was found up to there is told, and opening the file says the rest.
        drop(walked);
        found
    }

    /// Decrypts everything and verifies the MAC; nothing is released otherwise.
    pub fn open(&self, identities: &Identities) -> Result<OpenedFile, OpenError> {
        let key = self.metadata.data_key(identities)?;
        self.open_with(key)
    }

    /// Decrypts everything, verifies the MAC, and gives the text alone: for printing, at half the cost of
    /// [`open`](Self::open).
    pub fn plain_text(&self, identities: &Identities) -> Result<Plaintext, OpenError> {
        let key = self.metadata.data_key(identities)?;
        if self.format == Format::Binary {
            return Ok(self.open_with(key)?.plain_text());
        }
        let plain = self.decrypted_with(&key)?;
        Ok(Plaintext::new(plain.as_bytes().to_vec()))
    }

    /// The plain text alone, as [`Tree::opened`] reads it, with a data key that is already at hand; the MAC is verified.
    pub(super) fn decrypted_with(&self, key: &DataKey) -> Result<Zeroizing<String>, OpenError> {
        let decrypted = decrypt(
            &self.tree,
            (&self.metadata, key),
            (Verify::ValuesAndMac, Purpose::ToRead),
        )?;
        Ok(decrypted.plain)
    }

    /// Decrypts everything without verifying the MAC: values may have been taken away, swapped or put back.
    ///
    /// For repairing a file only; each value was still encrypted with the file's data key for its place.
    pub fn open_unverified(&self, identities: &Identities) -> Result<OpenedFile, OpenError> {
        let key = self.metadata.data_key(identities)?;
        self.open_as(key, Verify::Values)
    }

    pub(super) fn format(&self) -> Format {
        self.format
    }

    pub(super) fn tree(&self) -> &Tree {
        &self.tree
    }

    pub(super) fn metadata_text(&self) -> &MetadataText {
        &self.text
    }

    /// The sealed text without its metadata: what of it people wrote.
    #[must_use]
    pub fn without_metadata(&self) -> String {
        let mut edits = Edits::default();
        edits.remove_metadata(&self.tree);
        let text = edits.apply(&self.tree.text);
        text.map_or_else(
            |_overlap| self.tree.text.to_string(),
            |text| text.to_string(),
        )
    }

    /// Every recipient's copy of the data key, as it is written.
    pub(super) fn wrapped_keys(&self) -> Vec<&str> {
        self.metadata
            .entries()
            .map(|entry| entry.enc.trim())
            .collect()
    }

    /// The MAC's `ENC[…]` text.
    pub(super) fn mac(&self) -> Option<&str> {
        self.metadata.mac.as_deref()
    }

    /// Opens with a data key that is already at hand.
    pub(super) fn open_with(&self, key: DataKey) -> Result<OpenedFile, OpenError> {
        self.open_as(key, Verify::ValuesAndMac)
    }

    fn open_as(&self, key: DataKey, verify: Verify) -> Result<OpenedFile, OpenError> {
        let decrypted = decrypt(
            &self.tree,
            (&self.metadata, &key),
            (verify, Purpose::ToChange),
        )?;
        // The values were printed by this program: that they parse is its promise, not the file's.
        let tree = self.tree.opened(&decrypted.plain);
        Ok(OpenedFile::from_decrypted(
            (
                tree.map_err(|_not_read| OpenError::Layout)?,
                decrypted.stash,
            ),
            key,
            (
                self.format,
                self.metadata.chooser.clone(),
                (self.text.clone(), self.layout.clone()),
            ),
        ))
    }

    /// The file's text with the same data key encrypted to exactly `keys`.
    ///
    /// With one group before and after, the entries of keys that stay are kept verbatim, whatever their kind. With several,
    /// all shares are new. Values, MAC and times are untouched, so this is no revocation: who is left out can still read
    /// every earlier revision. The MAC is not verified: see [`rewrap_opened`](Self::rewrap_opened).
    ///
    /// # Errors
    /// [`SealError::ForeignKey`] if one of `keys` would have to be encrypted to and cannot.
    pub fn rewrap(&self, identities: &Identities, keys: &KeyGroups) -> Result<String, SealError> {
        self.rewrap_with(&self.metadata.data_key(identities)?, keys)
    }

    /// As [`rewrap`](Self::rewrap), for a file that is open already: its key is not unwrapped once more.
    pub fn rewrap_opened(
        &self,
        opened: &OpenedFile,
        keys: &KeyGroups,
    ) -> Result<String, SealError> {
        self.rewrap_with(opened.key(), keys)
    }

    fn rewrap_with(&self, key: &DataKey, keys: &KeyGroups) -> Result<String, SealError> {
        let change = KeyChange::plan(&self.metadata, keys, key)?;
        let text = self.text.with_keys(&change)?;
        let sealed = self.with_metadata(&text)?;
        let failed = |reason: String| SealError::ReadBack { reason };
        let again = Self::parse(sealed.as_bytes(), self.format)
            .map_err(|error| failed(error.to_string()))?;
        if !change.leads(self.metadata.keys(), again.metadata.keys()) {
            return Err(failed("the keys are not as wanted".to_owned()));
        }
        if !again.holds_the_same_as(self) {
            return Err(failed("something else than the keys changed".to_owned()));
        }
        Ok(sealed)
    }

    fn with_metadata(&self, text: &MetadataText) -> Result<String, SealError> {
        let mut edits = Edits::default();
        edits.replace_metadata(&self.tree, text, &self.layout);
        let sealed = edits
            .apply(&self.tree.text)
            .map_err(|_overlap| SealError::ReadBack {
                reason: "the `sops` entry overlaps another".to_owned(),
            })?;
        Ok(taken(sealed))
    }

    /// Whether all but the keys is the same, ciphertext for ciphertext.
    fn holds_the_same_as(&self, other: &Self) -> bool {
        self.metadata.mac == other.metadata.mac
            && self.metadata.mac_aad() == other.metadata.mac_aad()
            && self
                .texts()
                .is_some_and(|texts| other.texts() == Some(texts))
    }

    /// The texts of all leaves and comments with their paths; nothing where aliases expand without end.
    fn texts(&self) -> Option<Vec<(String, String)>> {
        let mut found = Vec::new();
        walk::<OpenError>(
            &self.tree,
            &self.metadata.chooser,
            Side::Sealed,
            &mut |visit| {
                let text = match &visit.item {
                    Item::Leaf(node) | Item::ListedComment { node, .. } => self
                        .tree
                        .scalar(*node)
                        .map(|scalar| scalar.text.to_string()),
                    Item::Comment { comment, .. } => Some(comment.text.to_string()),
                };
                found.push((visit.aad(), text.unwrap_or_default()));
                Ok(())
            },
        )
        .ok()?;
        Some(found)
    }
}

/// A text that holds no secret, without a copy.
pub(super) fn taken(mut text: Zeroizing<String>) -> String {
    std::mem::take(&mut *text)
}

/// In block style: flow style is JSON by another name, and has no place for a `sops` entry of its own lines.
fn in_blocks(tree: Tree) -> Result<Tree, ParseError> {
    let mut edits = Edits::default();
    if tree.store == Store::Yaml {
        tree.block_roots(&mut edits);
    }
    if edits.is_empty() {
        return Ok(tree);
    }
    tree.after(edits).map_err(|error| match error {
        RewriteError::Parse(error) => error,
        RewriteError::Overlap => ParseError::Shape {
            line: 1,
            reason: "the file in flow style cannot be rewritten in block style".to_owned(),
        },
    })
}
