//! Child processes: the only door through which a program is started.
//!
//! An argv, never a shell string; a fixed locale; a process group of its own that is killed as a whole at the timeout;
//! bounded output; the last lines of stderr in the error. Secrets are handed over by stdin only.

mod attend;
mod capture;
mod error;
mod follow;
mod group;
mod pipe;
mod program;
mod signals;
mod words;

#[cfg(test)]
mod tests;

pub use attend::{Attended, Signaller};
pub use error::ExecError;
pub use follow::{Followed, Stream};
pub use pipe::PipedChild;
pub use program::{Inherited, Output, Program};
pub use signals::{Interrupt, OnSignal, SignalGuard, end_by};
pub use words::{UnclosedQuote, split_words};

/// How variables are looked up; a parameter so that tests need not change the process's own environment.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<std::ffi::OsString>;
