//! Comparing what was sealed with what it opens to again.

use sha2::{Digest as _, Sha256};

use super::document::tree::Tree;
use super::selector::Chooser;
use super::walk::{Item, Side, TooManyVisits, Visit, walk};

/// Leaves in order, and comments in any order: one that stood behind a list's item now stands before it.
#[derive(Default)]
struct Contents {
    leaves: Vec<(String, [u8; 32])>,
    comments: Vec<[u8; 32]>,
}

struct Failed(String);

impl From<TooManyVisits> for Failed {
    fn from(_: TooManyVisits) -> Self {
        Self("too many values".to_owned())
    }
}

/// Says where `sealed` differs from `meant`, by path.
pub(super) fn compare(meant: &Tree, sealed: &Tree, chooser: &Chooser) -> Result<(), String> {
    let meant = contents(meant, chooser).map_err(|Failed(reason)| reason)?;
    let sealed = contents(sealed, chooser).map_err(|Failed(reason)| reason)?;
    for (one, other) in meant.leaves.iter().zip(&sealed.leaves) {
        if one != other {
            return Err(format!("`{}` differs", one.0));
        }
    }
    if meant.leaves.len() != sealed.leaves.len() {
        return Err("the number of values differs".to_owned());
    }
    if meant.comments == sealed.comments {
        Ok(())
    } else {
        Err("a comment differs".to_owned())
    }
}

fn contents(tree: &Tree, chooser: &Chooser) -> Result<Contents, Failed> {
    let mut found = Contents::default();
    walk::<Failed>(tree, chooser, Side::Plain, &mut |visit| {
        match &visit.item {
            Item::Leaf(node) => {
                let Some(Ok(value)) = tree.value(*node) else {
                    return Err(Failed(format!("`{}` has no type", visit.path_text())));
                };
                let kind = value
                    .value_type()
                    .map_or("null", |value_type| value_type.as_str());
                let leaf = digest(visit, kind, &value.canonical());
                found.leaves.push((visit.path_text(), leaf));
            }
            Item::Comment { comment, .. } => {
                found
                    .comments
                    .push(digest(visit, "comment", comment.text.trim_end().as_bytes()));
            }
            Item::ListedComment { .. } => {}
        }
        Ok(())
    })?;
    found.comments.sort_unstable();
    Ok(found)
}

fn digest(visit: &Visit<'_>, kind: &str, bytes: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update((visit.document as u64).to_le_bytes());
    hash.update([u8::from(visit.chosen)]);
    hash.update(kind);
    hash.update(visit.aad());
    hash.update([0]);
    hash.update(bytes);
    hash.finalize().into()
}
