//! The SOPS format from outside: vectors, a real sops as peer, hostile and random files.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod document;
mod fuzz;
mod patterns;
mod peer;
mod support;
mod vectors;
