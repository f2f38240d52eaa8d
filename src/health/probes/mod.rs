//! The questions that every host has, each asked of the real thing: by a route table, a banner, a login.

pub(super) mod login;
pub(super) mod names;
pub(super) mod routes;
pub(super) mod space;
pub(super) mod sshd;
