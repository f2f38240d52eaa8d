//! YAML without loss: go-yaml's reading of scalars and comments, printing, and edits that keep the layout.

pub(in crate::sops) mod breaks;
pub(super) mod change;
mod comments;
pub(in crate::sops) mod ends;
pub(super) mod metadata;
mod parse;
mod place;
pub(in crate::sops) mod print;
pub(in crate::sops) mod render;
pub(in crate::sops) mod rewrite;
pub(in crate::sops) mod scalar;
pub(in crate::sops) mod seal;
mod source;

pub(super) use parse::parse;
