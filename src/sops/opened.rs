//! An opened file: its whole plain text in memory, and all that is needed to seal it again.

mod parts;

use super::cipher::DataKey;
use super::convert::{self, ConvertError};
use super::document::tree::Tree;
use super::encrypt::{Sealing, check_plain, encrypt, sealable};
use super::error::{EditError, ParseError, SealError};
use super::format::Format;
use super::key_groups::KeyGroups;
use super::metadata::{KeyChange, MetadataLayout, MetadataText, NewKeys, VersionChange};
use super::readback;
use super::sealed::SealedFile;
use super::selector::{Chooser, Selector};
use super::stash::Stash;
use super::stores::yaml::ends::with_new_ends_set_apart;
use super::stores::{NewValue, binary};
use super::time::Instant;
use super::value::Value;
use crate::identity::Plaintext;

/// A decrypted file. Wiped on drop.
#[expect(
    missing_debug_implementations,
    reason = "plaintext must not be printable"
)]
pub struct OpenedFile {
    tree: Tree,
    format: Format,
    key: DataKey,
    chooser: Chooser,
    metadata: MetadataText,
    layout: MetadataLayout,
    stash: Stash,
    version: VersionChange,
}

/// What a new file is to be.
#[derive(Debug, Clone)]
pub struct NewFile<'a> {
    /// Its format, which is that of the plain text too.
    pub format: Format,
    /// Who can open it.
    pub keys: &'a KeyGroups,
    /// Which of its values are encrypted.
    pub selector: Selector,
    /// By how many blanks it is indented where its layout is not given by the plain text; the format's usual if `None`.
    pub indent: Option<usize>,
}

impl<'a> NewFile<'a> {
    /// A file with everything encrypted but what its name says is not, in the format's usual layout.
    #[must_use]
    pub fn new(format: Format, keys: &'a KeyGroups) -> Self {
        Self {
            format,
            keys,
            selector: Selector::default(),
            indent: None,
        }
    }
}

impl OpenedFile {
    /// A new file with a new data key: `plain` is a text in the file's format, with no metadata.
    pub fn create(plain: &[u8], new: &NewFile<'_>) -> Result<Self, SealError> {
        // A binary file is one value: there is nothing to select, and nothing is stored about it.
        let selector = match new.format {
            Format::Binary => Selector::default(),
            _ => new.selector.clone(),
        };
        let chooser = Chooser::new(&selector)?;
        let tree = plain_tree(plain, (new.format, new.indent))?;
        let key = DataKey::random();
        let keys = NewKeys::wrap(new.keys, &key)?;
        Ok(Self {
            tree,
            key,
            chooser,
            format: new.format,
            metadata: match new.format {
                Format::Binary => MetadataText::fresh(&keys, &selector, None).without_selector(),
                Format::Yaml => MetadataText::fresh(&keys, &selector, new.indent),
                _ => MetadataText::fresh(&keys, &selector, None),
            },
            layout: MetadataLayout {
                indent: new.indent,
                ..MetadataLayout::default()
            },
            stash: Stash::default(),
            version: VersionChange::Keep,
        })
    }

    pub(super) fn from_decrypted(
        (tree, stash): (Tree, Stash),
        key: DataKey,
        (format, chooser, (metadata, layout)): (Format, Chooser, (MetadataText, MetadataLayout)),
    ) -> Self {
        Self {
            tree,
            format,
            key,
            chooser,
            metadata,
            layout,
            stash,
            version: VersionChange::Keep,
        }
    }

    /// The leaf at `path` as the bytes that a secret file gets: a string's bytes, a number's or truth value's text.
    ///
    /// Nothing for maps, lists and null. A list's items are named by their position, counted from 0 without comments.
    /// First document only.
    #[must_use]
    pub fn get(&self, path: &[String]) -> Option<Plaintext> {
        let node = self.tree.target(self.tree.find(path)?);
        let value = self.tree.value(node)?.ok()?;
        Some(Plaintext::new(match &value {
            Value::Null => return None,
            Value::Bool(truth) => truth.to_string().into_bytes(),
            other => other.canonical().to_vec(),
        }))
    }

    /// The paths of all leaves of the first document, in file order.
    #[must_use]
    pub fn key_paths(&self) -> Vec<Vec<String>> {
        self.tree.leaf_paths()
    }

    /// The entries at the top of the first document, in file order; nothing in the place of a null.
    ///
    /// # Errors
    /// The first name below which there is no single value but a map or a list.
    pub fn top_level(&self) -> Result<Vec<(String, Option<Plaintext>)>, String> {
        let root = self.tree.documents.first().map(|document| document.root);
        let entries = root.and_then(|root| self.tree.collection(self.tree.target(root)));
        let entries = entries.iter().flat_map(|entries| entries.entries());
        entries
            .map(|entry| {
                let name = entry.key.as_ref().map(|key| key.text.clone());
                let name = name.unwrap_or_default();
                if self
                    .tree
                    .collection(self.tree.target(entry.value))
                    .is_some()
                {
                    return Err(name);
                }
                let value = self.get(std::slice::from_ref(&name));
                Ok((name, value))
            })
            .collect()
    }

    /// Sets the leaf at `path` to a string; missing maps on the way are made.
    pub fn set(&mut self, path: &[String], value: &Plaintext) -> Result<(), EditError> {
        let text = value.expose_text().ok_or_else(|| EditError::NotText {
            path: path.join("."),
        })?;
        self.tree = self.tree.with(path, &NewValue::text(text))?;
        Ok(())
    }

