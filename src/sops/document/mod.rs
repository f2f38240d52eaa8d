//! A text as a tree with places, the same for every store: the text stays the truth, edits replace spans.

pub(super) mod splice;
pub(super) mod tree;
