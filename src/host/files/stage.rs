//! Many files at once: each made whole under a name of our own, all put on disk together, then renamed one by one.

use std::fs::File;
use std::thread;

use rustix::fs::{AtFlags, fsync, unlinkat};

use super::place::{FileImage, Over};
use crate::host::root::Trust;
use crate::host::{FileError, Host, HostPath, Owner};

const ACTION: &str = "write";

/// So few are synced one by one.
const FEW: usize = 16;
/// How many wait for the disk at once, which takes their syncs together. A sync of the whole file system would be as fast, but
/// would wait for whatever else is on its way to the disk.
const WAITING: usize = 8;

/// A file that is whole and not in its place yet; it is either placed or discarded. Each holds an open file.
#[must_use = "an unfinished file stays beside its place"]
#[derive(Debug)]
pub struct StagedFile {
    path: HostPath,
    temporary: String,
    owner: Owner,
    over: Over,
    file: File,
}

impl Host {
    /// Makes the file for `path` beside it. It is on disk after [`sync_staged`](Self::sync_staged), and there for readers
    /// after [`place_staged`](Self::place_staged).
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
        match made {
            Ok(file) => Ok(StagedFile {
                path: path.clone(),
                temporary,
                owner,
                over,
                file,
            }),
            Err(source) => Err(self.take_away((ACTION, path), &parent, &temporary, source)),
        }
    }

    /// Puts `files` on disk: a few one by one, many at once.
    ///
    /// # Errors
    /// [`FileError`] of the first that fails; none of `files` is to be placed then.
    pub fn sync_staged(&self, files: &[&StagedFile]) -> Result<(), FileError> {
        let sync = |some: &[&StagedFile]| {
            some.iter().try_for_each(|staged| {
                let failed = |errno| FileError::io(ACTION, &self.real_path(&staged.path), errno);
                fsync(&staged.file).map_err(failed)
            })
        };
        if files.len() <= FEW {
            return sync(files);
        }
        thread::scope(|scope| {
            let portions = files.chunks(files.len().div_ceil(WAITING));
            let waiting: Vec<_> = portions
                .map(|some| scope.spawn(move || sync(some)))
                .collect();
            waiting.into_iter().try_for_each(|thread| {
                let ended = thread.join();
                ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
        })
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
            ..
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
