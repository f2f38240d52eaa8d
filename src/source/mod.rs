//! Git: where a configuration comes from, and whether to believe it.
//!
//! `remote` parses addresses, `mirror` keeps the bare repository, `transport` runs OpenSSH and speaks HTTPS,
//! `snapshot` reads one revision's tree from the object database, `trust` decides.

mod names;
mod revision;
mod snapshot;

pub use names::{CommitId, RepoPath};
pub use revision::{Revision, Signer, TrustedRevision};
pub use snapshot::{ReadBlobError, Snapshot};
