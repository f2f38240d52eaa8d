//! How a file holds its metadata, besides what it says: where it stands and how it is written.

use crate::sops::document::tree::{Document, Tree};

/// Where the metadata stands and how it is written, so that it goes back to its place when the file is sealed again.
#[derive(Debug, Clone, Default)]
pub(in crate::sops) struct MetadataLayout {
    /// By document: what follows the metadata; nothing where it is the last.
    pub(in crate::sops) following: Vec<Option<Following>>,
    /// What stood between the metadata and what is before it.
    pub(in crate::sops) lead: Option<String>,
    /// Of flat metadata: each name with the text before its value, in the order found.
    pub(in crate::sops) lines: Vec<FlatLine>,
    /// By how many blanks a new file is indented.
    pub(in crate::sops) indent: Option<usize>,
}

/// The entry that follows the metadata.
#[derive(Debug, Clone)]
pub(in crate::sops) struct Following {
    /// Its key.
    pub(in crate::sops) key: String,
    /// How many lines of comments and blanks stand between.
    pub(in crate::sops) lines_between: usize,
}

/// One line of flat metadata.
#[derive(Debug, Clone)]
pub(in crate::sops) struct FlatLine {
    /// `age__list_0__map_enc`.
    pub(in crate::sops) name: String,
    /// The line up to the value: `age__list_0__map_enc = `.
    pub(in crate::sops) before: String,
    /// The value as it is written.
    pub(in crate::sops) raw: String,
    /// The value.
    pub(in crate::sops) value: String,
}

impl MetadataLayout {
    /// What follows the metadata in each document of `tree`.
    pub(in crate::sops) fn of(tree: &Tree) -> Self {
        let following = tree.documents.iter().map(|it| following(tree, it));
        Self {
            following: following.collect(),
            ..Self::default()
        }
    }

    /// Where the metadata of document `number` goes: before an entry of its lines, or nothing for the end.
    ///
    /// Only where the entry that followed is still there.
    pub(in crate::sops) fn place(&self, tree: &Tree, number: usize) -> Option<usize> {
        let following = self.following.get(number)?.as_ref()?;
        let root = tree.documents.get(number)?.root;
        let mut at = tree.line_start(tree.child(root, &following.key)?.start);
        for _ in 0..following.lines_between {
            let Some(above) = at.checked_sub(1) else {
                break;
            };
            let above = tree.line_start(above);
            let line = tree.text[above..at].trim();
            if !line.is_empty() && !line.starts_with(['#', ';']) {
                break;
            }
            at = above;
        }
        Some(at)
    }
}

fn following(tree: &Tree, document: &Document) -> Option<Following> {
    let last = tree.metadata_entries(document).last()?;
    let end = tree.node(last.value).span.end.max(last.start);
    let next = tree
        .collection(document.root)?
        .entries()
        .find(|entry| entry.start > last.start)?;
    let between = &tree.text[end.min(next.start)..next.start];
    Some(Following {
        key: next.key.as_ref()?.text.clone(),
        lines_between: between.matches('\n').count().saturating_sub(1),
    })
}
