//! From a plain text to a sealed one: every chosen leaf and comment replaced by its ciphertext, the rest untouched.

use std::collections::HashSet;

use super::cipher::{self, DataKey};
use super::document::splice::Edits;
use super::document::tree::{Comment, NodeId, Tree};
use super::error::{ParseError, SealError};
use super::mac::{Chosen, Mac};
use super::metadata::{MetadataLayout, MetadataText, Stamp, VersionChange};
use super::sealed::taken;
use super::selector::Chooser;
use super::stash::Stash;
use super::stores::yaml::breaks::has_odd_break;
use super::stores::yaml::print::double_quoted;
use super::stores::yaml::rewrite::RewriteError;
use super::stores::{Origin, SealedComment, Store, json};
use super::time::Instant;
use super::value::{Value, ValueType};
use super::walk::{Item, METADATA_KEY, MOST_VISITS, Side, TooManyVisits, Visit, walk};

impl From<TooManyVisits> for SealError {
    fn from(_: TooManyVisits) -> Self {
        Self::Content {
            line: 1,
            reason: format!(
                "the text is more than {MOST_VISITS} values, counting aliases and paths of great length"
            ),
        }
    }
}

impl From<RewriteError> for SealError {
    fn from(error: RewriteError) -> Self {
        let reason = match error {
            RewriteError::Overlap => "aliases overlap".to_owned(),
            RewriteError::Parse(error) => error.to_string(),
        };
        Self::ReadBack { reason }
    }
}

/// What is sealed, and with what.
pub(super) struct Sealing<'a> {
    pub(super) chooser: &'a Chooser,
    pub(super) key: &'a DataKey,
    pub(super) metadata: &'a MetadataText,
    pub(super) layout: &'a MetadataLayout,
    pub(super) version: VersionChange,
    /// Canonical already: RFC 3339, whole seconds.
    pub(super) last_modified: &'a str,
}

/// Checks that `plain` can be the contents of a sealed file.
pub(super) fn check_plain(tree: &Tree) -> Result<(), ParseError> {
    for document in &tree.documents {
        if let Some(entry) = tree.metadata_entries(document).next() {
            return Err(ParseError::Reserved {
                line: tree.node(entry.value).line,
                key: match tree.store {
                    Store::Dotenv => "sops_…",
                    _ => METADATA_KEY,
                },
            });
        }
    }
    Ok(())
}

/// The plain tree in a form of which every part can be sealed in place: block style, no alias to what is encrypted.
///
/// Nothing if it is in such a form already.
pub(super) fn sealable(plain: &Tree, chooser: &Chooser) -> Result<Option<Tree>, SealError> {
    if plain.store != Store::Yaml {
        return Ok(None);
    }
    let mut edits = Edits::default();
    plain.block_roots(&mut edits);
    let in_blocks = if edits.is_empty() {
        None
    } else {
        Some(plain.after(edits)?)
    };
    let tree = in_blocks.as_ref().unwrap_or(plain);
    if !tree.has_alias() {
        return Ok(in_blocks);
    }
    let mut encrypted: HashSet<NodeId> = HashSet::new();
    walk::<SealError>(tree, chooser, Side::Plain, &mut |visit| {
        if !visit.chosen {
            return Ok(());
        }
        match &visit.item {
            Item::Leaf(node) => {
                let value = typed(tree, visit, *node)?;
                if !value.is_never_encrypted() {
                    encrypted.insert(*node);
                }
            }
            Item::Comment { comment, container } if !comment.text.is_empty() => {
                encrypted.insert(*container);
            }
            Item::Comment { .. } | Item::ListedComment { .. } => {}
        }
        Ok(())
    })?;
    let mut edits = Edits::default();
    tree.expand_aliases(Some(&encrypted), &mut edits);
    if edits.is_empty() {
        Ok(in_blocks)
    } else {
        Ok(Some(tree.after(edits)?))
    }
}

fn typed(tree: &Tree, visit: &Visit<'_>, node: NodeId) -> Result<Value, SealError> {
    let line = tree.node(node).line;
    match tree.value(node) {
        Some(Ok(value)) => Ok(value),
        Some(Err(reason)) => Err(SealError::Content {
            line,
            reason: format!("`{}`: {reason}", visit.path_text()),
        }),
        None => Ok(Value::Null),
    }
}

