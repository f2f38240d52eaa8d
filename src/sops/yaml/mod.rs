//! YAML without loss: a tree with places over the text, go-yaml's reading of scalars, and edits that replace spans.

mod change;
mod comments;
mod parse;
pub(super) mod print;
pub(super) mod render;
pub(super) mod rewrite;
pub(super) mod scalar;
mod source;
pub(super) mod splice;
pub(super) mod tree;
