//! Git: where a configuration comes from, and whether to believe it.
//!
//! `remote` parses addresses, `mirror` keeps the bare repository, `transport` runs OpenSSH and speaks HTTPS,
//! `snapshot` reads one revision's tree from the object database, `trust` decides.

mod clone;
mod fetch_error;
mod mirror;
mod names;
mod remote;
mod revision;
mod snapshot;
mod transport;
pub mod trust;

#[cfg(test)]
mod testing;

pub use clone::{BlobId, CloneError, History, WorkingClone};
pub use fetch_error::{FetchError, FetchErrorKind};
pub use mirror::{Fetched, Mirror, MirrorError, ResolveError, Transfer};
pub use names::{CommitId, RepoPath};
pub use remote::{Address, HttpAddress, Remote, RemoteError, RemoteErrorKind, SshAddress};
pub use revision::{Revision, Signer, TrustedRevision};
pub use snapshot::{
    FolderError, FolderErrorKind, ReadBlobError, Skipped, Snapshot, SnapshotError,
    SnapshotErrorKind,
};
pub use transport::{Limits, SshAccess, Transport};
