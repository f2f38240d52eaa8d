//! YAML without loss: go-yaml's reading of scalars and comments, printing, and edits that keep the layout.

mod change;
mod comments;
mod parse;
mod place;
pub(in crate::sops) mod print;
pub(in crate::sops) mod render;
pub(in crate::sops) mod rewrite;
pub(in crate::sops) mod scalar;
mod source;
