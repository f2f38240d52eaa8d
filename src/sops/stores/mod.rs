//! The stores: how each format of secret file is read into a tree, printed and edited.

pub(super) mod yaml;
