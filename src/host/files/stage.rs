//! Many files at once: each made whole under a name of our own and put on disk, then renamed one by one.

use rustix::fs::{AtFlags, fsync, unlinkat};

use super::place::{FileImage, Over};
use crate::host::root::Trust;
use crate::host::{FileError, Host, HostPath, Owner};

const ACTION: &str = "write";

/// A file that is whole and on disk and not in its place yet; it is either placed or discarded.
#[must_use = "an unfinished file stays beside its place"]
#[derive(Debug)]
pub struct StagedFile {
    path: HostPath,
    temporary: String,
    owner: Owner,
    over: Over,
}

impl Host {
    /// Makes the file for `path` beside it, on disk; it is there for readers after [`place_staged`](Self::place_staged).
    ///
    /// Several threads may do this at the same time: the disk takes their syncs together. A sync of the whole file system would
    /// be as fast, but would wait for whatever else is on its way to the disk.
    ///
    /// # Errors
    /// As [`put_file`](Self::put_file); nothing is left then.
    pub fn stage_file(
        &self,
        path: &HostPath,
        image: FileImage<'_>,
        over: Over,
    ) -> Result<StagedFile, FileError> {
        let owner = image.owner;
        let parent = self.root.open_parent(ACTION, path, Trust::For(owner))?;
        let temporary = self.temporary_name();
        let made = self.make_whole(path, &parent, &temporary, (image, over));
        match made.and_then(|file| Ok(fsync(&file)?)) {
            Ok(()) => Ok(StagedFile {
                path: path.clone(),
                temporary,
                owner,
                over,
            }),
            Err(source) => Err(self.take_away((ACTION, path), &parent, &temporary, source)),
        }
    }

    /// Renames a staged file to its place, over nothing if it was staged so.
    ///
    /// # Errors
    /// As [`put_file`](Self::put_file); its path is then as it was, and nothing is left beside it.
    pub fn place_staged(&self, file: StagedFile) -> Result<(), FileError> {
        let StagedFile {
            path,
            temporary,
            owner,
            over,
        } = file;
        let parent = self.root.open_parent(ACTION, &path, Trust::For(owner))?;
        self.put_in_place((ACTION, &path), &parent, &temporary, (Ok(()), over))
    }

    /// Takes a staged file away again. One that cannot be removed is swept when its transaction is recovered.
    pub fn discard_staged(&self, file: StagedFile) {
        let StagedFile {
            path, temporary, ..
        } = file;
        let discarded = self
            .root
            .open_parent("remove", &path, Trust::Any)
            .map(|parent| {
                let gone = parent
                    .acting
                    .perform(|| unlinkat(&parent, temporary.as_str(), AtFlags::empty()));
                gone.flatten()
            });
        if !matches!(discarded, Ok(Ok(()))) {
            tracing::warn!(%path, ?discarded, "an unfinished file could not be removed");
        }
    }
}