/// The sealed text of `tree`.
pub(super) fn encrypt(
    tree: &Tree,
    sealing: &Sealing<'_>,
    stash: Stash,
) -> Result<String, SealError> {
    let mut work = Work {
        tree,
        sealing,
        stash,
        edits: Edits::default(),
        mac: Mac::new(sealing.chooser),
    };
    walk(tree, sealing.chooser, Side::Plain, &mut |visit| {
        work.visit(visit)
    })?;
    let Work { mut edits, mac, .. } = work;
    let mac = mac.finish();
    let aad = Instant::parse_rfc3339(sealing.last_modified)
        .ok_or_else(|| SealError::Time {
            text: sealing.last_modified.to_owned(),
        })?
        .without_fraction()
        .to_string();
    let metadata = sealing.metadata.stamped(&Stamp {
        mac: &encrypted(sealing.key, &aad, (ValueType::Str, mac.as_bytes()))?,
        last_modified: &aad,
        version: sealing.version,
    })?;
    edits.add_metadata(tree, &metadata, sealing.layout);
    let text = edits
        .apply(&tree.text)
        .map_err(|_overlap| SealError::ReadBack {
            reason: "two changes meet in one place".to_owned(),
        })?;
    Ok(taken(text))
}

fn encrypted(key: &DataKey, aad: &str, content: (ValueType, &[u8])) -> Result<String, SealError> {
    cipher::encrypt(key, aad, content.0, content.1).map_err(|error| SealError::Content {
        line: 1,
        reason: error.to_string(),
    })
}

struct Work<'a> {
    tree: &'a Tree,
    sealing: &'a Sealing<'a>,
    stash: Stash,
    edits: Edits,
    mac: Mac,
}

impl Work<'_> {
    fn visit(&mut self, visit: &Visit<'_>) -> Result<(), SealError> {
        match &visit.item {
            Item::Leaf(node) => self.leaf(visit, *node),
            Item::Comment { comment, container } => self.comment(visit, comment, *container),
            Item::ListedComment { .. } => Ok(()),
        }
    }

    fn cipher(
        &mut self,
        visit: &Visit<'_>,
        content: (ValueType, &[u8]),
    ) -> Result<SealedComment, SealError> {
        let aad = visit.aad();
        let kept = std::iter::once(content.0)
            .chain(self.tree.store.types_of(content.0).iter().copied())
            .find_map(|value_type| {
                self.stash
                    .take(self.sealing.key, &aad, (value_type, content.1))
            });
        if let Some(text) = kept {
            return Ok(SealedComment {
                text,
                origin: Origin::Kept,
            });
        }
        Ok(SealedComment {
            text: encrypted(self.sealing.key, &aad, content)?,
            origin: Origin::Fresh,
        })
    }

    fn leaf(&mut self, visit: &Visit<'_>, node: NodeId) -> Result<(), SealError> {
        let value = typed(self.tree, visit, node)?;
        let Some(value_type) = value.value_type() else {
            return Ok(());
        };
        let canonical = value.canonical();
        self.mac.add(&canonical, Chosen::of(visit));
        if !visit.chosen {
            match self.tree.store {
                Store::Yaml => self.put_readable_breaks(visit, node, &value),
                Store::Content => self.put_readable(visit, node, &value)?,
                _ => {}
            }
            return Ok(());
        }
        if value.is_never_encrypted() || visit.through_alias {
            return Ok(());
        }
        let cipher = self.cipher(visit, (value_type, &canonical))?;
        self.edits.put_cipher(self.tree, node, &cipher.text);
        Ok(())
    }

    /// Bytes that a selector leaves in the clear are no longer base64 in the sealed file.
    fn put_readable(
        &mut self,
        visit: &Visit<'_>,
        node: NodeId,
        value: &Value,
    ) -> Result<(), SealError> {
        let text = json::print(value).map_err(|reason| SealError::Content {
            line: 1,
            reason: format!("`{}`: {reason}", visit.path_text()),
        })?;
        self.edits.replace(self.tree.node(node).span.clone(), &text);
        Ok(())
    }

    /// Line breaks that YAML readers do not agree on are written as escapes: else the MAC would differ.
    fn put_readable_breaks(&mut self, visit: &Visit<'_>, node: NodeId, value: &Value) {
        let written = &self.tree.text[self.tree.node(node).span.clone()];
        if has_odd_break(written)
            && !visit.through_alias
            && let Value::Text(bytes) = value
            && let Ok(text) = std::str::from_utf8(bytes)
        {
            self.edits.put_scalar(self.tree, node, &double_quoted(text));
        }
    }

    fn comment(
        &mut self,
        visit: &Visit<'_>,
        comment: &Comment,
        container: NodeId,
    ) -> Result<(), SealError> {
        if !visit.chosen || comment.text.is_empty() || visit.through_alias {
            return Ok(());
        }
        let cipher = if let Some(text) = self.stash.kept(comment.text.trim_end()) {
            SealedComment {
                text,
                origin: Origin::Kept,
            }
        } else {
            self.cipher(visit, (ValueType::Comment, comment.text.as_bytes()))?
        };
        if self
            .sealing
            .chooser
            .is_triggered_by(cipher.text.trim_start_matches('#'))
        {
            return Err(SealError::Content {
                line: comment.line,
                reason:
                    "the ciphertext of this comment would itself match `unencrypted_comment_regex`"
                        .to_owned(),
            });
        }
        self.edits
            .put_sealed_comment(self.tree, (comment, container), &cipher);
        Ok(())
    }
}
