//! What changed between two versions of a file, by key path and never by value.

use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::cipher::looks_encrypted;
use super::document::tree::{Child, Collection, Entry, NodeId, Shape, Tree};
use super::merge::{Digest, Digests};
use super::opened::OpenedFile;
use super::sealed::SealedFile;
use super::walk::is_comment_item;

/// What happened to a value, or to everything below a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It is another one.
    Changed,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueChange {
    /// Which document of the file, from 0.
    pub document: usize,
    /// The key path. List items are named by their position: of what is removed, the position before.
    pub path: Vec<String>,
    /// What happened.
    pub kind: ChangeKind,
}

/// Whether two versions have the same data key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataKeyChange {
    /// They have.
    Same,
    /// They have not: every ciphertext is a new one.
    Rotated,
}

/// How two versions of a file differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// Values and keys, in the order of the newer version.
    pub values: Vec<ValueChange>,
    /// Whether comments differ.
    pub comments: bool,
    /// The data key.
    pub data_key: DataKeyChange,
}

impl Comparison {
    /// Compares by ciphertext, which needs no key. With one data key, another ciphertext is another value.
    ///
    /// Where the data key was rotated, nothing tells which values changed: only added and removed ones are there then,
    /// and changes of what is not encrypted.
    #[must_use]
    pub fn of_sealed(before: &SealedFile, after: &SealedFile) -> Self {
        let data_key = if same_data_key(before, after) {
            DataKeyChange::Same
        } else {
            DataKeyChange::Rotated
        };
        let mut comparing = Comparing::of(before.tree(), after.tree());
        comparing.ciphertext_tells = data_key == DataKeyChange::Same;
        comparing.finish(data_key)
    }

    /// Compares by value.
    #[must_use]
    pub fn of_opened(before: &OpenedFile, after: &OpenedFile) -> Self {
        let data_key = if before.key().expose() == after.key().expose() {
            DataKeyChange::Same
        } else {
            DataKeyChange::Rotated
        };
        Comparing::of(before.tree(), after.tree()).finish(data_key)
    }

    /// Whether nothing differs that anybody wrote.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty() && !self.comments && self.data_key == DataKeyChange::Same
    }
}

/// A copy of the data key, or a value, that both versions have byte for byte. Neither survives a rotation.
fn same_data_key(before: &SealedFile, after: &SealedFile) -> bool {
    let copies = before.wrapped_keys();
    if after
        .wrapped_keys()
        .iter()
        .any(|copy| copies.contains(copy))
    {
        return true;
    }
    let values = |tree: &Tree| -> std::collections::HashSet<String> {
        let scalars = (0..tree.nodes.len()).filter_map(|id| tree.scalar(id));
        scalars
            .filter(|scalar| looks_encrypted(&scalar.text))
            .map(|scalar| scalar.text.to_string())
            .collect()
    };
    let (before, after) = (values(before.tree()), values(after.tree()));
    !before.is_disjoint(&after)
}

