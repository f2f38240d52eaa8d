//! From a plain text to a sealed one: every chosen leaf and comment replaced by its ciphertext, the rest untouched.

use std::collections::HashSet;

use super::cipher::{self, DataKey};
use super::document::splice::Edits;
use super::document::tree::{Collection, Comment, NodeId, Position, Shape, Style, Tree};
use super::error::{ParseError, SealError};
use super::mac::{Chosen, Mac};
use super::metadata::{MetadataText, Stamp, VersionChange};
use super::selector::Chooser;
use super::stash::Stash;
use super::stores::yaml::rewrite::RewriteError;
use super::time::Instant;
use super::value::{Value, ValueType};
use super::walk::{Item, METADATA_KEY, MOST_VISITS, Side, TooManyVisits, Visit, walk};

impl From<TooManyVisits> for SealError {
    fn from(_: TooManyVisits) -> Self {
        Self::Content {
            line: 1,
            reason: format!("aliases expand to more than {MOST_VISITS} values"),
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
    pub(super) version: VersionChange,
    /// Canonical already: RFC 3339, whole seconds.
    pub(super) last_modified: &'a str,
}

/// Checks that `plain` can be the contents of a sealed file.
pub(super) fn check_plain(tree: &Tree) -> Result<(), ParseError> {
    for document in &tree.documents {
        if let Some(entry) = tree.child(document.root, METADATA_KEY) {
            return Err(ParseError::Reserved {
                line: tree.node(entry.value).line,
            });
        }
    }
    Ok(())
}

/// The plain tree in a form of which every part can be sealed in place: block style, no alias to what is encrypted.
pub(super) fn sealable(plain: &str, chooser: &Chooser) -> Result<Tree, SealError> {
    let parse = |text: &str| {
        Tree::parse(text.as_bytes()).map_err(|error| SealError::Content {
            line: 1,
            reason: error.to_string(),
        })
    };
    let mut tree = parse(plain)?;
    let mut edits = Edits::default();
    tree.block_roots(&mut edits);
    if !edits.is_empty() {
        tree = tree.after(edits)?;
    }
    let mut encrypted: HashSet<NodeId> = HashSet::new();
    walk::<SealError>(&tree, chooser, Side::Plain, &mut |visit| {
        if !visit.chosen {
            return Ok(());
        }
        match &visit.item {
            Item::Leaf(node) => {
                let value = typed(&tree, visit, *node)?;
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
        Ok(tree)
    } else {
        Ok(tree.after(edits)?)
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
    for document in 0..tree.documents.len() {
        add_metadata(tree, document, &metadata, &mut edits);
    }
    let text = edits
        .apply(&tree.text)
        .map_err(|_overlap| SealError::ReadBack {
            reason: "two changes meet in one place".to_owned(),
        })?;
    Ok(text.to_string())
}

/// Puts the metadata at the end of a document.
fn add_metadata(tree: &Tree, document: usize, metadata: &MetadataText, edits: &mut Edits) {
    let document = &tree.documents[document];
    let root = tree.node(document.root);
    let has_entries = tree
        .collection(document.root)
        .is_some_and(|map| map.entries().next().is_some());
    let line_break = tree.line_break();
    let column = if has_entries { root.column } else { 0 };
    let text = metadata.at_column(column, line_break);
    if !has_entries && !root.span.is_empty() {
        let before = tree.text[tree.line_start(root.span.start)..root.span.start]
            .trim_matches([' ', '\u{feff}']);
        let break_before = if before.is_empty() { "" } else { line_break };
        let blanks = tree.text[..root.span.start].trim_end_matches(' ').len();
        edits.replace(blanks..root.span.end, &format!("{break_before}{text}"));
        return;
    }
    let before = &tree.text[..document.end];
    let starts_line = before.is_empty() || before.ends_with('\n') || before == "\u{feff}";
    let break_before = if starts_line { "" } else { line_break };
    edits.insert(document.end, &format!("{break_before}{text}{line_break}"));
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

/// One ciphertext, and whether this file had it before.
struct Cipher {
    text: String,
    origin: Origin,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    Kept,
    Fresh,
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
    ) -> Result<Cipher, SealError> {
        let aad = visit.aad();
        if let Some(text) = self.stash.take(self.sealing.key, &aad, content) {
            return Ok(Cipher {
                text,
                origin: Origin::Kept,
            });
        }
        Ok(Cipher {
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
            return self.check_readable(visit, node);
        }
        if value.is_never_encrypted() || visit.through_alias {
            return Ok(());
        }
        let mut text = self.cipher(visit, (value_type, &canonical))?.text;
        if self.tree.node(node).inside_flow && !text.starts_with(['"', '\'']) {
            text = format!("\"{text}\"");
        }
        self.edits.put_scalar(self.tree, node, &text);
        Ok(())
    }

    /// Line breaks that YAML readers do not agree on would make the MAC differ.
    fn check_readable(&self, visit: &Visit<'_>, node: NodeId) -> Result<(), SealError> {
        let node = self.tree.node(node);
        if self.tree.text[node.span.clone()].contains(['\u{85}', '\u{2028}', '\u{2029}']) {
            return Err(SealError::Content {
                line: node.line,
                reason: format!(
                    "`{}` has a Unicode line break; write it as an escape in double quotes",
                    visit.path_text()
                ),
            });
        }
        Ok(())
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
            Cipher {
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
        self.put_comment(comment, container, &cipher);
        Ok(())
    }

    fn put_comment(&mut self, comment: &Comment, container: NodeId, cipher: &Cipher) {
        let tree = self.tree;
        let Some(collection) = tree.collection(container) else {
            return;
        };
        let column = tree.node(container).column;
        let margin = " ".repeat(column);
        let line_break = tree.line_break();
        let was_line = cipher.text.starts_with('#');
        let is_list =
            collection.shape == Shape::List && collection.style == Style::Block && !was_line;
        let text = cipher.text.trim_start_matches('#');
        let blanks = tree.text[..comment.span.start]
            .trim_end_matches([' ', '\t'])
            .len();
        match (comment.position, is_list) {
            (Position::OwnLine, true) => {
                let line = tree.line_start(comment.span.start)..comment.span.end;
                self.edits.replace(line, &format!("{margin}- {text}"));
            }
            (Position::AfterScalar, true) => {
                self.edits.remove(blanks..comment.span.end);
                if let Some(entry) = collection
                    .entries()
                    .take_while(|entry| entry.start < comment.span.start)
                    .last()
                {
                    self.edits
                        .insert(entry.start, &format!("- {text}{line_break}{margin}"));
                }
            }
            (Position::AfterDash, true) => {
                let node = tree.node(container);
                let on_dash_line =
                    !node.entry.is_keyed && node.anchor.is_none() && node.tag.is_none();
                let blank_columns = column.saturating_sub(node.entry.column + 1);
                let new = if on_dash_line && blank_columns > 0 {
                    format!("{}- {text}", " ".repeat(blank_columns))
                } else {
                    format!("{line_break}{margin}- {text}")
                };
                self.edits.replace(blanks..comment.span.end, &new);
            }
            // On a dash's line sops would take it for a comment above the dash.
            (Position::AfterDash, false)
                if cipher.origin == Origin::Fresh && !tree.node(container).entry.is_keyed =>
            {
                let new = format!("{line_break}{margin}#{text}");
                self.edits.replace(blanks..comment.span.end, &new);
            }
            (Position::OwnLine, false) => {
                self.edits
                    .replace(comment.span.clone(), &format!("#{text}"));
                if cipher.origin == Origin::Fresh {
                    self.set_apart(comment, container);
                }
            }
            _ => self
                .edits
                .replace(comment.span.clone(), &format!("#{text}")),
        }
    }

    /// A comment that ends an indented block needs a blank line after it and none before, or sops takes it for part of a
    /// deeper or shallower block.
    fn set_apart(&mut self, comment: &Comment, container: NodeId) {
        let tree = self.tree;
        let is_last = tree
            .collection(container)
            .and_then(Collection::last_entry)
            .is_some_and(|entry| entry.start < comment.span.start);
        if !is_last || tree.node(container).column == 0 {
            return;
        }
        let next = tree.next_line(comment.span.end);
        let following = tree.text[next..].lines().next().unwrap_or_default().trim();
        if !following.is_empty() && !following.starts_with('#') || next >= tree.text.len() {
            self.edits.insert(comment.span.end, tree.line_break());
        }
        let line = tree.line_start(comment.span.start);
        let content = tree.text[..line]
            .trim_end_matches([' ', '\t', '\r', '\n'])
            .len();
        let first_break = tree.next_line(content);
        let after_comment = tree.text[tree.line_start(content.saturating_sub(1))..content]
            .trim_start()
            .starts_with('#');
        if first_break < line && !after_comment {
            self.edits.remove(first_break..line);
        }
    }
}
