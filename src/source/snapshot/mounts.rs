//! Files of other repositories among those of a snapshot: `community@1a2b3c4:modules/nfs/module.yml`.

use crate::host::Digest;
use crate::source::{CommitId, InputName, RepoPath};

use super::{Files, Skipped, Snapshot};

/// The most bytes of an input that are looked at.
const INPUT_BYTES: usize = 64 * 1024 * 1024;

/// The files of an input at the locked commit.
pub struct Mount {
    /// What it is called.
    pub name: InputName,
    /// The commit.
    pub commit: CommitId,
    /// Its folder of modules.
    pub directory: String,
    /// All its files.
    pub files: Snapshot,
}

impl Mount {
    /// What the paths of its files begin with in the snapshot: `community@1a2b3c4:`.
    #[must_use]
    pub fn prefix(&self) -> String {
        format!("{}@{}:", self.name, &self.commit.as_str()[..7])
    }

    /// The file's path in the input, if `path` is one of its files.
    #[must_use]
    pub fn inner(&self, path: &RepoPath) -> Option<RepoPath> {
        let inner = path.as_str().strip_prefix(&self.prefix())?;
        RepoPath::new(inner).ok()
    }
}

/// An input with too many bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("its files have more than {INPUT_BYTES} bytes")]
pub struct DigestError;

impl DigestError {
    /// What to do about it.
    #[must_use]
    pub fn fix(&self) -> String {
        "keep modules in a repository of their own".to_owned()
    }
}

impl Snapshot {
    /// This snapshot, with the files of an input under the input's prefix. A file of its own with such a name is left
    /// out.
    #[must_use]
    pub fn with_input(mut self, mount: Mount) -> Self {
        let prefix = mount.prefix();
        let own = |path: &RepoPath| !path.as_str().starts_with(&prefix);
        let shadowed: Vec<RepoPath> = self.paths().filter(|path| !own(path)).cloned().collect();
        match &mut self.files {
            Files::Memory(files) => files.retain(|path, _| own(path)),
            Files::Folder(files) => files.retain(|path, _| own(path)),
            Files::Git { blobs, .. } => blobs.retain(|path, _| own(path)),
        }
        self.skipped
            .extend(shadowed.into_iter().map(|path| Skipped {
                path: path.to_string(),
                reason: "its name is that of a file of an input",
            }));
        for inner in mount.files.paths() {
            // A path that is too long with the prefix is no path.
            if let Ok(path) = RepoPath::new(format!("{prefix}{inner}")) {
                self.mounted.insert(path, self.mounts.len());
            }
        }
        self.skipped
            .extend(mount.files.skipped.iter().map(|skipped| Skipped {
                path: format!("{prefix}{}", skipped.path),
                reason: skipped.reason,
            }));
        self.mounts.push(mount);
        self
    }

    /// The inputs whose files are among these.
    #[must_use]
    pub fn mounts(&self) -> &[Mount] {
        &self.mounts
    }

    /// The input that a file is of; `None` for one of the repository itself.
    #[must_use]
    pub fn mount_of(&self, path: &RepoPath) -> Option<&Mount> {
        self.mounted
            .get(path)
            .and_then(|index| self.mounts.get(*index))
    }

    /// What the files come to: SHA-256 over each one's path and content. Files that are too large to be read count as
    /// such.
    ///
    /// # Errors
    /// [`DigestError`] if there are too many bytes.
    pub fn digest(&self) -> Result<Digest, DigestError> {
        let mut listing = String::new();
        let mut bytes = 0;
        for path in self.paths() {
            let content = match self.read(path) {
                Ok(Some(content)) => {
                    bytes += content.len();
                    Digest::of(&content).to_string()
                }
                Ok(None) | Err(_) => "-".to_owned(),
            };
            if bytes > INPUT_BYTES {
                return Err(DigestError);
            }
            listing.extend([content.as_str(), " ", path.as_str(), "\n"]);
        }
        Ok(Digest::of(listing.as_bytes()))
    }
}
