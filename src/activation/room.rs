//! Whether there is room for what a plan writes, asked before anything changes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::apply::STAGED_BYTES;
use super::failure::HostFailure;
use super::journal::{RESERVE_BYTES, reserved_bytes};
use super::transaction::ActivateError;
use super::{Plan, Step};
use crate::generation::{PathKind, Store};
use crate::host::{Host, HostPath, PathState, Room, Surroundings, room_in};

/// The plan itself, its journal until the reserve is freed, and records that are replaced.
const RECORDS_BYTES: u64 = 1024 * 1024;
const RECORDS_FILES: u64 = 16;

/// A file system that is too full.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the file system of {} has room for {free} {what}, and {needed} are needed", path.display())]
pub struct NoRoom {
    /// A path on it.
    pub path: PathBuf,
    /// What is short: `bytes` or `more files`.
    pub what: &'static str,
    /// How many are left.
    pub free: u64,
    /// How many the plan takes, with what is kept for the way back.
    pub needed: u64,
}

impl NoRoom {
    /// How to go on.
    #[must_use]
    pub fn hint(&self) -> String {
        format!(
            "make room there (`df -h {0}`, `df -i {0}`), then run `steadfast reconcile now`",
            self.path.display()
        )
    }
}

/// What is needed on one file system.
struct Need {
    path: PathBuf,
    room: Room,
    bytes: u64,
    /// The largest file that is replaced, and all of them: some are there twice for a moment.
    largest_bytes: u64,
    replaced_bytes: u64,
    files: u64,
}

impl Need {
    fn on(path: PathBuf, room: Room) -> Self {
        Self {
            path,
            room,
            bytes: 0,
            largest_bytes: 0,
            replaced_bytes: 0,
            files: 1,
        }
    }

    fn write(&mut self, new_bytes: u64, old_bytes: u64) {
        let whole = |bytes: u64| bytes.div_ceil(self.room.block_bytes) * self.room.block_bytes;
        let (new, old) = (whole(new_bytes), whole(old_bytes));
        self.bytes += new.saturating_sub(old);
        self.largest_bytes = self.largest_bytes.max(new.min(old));
        self.replaced_bytes += new.min(old);
    }

    /// What is there twice for a moment: the files that are made together.
    fn twice_bytes(&self) -> u64 {
        self.replaced_bytes.min(STAGED_BYTES + self.largest_bytes)
    }

    fn check(self) -> Result<(), NoRoom> {
        let needed = self.bytes + self.twice_bytes();
        let Self { path, room, .. } = self;
        if needed > room.bytes {
            return Err(NoRoom {
                path,
                what: "bytes",
                free: room.bytes,
                needed,
            });
        }
        match room.files {
            Some(free) if self.files > free => Err(NoRoom {
                path,
                what: "more files",
                free,
                needed: self.files,
            }),
            _ => Ok(()),
        }
    }
}

/// Whether every file system has room for what `plan` writes there, and that of `store` for the way back besides.
///
/// What packages bring is apt's to count.
pub(super) fn check(host: &Host, store: &Store, plan: &Plan) -> Result<(), ActivateError> {
    let keep = |error| ActivateError::Keep(HostFailure::from(error));
    let mut needs = BTreeMap::new();
    let state = room_in(store.root()).map_err(keep)?;
    let mut records = Need::on(store.root().to_owned(), state);
    records.bytes = RECORDS_BYTES + RESERVE_BYTES.saturating_sub(reserved_bytes(store));
    records.files = RECORDS_FILES;
    needs.insert(state.device, records);
    // Steps are in the order of their paths, so that one directory comes after the other.
    let mut around: Option<(Option<HostPath>, Surroundings)> = None;
    for step in &plan.steps {
        let Step::WritePath {
            path, entry, found, ..
        } = step
        else {
            continue;
        };
        let parent = path.parent();
        let (_, there) = match &mut around {
            Some(last) if last.0 == parent => last,
            last => last.insert((parent, host.around(path).map_err(keep)?)),
        };
        let room = there.room;
        let need = needs
            .entry(room.device)
            .or_insert_with(|| Need::on(directory_of(host, path), room));
        if *found == PathState::Absent {
            need.files += 1;
        }
        match &entry.kind {
            PathKind::File { content, .. } => {
                need.write(store.object_bytes(content)?, there.bytes_of(path));
            }
            PathKind::Directory { .. } | PathKind::Symlink { .. } => need.write(1, 0),
        }
    }
    let checked = needs.into_values().try_for_each(Need::check);
    checked.map_err(ActivateError::NoRoom)
}

/// A directory that is there, above what is to be.
fn directory_of(host: &Host, path: &HostPath) -> PathBuf {
    let real = host.real_path(path);
    let there = real.ancestors().skip(1).find(|above| above.is_dir());
    there.map_or_else(|| host.root().to_owned(), Path::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn need(bytes: u64, files: Option<u64>) -> Need {
        let room = Room {
            device: 1,
            bytes,
            files,
            block_bytes: 4096,
        };
        Need::on(PathBuf::from("/etc/app"), room)
    }

    #[test]
    fn files_take_whole_blocks_and_a_replaced_one_is_there_twice_for_a_moment() {
        let mut need = need(4 * 4096, None);
        need.write(1, 0);
        need.write(4097, 8000);
        assert_eq!((need.bytes, need.twice_bytes()), (4096, 8192));
        assert_eq!(need.check(), Ok(()));
    }

    #[test]
    fn too_few_bytes_or_files_are_told_with_both_figures() {
        let mut full = need(4096, None);
        full.write(4097, 0);
        let error = full.check().unwrap_err();
        assert_eq!(
            error.to_string(),
            "the file system of /etc/app has room for 4096 bytes, and 8192 are needed"
        );
        assert!(error.hint().contains("df -h /etc/app"));
        let mut full = need(1 << 20, Some(3));
        full.files = 4;
        assert_eq!(
            full.check().unwrap_err().to_string(),
            "the file system of /etc/app has room for 3 more files, and 4 are needed"
        );
    }
}
