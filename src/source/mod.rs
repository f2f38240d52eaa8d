//! Git: where a configuration comes from, and whether to believe it.
//!
//! `remote` parses addresses, `mirror` keeps the bare repository, `transport` runs OpenSSH and speaks HTTPS,
//! `snapshot` reads one revision's tree from the object database, `pin` the inputs it is locked to, `blame` who wrote a line, `trust` decides.

mod blame;
mod clone;
mod fetch_error;
mod mirror;
mod names;
mod pin;
mod remote;
mod revision;
mod snapshot;
mod transport;
pub mod trust;

#[cfg(test)]
mod testing;

pub use blame::{Blame, LineState};
pub use clone::{BlobId, CloneError, History, WorkingClone};
pub use fetch_error::{FetchError, FetchErrorKind};
pub use mirror::{Fetched, Mirror, MirrorError, ResolveError, Transfer, Wanted};
pub use names::{CommitId, InputName, RepoPath};
pub use pin::{Pin, PinError, PinErrorKind};
pub use remote::{Address, HttpAddress, Remote, RemoteError, RemoteErrorKind, SshAddress};
pub use revision::{Revision, Signer, TrustedRevision};
pub use snapshot::{
    DigestError, FolderError, FolderErrorKind, Mount, ReadBlobError, Skipped, Snapshot,
    SnapshotError, SnapshotErrorKind,
};
pub use transport::{Limits, SshAccess, Transport};
