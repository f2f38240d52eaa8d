//! The stores: how each format of secret file is read into a tree, printed and edited.
//!
//! `store` is the one place that knows them all; each store is the same few steps: parse, type, print, comments,
//! metadata, set and unset.

pub(super) mod binary;
pub(super) mod dotenv;
pub(super) mod ini;
pub(super) mod json;
mod new_value;
mod store;
pub(super) mod yaml;

pub(super) use new_value::NewValue;
pub(super) use store::{DEEPEST_NESTING, LARGEST_TEXT_BYTES, Origin, SealedComment, Store};
