//! The SOPS file format alone: documents, ciphers, MAC, metadata. Knows no host.
//!
//! A [`SealedFile`] is parsed and says who can open it; [`SealedFile::open`] checks everything and gives an
//! [`OpenedFile`], which is read, edited and sealed again.
//!
//! `document` is a text as a tree with places, `stores` how each format is read, printed and edited; `walk` gives any store's leaves in order, with `selector` saying
//! which are encrypted; `value`, `cipher`, `mac` and `shamir` are the arithmetic; `metadata` is the `sops` entry; `key_groups`
//! says which keys a file shall have; `merge` makes one
//! file of three versions.

mod cipher;
mod compare;
mod convert;
mod decrypt;
mod document;
mod encrypt;
mod error;
mod format;
mod key_groups;
mod mac;
mod merge;
mod metadata;
mod opened;
mod pattern;
mod readback;
mod sealed;
mod selector;
mod shamir;
mod stash;
mod stores;
mod time;
mod value;
mod walk;

pub use compare::{ChangeKind, Comparison, DataKeyChange, ValueChange};
pub use convert::{ConvertError, convert};
pub use error::{CipherError, EditError, OpenError, ParseError, SealError};
pub use format::{Format, FormatError};
pub use key_groups::{KeyEntry, KeyGroup, KeyGroups, KeyGroupsError, KeyKind};
pub use merge::{Markers, MergeError, Merged, Side, Versions, first_marker, merge, one_side};
pub use opened::{NewFile, OpenedFile};
pub use pattern::{Pattern, PatternError};
pub use sealed::SealedFile;
pub use selector::{MacScope, Selector, SelectorRule};