struct Comparing<'a> {
    before: (&'a Tree, Digests),
    after: (&'a Tree, Digests),
    ciphertext_tells: bool,
    document: usize,
    path: Vec<String>,
    values: Vec<ValueChange>,
}

impl<'a> Comparing<'a> {
    fn of(before: &'a Tree, after: &'a Tree) -> Self {
        Self {
            before: (before, Digests::of(before)),
            after: (after, Digests::of(after)),
            ciphertext_tells: true,
            document: 0,
            path: Vec::new(),
            values: Vec::new(),
        }
    }

    fn finish(mut self, data_key: DataKeyChange) -> Comparison {
        let (before, after) = (self.before.0, self.after.0);
        for number in 0..before.documents.len().max(after.documents.len()) {
            self.document = number;
            match (before.documents.get(number), after.documents.get(number)) {
                (Some(before), Some(after)) => self.node(before.root, after.root),
                (Some(before), None) => {
                    self.one_sided(self.before.0, before.root, ChangeKind::Removed);
                }
                (None, Some(after)) => self.one_sided(self.after.0, after.root, ChangeKind::Added),
                (None, None) => {}
            }
        }
        let comments = comments(before) != comments(after);
        Comparison {
            values: self.values,
            // Fresh ciphertext of comments says nothing.
            comments: comments && self.ciphertext_tells,
            data_key,
        }
    }

    fn note(&mut self, kind: ChangeKind) {
        self.values.push(ValueChange {
            document: self.document,
            path: self.path.clone(),
            kind,
        });
    }

    fn one_sided(&mut self, tree: &Tree, root: NodeId, kind: ChangeKind) {
        for entry in entries(tree, root) {
            self.path.push(name_of(entry, 0));
            self.note(kind);
            self.path.pop();
        }
    }

    fn node(&mut self, before: NodeId, after: NodeId) {
        let (old, new) = (self.before.0, self.after.0);
        let (before, after) = (old.target(before), new.target(after));
        if self.before.1.get(old, before) == self.after.1.get(new, after) {
            return;
        }
        match (old.collection(before), new.collection(after)) {
            (Some(one), Some(other)) if one.shape == other.shape => match one.shape {
                Shape::Map => self.map(before, after),
                Shape::List => self.list(before, after),
            },
            (None, None)
                if !self.ciphertext_tells && is_sealed(old, before) && is_sealed(new, after) => {}
            _ => self.note(ChangeKind::Changed),
        }
    }

    fn map(&mut self, before: NodeId, after: NodeId) {
        let old: Vec<&Entry> = entries(self.before.0, before);
        let new: Vec<&Entry> = entries(self.after.0, after);
        let find = |all: &[&Entry], key: &str| {
            all.iter()
                .find(|entry| name_of(entry, 0) == key)
                .map(|entry| entry.value)
        };
        for entry in &new {
            let key = name_of(entry, 0);
            let was = find(&old, &key);
            self.path.push(key);
            match was {
                Some(was) => self.node(was, entry.value),
                None => self.note(ChangeKind::Added),
            }
            self.path.pop();
        }
        for entry in &old {
            let key = name_of(entry, 0);
            if find(&new, &key).is_none() {
                self.path.push(key);
                self.note(ChangeKind::Removed);
                self.path.pop();
            }
        }
    }

    /// Items of lists of one length are compared by position, others by what they are.
    fn list(&mut self, before: NodeId, after: NodeId) {
        let old: Vec<&Entry> = entries(self.before.0, before);
        let new: Vec<&Entry> = entries(self.after.0, after);
        if old.len() == new.len() {
            for (at, (one, other)) in old.iter().zip(&new).enumerate() {
                self.path.push(at.to_string());
                self.node(one.value, other.value);
                self.path.pop();
            }
            return;
        }
        let digests = |(tree, digests): &(&Tree, Digests), all: &[&Entry]| -> Vec<Digest> {
            all.iter()
                .map(|entry| digests.get(tree, entry.value))
                .collect()
        };
        let (one, other) = (digests(&self.before, &old), digests(&self.after, &new));
        for op in capture_diff_slices(Algorithm::Myers, &one, &other) {
            if let DiffOp::Equal { .. } = op {
                continue;
            }
            for (range, kind) in [
                (op.old_range(), ChangeKind::Removed),
                (op.new_range(), ChangeKind::Added),
            ] {
                for at in range {
                    self.path.push(at.to_string());
                    self.note(kind);
                    self.path.pop();
                }
            }
        }
    }
}

fn is_sealed(tree: &Tree, id: NodeId) -> bool {
    tree.scalar(id)
        .is_some_and(|scalar| looks_encrypted(&scalar.text))
}

/// The entries of a collection without metadata and without comments that are items.
fn entries(tree: &Tree, id: NodeId) -> Vec<&Entry> {
    let is_root = tree.documents.iter().any(|document| document.root == id);
    let all = tree
        .collection(tree.target(id))
        .into_iter()
        .flat_map(Collection::entries);
    all.filter(|entry| match &entry.key {
        Some(key) => !(is_root && tree.store.is_metadata_key(&key.text)),
        None => !is_comment_item(tree, entry.value),
    })
    .collect()
}

fn name_of(entry: &Entry, position: usize) -> String {
    entry
        .key
        .as_ref()
        .map_or_else(|| position.to_string(), |key| key.text.clone())
}

/// The texts of all comments, sorted; of encrypted ones, the ciphertext.
fn comments(tree: &Tree) -> Vec<&str> {
    let mut found: Vec<&str> = Vec::new();
    for id in 0..tree.nodes.len() {
        let Some(collection) = tree.collection(id) else {
            continue;
        };
        for child in &collection.children {
            match child {
                Child::Comment(comment) => found.push(comment.text.trim_end()),
                Child::Entry(entry) if is_comment_item(tree, entry.value) => {
                    found.extend(tree.scalar(entry.value).map(|scalar| scalar.text.as_str()));
                }
                Child::Entry(_) => {}
            }
        }
    }
    found.sort_unstable();
    found
}

#[cfg(test)]
mod tests;
