//! What a kill, a power cut, a failing disk or a clock that jumps leaves of an activation: the old generation or the new one.
//!
//! The real program runs below a root; strace kills it at its Nth system call, lets the call fail, or stops it there.
//! Without strace every test here prints a SKIP line. The gate takes each call once; `STEADFAST_FAULTS=all` takes each
//! with every error, once and from then on. See `README.md` beside this file.

#![expect(
    clippy::disallowed_methods,
    reason = "tests drive other programs and write their own files"
)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bed;
mod clock;
mod cut;
mod disks;
mod errors;
mod fleet;
mod kills;
mod power;
mod trace;
mod tree;
