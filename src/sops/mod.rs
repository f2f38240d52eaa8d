//! The SOPS file format alone: documents, ciphers, MAC, metadata. Knows no host.
//!
//! A [`SealedFile`] is parsed and says who can open it; [`SealedFile::open`] checks everything and gives an
//! [`OpenedFile`], which is read, edited and sealed again.

mod error;
mod opened;
mod sealed;
mod selector;

pub use error::{EditError, OpenError, ParseError, SealError};
pub use opened::OpenedFile;
pub use sealed::SealedFile;
pub use selector::{MacScope, Selector, SelectorRule};
