//! Files that are written one after the other: all made whole beside their places, put on disk together, then renamed in
//! their order. On a disk that takes a while to sync, that is where the time of an activation goes.

use super::super::failure::HostFailure;
use super::super::journal::Journal;
use super::super::plan::{attributes, words};
use super::{Hands, Step};
use crate::generation::PathKind;
use crate::host::{FileImage, HostPath, PathState, StagedFile};

/// Most files that are made before the first of them is in its place: each is held open, and takes room twice.
const MOST_FILES: usize = 256;
/// Most bytes of them, but for the last.
pub(in super::super) const MOST_BYTES: u64 = 16 * 1024 * 1024;

/// A file that is whole and not in its place yet.
pub(super) struct Staged {
    /// The place of its step.
    index: usize,
    path: HostPath,
    file: StagedFile,
    /// What it takes the place of.
    replaced: PathState,
}

/// Files that are made, and not in their places yet.
#[derive(Default)]
pub(super) struct Stage {
    files: Vec<Staged>,
    bytes: u64,
}

impl Stage {
    /// What is on it, in the order of the steps, with the places of these.
    pub(super) fn clear(&mut self) -> Vec<(usize, Staged)> {
        self.bytes = 0;
        let files = std::mem::take(&mut self.files);
        files
            .into_iter()
            .map(|staged| (staged.index, staged))
            .collect()
    }

    /// Whether no more should be made before these are in their places.
    pub(super) fn is_full(&self) -> bool {
        self.files.len() >= MOST_FILES || self.bytes >= MOST_BYTES
    }
}

/// What became of a file that is to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Made {
    /// It is on the stage.
    Staged,
    /// What is there is right.
    IsRight,
}

/// Whether the step writes a file.
pub(super) fn writes_a_file(step: &Step) -> bool {
    matches!(step, Step::WritePath { entry, .. } if matches!(entry.kind, PathKind::File { .. }))
}

impl Hands<'_> {
    /// Makes the file of `step` beside its place and puts it on `stage`; not if what is there is right already.
    ///
    /// Also where only owner or mode differ: a new file has both from its first moment, and another name that somebody gave
    /// to this one is not touched.
    pub(super) fn make(
        &mut self,
        (index, step): (usize, &Step),
        stage: &mut Stage,
        journal: &mut Journal,
    ) -> Result<Made, HostFailure> {
        let Step::WritePath {
            path,
            entry,
            change,
            found,
        } = step
        else {
            return Ok(Made::IsRight);
        };
        let seen = self.see(path, entry, (*change, found), journal)?;
        let (
            Some(seen),
            PathKind::File {
                content,
                owner,
                group,
                mode,
            },
        ) = (seen, &entry.kind)
        else {
            return Ok(Made::IsRight);
        };
        let owner = self.owner(path, owner, group)?;
        let (owner, mode) = self.spared(path, &seen.real, (owner, *mode));
        let content = self.content(path, content, (&seen.real, &seen.now))?;
        let image = FileImage {
            content: &content,
            owner,
            mode,
            attributes: &attributes(entry, seen.original.as_ref()),
        };
        let file = self.bench.host.stage_file(path, image, seen.over())?;
        stage.bytes += content.len() as u64;
        stage.files.push(Staged {
            index,
            path: path.clone(),
            file,
            replaced: seen.real,
        });
        Ok(Made::Staged)
    }

    /// Puts what is on `stage` on disk.
    pub(super) fn sync_stage(&self, stage: &Stage) -> Result<(), HostFailure> {
        let files: Vec<&StagedFile> = stage.files.iter().map(|staged| &staged.file).collect();
        Ok(self.bench.host.sync_staged(&files)?)
    }

    /// Puts a file that is on disk in its place, unless somebody changed what it replaces since it was made.
    pub(super) fn place(&mut self, staged: Staged) -> Result<(), HostFailure> {
        let Staged {
            path,
            file,
            replaced,
            ..
        } = staged;
        let host = self.bench.host;
        let in_the_way = match host.look(&path) {
            Ok(now) if now == replaced => None,
            Ok(now) => Some(HostFailure::Raced {
                path: path.clone(),
                now: words(&now),
            }),
            Err(error) => Some(error.into()),
        };
        if let Some(failure) = in_the_way {
            host.discard_staged(file);
            return Err(failure);
        }
        host.place_staged(file)?;
        self.written(&path);
        Ok(())
    }

    /// Takes away what is on a stage and is not to come into its place.
    pub(super) fn discard(&self, files: impl IntoIterator<Item = Staged>) {
        for staged in files {
            self.bench.host.discard_staged(staged.file);
        }
    }
}
