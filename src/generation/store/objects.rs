//! Objects: content by its SHA-256.

use std::path::PathBuf;

use super::disk::{self, Created};
use super::{Store, StoreError, StoreErrorKind};
use crate::host::{Digest, durable};

impl Store {
    /// Reads an object; its hash is checked.
    pub fn object(&self, digest: &Digest) -> Result<Vec<u8>, StoreError> {
        let path = self.object_path(digest);
        let operation = format!("read object {digest}");
        let Some(content) = disk::read_object(&path)? else {
            return Err(StoreError::new(operation, &path, StoreErrorKind::Missing));
        };
        if Digest::of(&content) != *digest {
            let reason = "its content does not have the hash that is its name";
            return Err(StoreError::damaged(operation, &path, reason));
        }
        Ok(content)
    }

    /// How long an object is.
    pub fn object_bytes(&self, digest: &Digest) -> Result<u64, StoreError> {
        let path = self.object_path(digest);
        match std::fs::metadata(&path) {
            Ok(found) => Ok(found.len()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let operation = format!("look at object {digest}");
                Err(StoreError::new(operation, &path, StoreErrorKind::Missing))
            }
            Err(error) => Err(StoreError::io("look at an object", &path, error)),
        }
    }

    /// Keeps `content` as an object, for originals and drifted versions; durable when this returns.
    ///
    /// `gc` removes an object that nothing names once it is older than what it keeps.
    pub fn keep(&self, content: &[u8]) -> Result<Digest, StoreError> {
        let digest = Digest::of(content);
        if self.write_object(&digest, content)? == Written::New {
            durable::syncfs(self.root()).map_err(|source| {
                StoreError::file("keep an object", &self.object_path(&digest), source)
            })?;
        }
        Ok(digest)
    }

    /// Writes an object unless it is there. Durable after the next sync of the file system.
    ///
    /// Under its name at once: whoever was killed meanwhile left a part, which is not believed by anybody who reads it and
    /// is made whole by whoever writes it next.
    pub(super) fn write_object(
        &self,
        digest: &Digest,
        content: &[u8],
    ) -> Result<Written, StoreError> {
        let path = self.object_path(digest);
        match disk::create(&path, content)? {
            Created::Yes => return Ok(Written::New),
            Created::NoDirectory => disk::make_directory(&self.object_directory(digest))?,
            Created::IsThere => {
                // Compared, not only looked for: a power cut may have left a name without its content.
                if disk::read_object(&path)?.is_some_and(|found| found == content) {
                    return Ok(Written::AlreadyThere);
                }
            }
        }
        let staged = self.object_directory(digest).join(format!(".new-{digest}"));
        disk::remove_file(&staged)?;
        disk::write_new(&staged, content)?;
        disk::rename(&staged, &path)?;
        Ok(Written::New)
    }

    pub(super) fn objects(&self) -> PathBuf {
        self.root().join("objects")
    }

    fn object_directory(&self, digest: &Digest) -> PathBuf {
        self.objects().join(&digest.as_str()[..2])
    }

    pub(super) fn object_path(&self, digest: &Digest) -> PathBuf {
        self.object_directory(digest).join(digest.as_str())
    }
}

/// What writing an object came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    New,
    AlreadyThere,
}
