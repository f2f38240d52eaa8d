//! Digests of subtrees, so that any two of any versions can be compared at once. They live in memory only.

use sha2::{Digest as _, Sha256};

use crate::sops::document::tree::{NodeId, Shape, Tree};
use crate::sops::value::Value;

/// What a subtree holds: types, values, keys and the order of lists. Comments, layout and the order of keys do not count.
pub(in crate::sops) type Digest = [u8; 32];

/// The digests of all nodes of one tree.
pub(in crate::sops) struct Digests(Vec<Option<Digest>>);

impl Digests {
    pub(in crate::sops) fn of(tree: &Tree) -> Self {
        let mut digests = Self(vec![None; tree.nodes.len()]);
        for document in &tree.documents {
            digests.fill(tree, document.root);
        }
        digests
    }

    /// The digest of the node `id`, or of what it is an alias of.
    pub(in crate::sops) fn get(&self, tree: &Tree, id: NodeId) -> Digest {
        self.0[tree.target(id)].unwrap_or_default()
    }

    fn fill(&mut self, tree: &Tree, id: NodeId) -> Digest {
        let id = tree.target(id);
        if let Some(known) = self.0[id] {
            return known;
        }
        let digest = match tree.collection(id) {
            None => of_leaf(tree, id),
            Some(collection) => {
                let children: Vec<(Option<String>, Digest)> = collection
                    .entries()
                    .map(|entry| {
                        let key = entry.key.as_ref().map(|key| key.text.clone());
                        (key, self.fill(tree, entry.value))
                    })
                    .collect();
                of_collection(collection.shape, children)
            }
        };
        self.0[id] = Some(digest);
        digest
    }
}

fn of_leaf(tree: &Tree, id: NodeId) -> Digest {
    let mut hash = Sha256::new();
    match tree.value(id) {
        Some(Ok(Value::Null)) => hash.update(b"null"),
        Some(Ok(value)) => {
            let kind = value.value_type().map_or("null", |kind| kind.as_str());
            hash.update(kind);
            hash.update([0]);
            hash.update(value.canonical());
        }
        // What has no type is the same where it is written the same.
        _ => {
            hash.update(b"?");
            hash.update(&tree.text[tree.node(id).span.clone()]);
        }
    }
    hash.finalize().into()
}

/// The digest of a map or list with these children.
pub(super) fn of_collection(shape: Shape, mut children: Vec<(Option<String>, Digest)>) -> Digest {
    let mut hash = Sha256::new();
    match shape {
        Shape::Map => {
            hash.update(b"map");
            children.sort_by(|one, other| one.0.cmp(&other.0));
        }
        Shape::List => hash.update(b"list"),
    }
    for (key, digest) in children {
        let key = key.unwrap_or_default();
        hash.update((key.len() as u64).to_le_bytes());
        hash.update(key);
        hash.update(digest);
    }
    hash.finalize().into()
}
