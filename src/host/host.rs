//! The machine, or a directory that stands for one.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{CWD, Mode, OFlags, openat};

use super::root::Root;
use super::units::Conversation;
use super::{FileError, FileMode, HostPath, Ownership, Seen, durable};

/// Every effect goes through here. Cheap to clone; all clones are the same machine.
#[derive(Debug, Clone)]
pub struct Host {
    kind: Kind,
    pub(super) root: Arc<Root>,
    /// The transaction that unfinished files are named after, so that recovery takes away those of its own alone.
    pub(super) transaction: Option<u64>,
    /// What need not be read again; without it every look reads.
    pub(super) seen: Option<Arc<Seen>>,
    pub(super) conversation: Conversation,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Live,
    Below,
}

/// A machine that cannot be worked on.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// `--root /`.
    #[error("{} is the live machine, not a directory that stands for one", path.display())]
    LiveRoot {
        /// What was given.
        path: PathBuf,
    },
    /// The root directory cannot be made or opened.
    #[error("cannot use {} as a root directory", path.display())]
    Root {
        /// What was given.
        path: PathBuf,
        /// Why.
        #[source]
        source: FileError,
    },
}

impl HostError {
    /// How to put it right.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::LiveRoot { .. } => Some("leave `--root` away".to_owned()),
            Self::Root { source, .. } => source.hint(),
        }
    }
}

impl Host {
    /// This machine. Any user may look; changing needs root, and says so when it is tried.
    ///
    /// # Errors
    /// [`HostError::Root`] if `/` cannot be opened.
    pub fn live() -> Result<Self, HostError> {
        Self::open(Kind::Live, Path::new("/"), Ownership::Kept)
    }

    /// The directory `root`, made if it is not there: nothing outside of it is touched, no service or package manager
    /// is asked. Owners count only for root.
    ///
    /// # Errors
    /// [`HostError::LiveRoot`] for `/`, [`HostError::Root`] if it cannot be made or opened.
    pub fn below(root: &Path) -> Result<Self, HostError> {
        let failed = |source| HostError::Root {
            path: root.to_owned(),
            source,
        };
        durable::make_directories(root, FileMode::from_bits(0o755)).map_err(failed)?;
        let real = root
            .canonicalize()
            .map_err(|source| failed(FileError::io("resolve", root, source)))?;
        if real == Path::new("/") {
            return Err(HostError::LiveRoot {
                path: root.to_owned(),
            });
        }
        let ownership = if rustix::process::geteuid().is_root() {
            Ownership::Kept
        } else {
            Ownership::Ignored
        };
        Self::open(Kind::Below, &real, ownership)
    }

    fn open(kind: Kind, path: &Path, ownership: Ownership) -> Result<Self, HostError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = openat(CWD, path, flags, Mode::empty()).map_err(|errno| HostError::Root {
            path: path.to_owned(),
            source: FileError::io("open", path, errno),
        })?;
        let root = Root {
            path: path.to_owned(),
            fd,
            ownership,
        };
        Ok(Self {
            kind,
            root: Arc::new(root),
            transaction: None,
            seen: None,
            conversation: Conversation::default(),
        })
    }

    /// The same machine; files that are unfinished when we are killed carry the number of `transaction`.
    #[must_use]
    pub fn within(&self, transaction: u64) -> Self {
        Self {
            transaction: Some(transaction),
            ..self.clone()
        }
    }

    /// The same machine, whose files are not read when `seen` says that they are as they were. Without it every
    /// [`look`](Self::look) reads.
    #[must_use]
    pub fn remembering(&self, seen: Arc<Seen>) -> Self {
        Self {
            seen: Some(seen),
            ..self.clone()
        }
    }

    /// Writes down what was learned since [`remembering`](Self::remembering). That it cannot be written is told to the
    /// log: the next look reads more than it had to.
    pub fn save_seen(&self) {
        if let Some(seen) = &self.seen
            && let Err(error) = seen.save()
        {
            tracing::warn!(%error, "what was read could not be remembered");
        }
    }

    /// Whether this is the running machine, with services, packages and a kernel to ask.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.kind == Kind::Live
    }

    /// The directory that every path is below: `/` for the live machine.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root.path
    }

    /// Where `path` is on this machine, for messages and for our own state files.
    #[must_use]
    pub fn real_path(&self, path: &HostPath) -> PathBuf {
        self.root.real_path(path)
    }

    /// Whether owners can be told and set.
    #[must_use]
    pub fn ownership(&self) -> Ownership {
        self.root.ownership
    }
}
