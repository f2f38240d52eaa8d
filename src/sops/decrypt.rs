//! From a sealed text to its plain text: every value opened, the MAC verified, comments and layout kept.

use zeroize::Zeroizing;

use super::cipher::{CipherError, Ciphertext, DataKey, looks_encrypted};
use super::document::splice::Edits;
use super::document::tree::{Comment, NodeId, Tree};
use super::error::OpenError;
use super::mac::{Chosen, Mac};
use super::metadata::Metadata;
use super::stash::Stash;
use super::stores::Store;
use super::stores::yaml::seal::hold_comment_lists;
use super::value::{Value, ValueType};
use super::walk::{Item, MOST_VISITS, Side, TooManyVisits, Visit, aad, walk};

/// What a sealed text opens to.
pub(super) struct Decrypted {
    pub(super) plain: Zeroizing<String>,
    /// What [`Purpose::ToChange`] needs; empty otherwise.
    pub(super) stash: Stash,
}

impl From<TooManyVisits> for OpenError {
    fn from(_: TooManyVisits) -> Self {
        Self::TooManyValues { limit: MOST_VISITS }
    }
}

/// What has to hold before anything is released.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verify {
    ValuesAndMac,
    Values,
}

/// What the opened text is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    ToRead,
    /// What does not change has to keep its ciphertext.
    ToChange,
}

/// Opens all values of `tree`, then its MAC. Releases nothing unless what is to `verify` holds.
pub(super) fn decrypt(
    tree: &Tree,
    (metadata, key): (&Metadata, &DataKey),
    (verify, purpose): (Verify, Purpose),
) -> Result<Decrypted, OpenError> {
    let mut opening = Opening {
        tree,
        key,
        edits: Edits::default(),
        purpose,
        stash: Stash::default(),
        mac: Mac::new(&metadata.chooser),
        mac_of_floats: (tree.store == Store::Json).then(|| Mac::new(&metadata.chooser)),
        containers: None,
        search_bytes: MOST_SEARCH_BYTES,
    };
    walk(tree, &metadata.chooser, Side::Sealed, &mut |visit| {
        opening.visit(visit)
    })?;
    let mut computed = vec![opening.mac.finish()];
    computed.extend(opening.mac_of_floats.map(Mac::finish));
    if verify == Verify::ValuesAndMac {
        verify_mac(metadata, key, &computed)?;
    }
    let mut edits = opening.edits;
    edits.remove_metadata(tree);
    if tree.store == Store::Yaml {
        hold_comment_lists(tree, &mut edits);
    }
    let plain = edits
        .apply(&tree.text)
        .map_err(|_overlap| OpenError::Layout)?;
    Ok(Decrypted {
        plain,
        stash: opening.stash,
    })
}

fn verify_mac(metadata: &Metadata, key: &DataKey, computed: &[String]) -> Result<(), OpenError> {
    let mac = metadata.mac.as_ref().ok_or(OpenError::MacMissing)?;
    let stored = Ciphertext::parse(mac)
        .and_then(|mac| mac.open(key, &metadata.mac_aad()))
        .map_err(|source| OpenError::MacUnreadable { source })?;
    let fits = |computed: &String| stored.as_slice() == computed.as_bytes();
    if computed.iter().any(fits) {
        Ok(())
    } else {
        Err(OpenError::MacMismatch)
    }
}

struct Opening<'a> {
    tree: &'a Tree,
    key: &'a DataKey,
    edits: Edits,
    purpose: Purpose,
    stash: Stash,
    mac: Mac,
    /// In JSON: the same with readable integers as floats, which is how sops before 3.13.2 read them.
    mac_of_floats: Option<Mac>,
    /// The associated data of all containers, deepest first; made when a comment needs it.
    containers: Option<Vec<String>>,
    /// How many bytes the search for a comment's place may still read.
    search_bytes: usize,
}

/// Enough to look for a hundred comments in a thousand places; a hostile file could make it billions.
const MOST_SEARCH_BYTES: usize = 64 * 1024 * 1024;