    /// Sets whatever is at `path` to a JSON value, as `sops set` does: over maps, lists and single values, on the way too.
    ///
    /// Missing maps on the way are made; a position beyond the end of a list adds an item.
    pub fn set_json(&mut self, path: &[String], json: &Plaintext) -> Result<(), EditError> {
        let text = json.expose_text().ok_or_else(|| EditError::NotText {
            path: path.join("."),
        })?;
        self.tree = self.tree.with(path, &NewValue::json(text)?)?;
        Ok(())
    }

    /// Removes the entry at `path`.
    pub fn unset(&mut self, path: &[String]) -> Result<(), EditError> {
        self.tree = self.tree.without(path)?;
        Ok(())
    }

    /// The whole decrypted text without metadata; comments and layout as in the sealed file.
    #[must_use]
    pub fn plain_text(&self) -> Plaintext {
        match binary::content(&self.tree) {
            Some(mut content) if self.format == Format::Binary => {
                Plaintext::new(std::mem::take(&mut *content))
            }
            _ => Plaintext::new(self.tree.text.as_bytes().to_vec()),
        }
    }

    /// The decrypted contents in another format, in its usual layout; in the file's own format as
    /// [`plain_text`](Self::plain_text).
    ///
    /// # Errors
    /// [`ConvertError::Inexpressible`] with the path of what `format` cannot hold.
    pub fn plain_text_as(&self, format: Format) -> Result<Plaintext, ConvertError> {
        if format == self.format {
            return Ok(self.plain_text());
        }
        convert::print(&self.tree, format, None)
    }

    /// What is at `path`, as `sops decrypt --extract` prints it: a string as it is, a map or a list as a document of
    /// `format`, any other value in its spelling. `None` if there is nothing.
    ///
    /// # Errors
    /// [`ConvertError::Inexpressible`] with the path of what `format` cannot hold.
    pub fn extract(
        &self,
        path: &[String],
        format: Format,
    ) -> Result<Option<Plaintext>, ConvertError> {
        let node = self.tree.find(path);
        let value = node.map(|node| convert::print_value(&self.tree, node, format));
        value.transpose()
    }

    /// Takes `edited`, a changed [`plain_text`](Self::plain_text), as the new contents.
    pub fn replace(&mut self, edited: &[u8]) -> Result<(), ParseError> {
        self.tree = match self.format {
            Format::Binary => binary::with_content(&self.tree, edited)?,
            format => with_new_ends_set_apart(&self.tree, plain_tree(edited, (format, None))?)?,
        };
        self.version = VersionChange::Raise;
        Ok(())
    }

    /// Gives the file a new data key, encrypted to exactly `keys`: every value is encrypted anew.
    ///
    /// Who is left out can still read every earlier revision, and so the values in it.
    ///
    /// # Errors
    /// [`SealError::ForeignKey`] if one of `keys` is of a kind that nothing can be encrypted to here.
    pub fn rotate(&mut self, keys: &KeyGroups) -> Result<(), SealError> {
        let key = DataKey::random();
        let new = NewKeys::wrap(keys, &key)?;
        let change = KeyChange::Anew(new);
        let metadata = self.metadata.with_keys(&change)?;
        let (groups, threshold) = metadata.keys()?;
        // What was there before has no part in keys that are all new.
        if !change.leads((&[], 0), (&groups, threshold)) {
            return Err(SealError::ReadBack {
                reason: "the keys are not as wanted".to_owned(),
            });
        }
        self.metadata = metadata;
        self.key = key;
        self.stash.forget_texts();
        Ok(())
    }

    pub(super) fn key(&self) -> &DataKey {
        &self.key
    }

    /// The sealed text. What did not change since [`open`](SealedFile::open) keeps its ciphertext.
    ///
    /// `last_modified` is the current time in RFC 3339. The result is opened again and compared before it is returned.
    pub fn seal(&self, last_modified: &str) -> Result<String, SealError> {
        let time = Instant::parse_rfc3339(last_modified)
            .ok_or_else(|| SealError::Time {
                text: last_modified.to_owned(),
            })?
            .without_fraction()
            .to_string();
        let sealing = Sealing {
            chooser: &self.chooser,
            key: &self.key,
            metadata: &self.metadata,
            layout: &self.layout,
            version: self.version,
            last_modified: &time,
        };
        let prepared = sealable(&self.tree, &self.chooser)?;
        let tree = prepared.as_ref().unwrap_or(&self.tree);
        let text = encrypt(tree, &sealing, self.stash.clone())?;
        let read_back = |reason: String| SealError::ReadBack { reason };
        let again =
            SealedFile::parse(text.as_bytes(), self.format).map_err(|error| match error {
                // Ciphertext is longer than what it hides.
                ParseError::TooLarge { .. } => error.into(),
                error => read_back(error.to_string()),
            })?;
        let plain = again
            .decrypted_with(&self.key)
            .map_err(|error| read_back(error.to_string()))?;
        if prepared.is_none() && *plain == *self.tree.text {
            // Letter by letter: nothing that is in it can differ.
            return Ok(text);
        }
        let again = again.tree().opened(&plain);
        let again = again.map_err(|error| read_back(error.to_string()))?;
        readback::compare(&self.tree, &again, &self.chooser).map_err(read_back)?;
        Ok(text)
    }
}

fn plain_tree(plain: &[u8], format: (Format, Option<usize>)) -> Result<Tree, ParseError> {
    let tree = Tree::parse_plain(plain, format)?;
    check_plain(&tree)?;
    Ok(tree)
}
