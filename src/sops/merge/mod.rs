//! Merging three versions of a file, key by key, on their plain texts: the layout of ours stays, and what was not changed
//! keeps its ciphertext.

mod comments;
mod digest;
mod entries;
mod flow;
mod keys;
mod layout;
mod lists;
mod marks;
mod versions;
mod weave;

#[cfg(test)]
mod tests;

pub(super) use digest::{Digest, Digests};
pub use marks::{Markers, Side, first_marker, one_side};
pub use versions::{MergeError, Merged, Versions, merge};
