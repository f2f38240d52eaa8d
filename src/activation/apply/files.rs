//! Files that are written one after the other: all made whole beside their places and put on disk together, then renamed in
//! their order. On a disk that takes a while to sync, that is where the time of an activation goes.

use super::super::failure::HostFailure;
use super::super::journal::Journal;
use super::super::plan::{attributes, words};
use super::paths::{Sight, content};
use super::{Hands, Step};
use crate::generation::PathKind;
use crate::host::{Attributes, Digest, FileImage, FileMode, HostPath, Owner, StagedFile, abreast};

/// Most files that are made before the first of them is in its place. File systems are slow to make files where others were
/// just replaced.
const MOST_FILES: usize = 1024;
/// Most bytes of them, but for the last: they take room twice.
pub(in super::super) const MOST_BYTES: u64 = 16 * 1024 * 1024;

/// A file that is to be made.
pub(super) struct Wanted {
    /// The place of its step.
    pub(super) index: usize,
    path: HostPath,
    content: Digest,
    owner: Owner,
    mode: FileMode,
    attributes: Attributes,
    /// What it takes the place of.
    seen: Sight,
}

/// Files that are to be made together.
#[derive(Default)]
pub(super) struct Stage {
    wanted: Vec<Wanted>,
    bytes: u64,
}

impl Stage {
    /// What is on it, in the order of the steps.
    pub(super) fn clear(&mut self) -> Vec<Wanted> {
        self.bytes = 0;
        std::mem::take(&mut self.wanted)
    }

    /// Whether no more should be made before these are in their places.
    pub(super) fn is_full(&self) -> bool {
        self.wanted.len() >= MOST_FILES || self.bytes >= MOST_BYTES
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
    /// Puts the file of `step` on `stage`; not if what is there is right already.
    ///
    /// Also where only owner or mode differ: a new file has both from its first moment, and another name that somebody gave
    /// to this one is not touched.
    pub(super) fn want(
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
        stage.bytes += self.bench.store.object_bytes(content)?;
        stage.wanted.push(Wanted {
            index,
            path: path.clone(),
            content: content.clone(),
            owner,
            mode,
            attributes: attributes(entry, seen.original.as_ref()),
            seen,
        });
        Ok(Made::Staged)
    }

    /// Makes all of `wanted` beside their places, on disk.
    pub(super) fn make(&self, wanted: &[Wanted]) -> Vec<Result<StagedFile, HostFailure>> {
        let (host, store) = (self.bench.host, self.bench.store);
        abreast(wanted, |file| {
            let Wanted { path, seen, .. } = file;
            let content = content((host, store), path, &file.content, seen)?;
            let image = FileImage {
                content: &content,
                owner: file.owner,
                mode: file.mode,
                attributes: &file.attributes,
            };
            Ok(host.stage_file(path, image, seen.over())?)
        })
    }

    /// Puts a file that is on disk in its place, unless somebody changed what it replaces since it was made.
    pub(super) fn place(&mut self, wanted: &Wanted, file: StagedFile) -> Result<(), HostFailure> {
        let Wanted { path, seen, .. } = wanted;
        let host = self.bench.host;
        let in_the_way = match host.look(path) {
            Ok(now) if now == seen.real => None,
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
        self.written(path);
        Ok(())
    }

    /// Takes away what was made and is not to come into its place.
    pub(super) fn discard(&self, files: impl IntoIterator<Item = StagedFile>) {
        for file in files {
            self.bench.host.discard_staged(file);
        }
    }
}
