//! How work on a backup goes on.

use super::Unread;

/// Somebody who watches.
pub type Tell<'a> = &'a dyn Fn(&Event);

/// Something that happened meanwhile.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Another process works with the same repository; its end is awaited.
    Waiting,
    /// What is being done now, as a sentence without an end: `removing old snapshots`.
    Doing(&'static str),
    /// A new repository was made.
    Initialised {
        /// Its address.
        repository: String,
    },
    /// How far it is.
    Progress(Progress),
    /// A file could not be read.
    Unread(Unread),
    /// Something that restic says and that is worth to be known.
    Said(String),
}

/// How far restic is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Progress {
    /// Files done.
    pub files: u64,
    /// Files there are, as far as they are known.
    pub of_files: u64,
    /// Bytes done.
    pub bytes: u64,
    /// Bytes there are, as far as they are known.
    pub of_bytes: u64,
    /// How long the rest takes, as restic guesses.
    pub seconds_left: Option<u64>,
    /// A file that is worked on.
    pub current: Option<String>,
}