impl Opening<'_> {
    fn visit(&mut self, visit: &Visit<'_>) -> Result<(), OpenError> {
        match &visit.item {
            Item::Leaf(node) => self.leaf(visit, *node),
            Item::Comment { comment, .. } => {
                if visit.chosen && looks_encrypted(&comment.text) && !visit.through_alias {
                    self.comment(visit, comment);
                }
                Ok(())
            }
            Item::ListedComment { node, dash } => {
                if !visit.through_alias {
                    self.comment_item(visit, *node, *dash);
                }
                Ok(())
            }
        }
    }

    fn leaf(&mut self, visit: &Visit<'_>, node: NodeId) -> Result<(), OpenError> {
        let line = self.tree.node(node).line;
        let path = || visit.path_text();
        let Some(read) = self.tree.value(node) else {
            return Ok(());
        };
        let stored = read.map_err(|reason| OpenError::Scalar {
            path: path(),
            line,
            reason,
        })?;
        if !visit.chosen || stored.is_never_encrypted() {
            if stored.value_type().is_some() {
                self.add_readable(&stored, visit);
            }
            if self.tree.store == Store::Envelope && matches!(stored, Value::Text(_)) {
                self.put(visit, node, &stored)?;
            }
            return Ok(());
        }
        let text = match &stored {
            Value::Text(bytes) => std::str::from_utf8(bytes)
                .ok()
                .filter(|text| looks_encrypted(text)),
            _ => None,
        };
        let text = text.ok_or_else(|| OpenError::NotEncrypted { path: path(), line })?;
        let aad = visit.aad();
        let value = open_value(text, self.key, &aad).map_err(|source| OpenError::Value {
            path: path(),
            line,
            source,
        })?;
        let canonical = value.canonical();
        self.mac.add(&canonical, Chosen::Encrypted);
        if let Some(mac) = &mut self.mac_of_floats {
            mac.add(&canonical, Chosen::Encrypted);
        }
        if !visit.through_alias {
            if let (Some(value_type), Purpose::ToChange) = (value.value_type(), self.purpose) {
                let raw = self.tree.raw_scalar(node).unwrap_or(text);
                self.stash
                    .put(self.key, &aad, (value_type, &canonical), raw);
            }
            self.put(visit, node, &value)?;
        }
        Ok(())
    }

    fn put(&mut self, visit: &Visit<'_>, node: NodeId, value: &Value) -> Result<(), OpenError> {
        self.edits
            .put_value(self.tree, node, value)
            .map_err(|reason| OpenError::Scalar {
                path: visit.path_text(),
                line: self.tree.node(node).line,
                reason,
            })
    }

    fn add_readable(&mut self, value: &Value, visit: &Visit<'_>) {
        self.mac.add(&value.canonical(), Chosen::of(visit));
        if let Some(mac) = &mut self.mac_of_floats {
            let as_float = match value {
                #[expect(
                    clippy::cast_precision_loss,
                    reason = "what older sops did to large numbers"
                )]
                Value::Int(number) => Value::Float(*number as f64).canonical(),
                other => other.canonical(),
            };
            mac.add(&as_float, Chosen::of(visit));
        }
    }

    fn comment(&mut self, visit: &Visit<'_>, comment: &Comment) {
        // With its sign: in a list it stays a line instead of becoming an item.
        let raw = format!("#{}", comment.text.trim_end());
        match self.open_comment(visit, &comment.text, &raw) {
            Some(text) => self.edits.put_opened_comment(self.tree, comment, &text),
            None => self.stash.keep(&raw),
        }
    }

    /// An item turns back into a comment line, in the column of its dash.
    fn comment_item(&mut self, visit: &Visit<'_>, node: NodeId, dash: usize) {
        let Some(scalar) = self.tree.scalar(node) else {
            return;
        };
        let span = dash..self.tree.node(node).span.end;
        let opened = self.open_comment(visit, &scalar.text, &scalar.text);
        if opened.is_none() {
            self.stash.keep(&scalar.text);
        }
        let text = opened.as_ref().unwrap_or(&scalar.text);
        self.edits.replace(span, &format!("#{}", text.as_str()));
    }

    /// Tries the place that the column rule gives, then every other container: go-yaml now and then sees it elsewhere.
    fn open_comment(
        &mut self,
        visit: &Visit<'_>,
        text: &str,
        raw: &str,
    ) -> Option<Zeroizing<String>> {
        let ciphertext = Ciphertext::parse(text).ok()?;
        let own = visit.aad();
        let bytes = match ciphertext.open(self.key, &own) {
            Ok(bytes) => bytes,
            Err(_not_here) => {
                let tree = self.tree;
                let containers = self.containers.get_or_insert_with(|| container_aads(tree));
                let left = &mut self.search_bytes;
                containers
                    .iter()
                    .take_while(|aad| {
                        let cost = 256 + ciphertext.len() + aad.len();
                        *left = left.saturating_sub(cost);
                        *left > 0
                    })
                    .find_map(|aad| ciphertext.open(self.key, aad).ok())?
            }
        };
        let readable = std::str::from_utf8(&bytes).ok()?;
        if !self.tree.store.fits_comment(readable) {
            return None;
        }
        self.stash
            .put(self.key, &own, (ValueType::Comment, &bytes), raw);
        Some(Zeroizing::new(readable.to_owned()))
    }
}

fn open_value(text: &str, key: &DataKey, aad: &str) -> Result<Value, CipherError> {
    let ciphertext = Ciphertext::parse(text)?;
    let bytes = ciphertext.open(key, aad)?;
    Value::from_canonical(ciphertext.value_type, &bytes).ok_or(CipherError::NotOfItsType)
}

/// What [`container_aads`] collects, and how long it is by now: a long key may have many containers below it.
#[derive(Default)]
struct Found {
    aads: Vec<(usize, String)>,
    bytes: usize,
}

/// The associated data of the comments of every collection, deepest first.
fn container_aads(tree: &Tree) -> Vec<String> {
    fn collect(tree: &Tree, id: NodeId, path: &mut Vec<String>, found: &mut Found) {
        let Some(collection) = tree.collection(id) else {
            return;
        };
        let aad = aad(path);
        found.bytes += aad.len();
        if found.bytes > MOST_SEARCH_BYTES {
            return;
        }
        found.aads.push((path.len(), aad));
        for entry in collection.entries() {
            if let Some(key) = &entry.key {
                path.push(key.text.clone());
            }
            collect(tree, entry.value, path, found);
            if entry.key.is_some() {
                path.pop();
            }
        }
    }
    let mut found = Found::default();
    for document in &tree.documents {
        collect(tree, document.root, &mut Vec::new(), &mut found);
    }
    let mut found = found.aads;
    found.sort_by(|a, b| b.cmp(a));
    found.dedup();
    found.into_iter().map(|(_, aad)| aad).collect()
}
