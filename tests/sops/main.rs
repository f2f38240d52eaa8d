//! The SOPS format from outside: vectors, a real sops as peer, hostile and random files.

mod document;
mod fuzz;
mod peer;
mod support;
mod vectors;
