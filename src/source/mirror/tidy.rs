//! Keeps the mirror small and on disk: every fetch leaves a pack, and many packs become one.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::File;
use std::path::PathBuf;

use git2::Oid;

use super::{Foreign, Mirror, MirrorError};

/// From so many packs on they are put together; a lookup asks each of them.
pub(super) const PACKS: usize = 50;

impl Mirror {
    /// Takes away what a killed process left in the middle of writing: locks, which nobody would ever release, and
    /// unfinished packs.
    ///
    /// Only for whoever alone writes to the mirror: the files of a process that is alive look the same.
    ///
    /// # Errors
    /// [`MirrorError`] if one of them stays.
    pub fn sweep(&self) -> Result<(), MirrorError> {
        self.leavings()
            .and_then(|files| files.iter().try_for_each(std::fs::remove_file))
            .map_err(|error| MirrorError {
                action: "sweep",
                path: self.path().to_owned(),
                detail: error.to_string(),
                foreign: Foreign::No,
            })
    }

    fn leavings(&self) -> Result<Vec<PathBuf>, std::io::Error> {
        let git = self.repository.path();
        let mut found = Vec::new();
        let packs = self.pack_folder();
        let named = ["", "refs", "refs/steadfast", "refs/steadfast/inputs"];
        let folders = named.iter().map(|folder| git.join(folder));
        for folder in folders.chain([packs.clone()]) {
            let entries = match std::fs::read_dir(&folder) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                entries => entries?,
            };
            for entry in entries {
                let entry = entry?;
                let path = entry.path();
                let extension = path.extension().and_then(OsStr::to_str).unwrap_or_default();
                let is_leaving = if folder == packs {
                    !["pack", "idx"].contains(&extension)
                } else {
                    extension == "lock"
                };
                if is_leaving && entry.file_type()?.is_file() {
                    found.push(path);
                }
            }
        }
        Ok(found)
    }

    /// Waits until packs and indexes that were not there `before` are on the disk; libgit2 does not.
    pub(super) fn sync_packs(&self, before: &BTreeSet<PathBuf>) -> Result<(), std::io::Error> {
        for file in self.pack_files()?.difference(before) {
            File::open(file)?.sync_all()?;
        }
        match File::open(self.pack_folder()) {
            Ok(folder) => folder.sync_all(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Puts everything below `roots` into one pack and removes the others, once there are many.
    ///
    /// Objects that are no longer below a root (a branch that was rewritten) go with them.
    pub(super) fn tidy(&self, roots: &[Oid]) -> Result<(), git2::Error> {
        let io = |error: std::io::Error| git2::Error::from_str(&error.to_string());
        let before = self.pack_files().map_err(io)?;
        if before
            .iter()
            .filter(|file| file.extension() == Some(OsStr::new("pack")))
            .count()
            < PACKS
        {
            return Ok(());
        }
        let mut walk = self.repository.revwalk()?;
        for root in roots {
            walk.push(*root)?;
        }
        let mut builder = self.repository.packbuilder()?;
        builder.insert_walk(&mut walk)?;
        builder.write(&self.pack_folder(), 0o400)?;
        self.sync_packs(&before).map_err(io)?;
        let kept = format!("pack-{}", builder.name()?.unwrap_or_default());
        for file in before
            .iter()
            .filter(|file| file.file_stem() != Some(OsStr::new(&kept)))
        {
            std::fs::remove_file(file).map_err(io)?;
        }
        Ok(())
    }

    fn pack_folder(&self) -> PathBuf {
        self.repository.path().join("objects/pack")
    }

    /// Packs and what belongs to them; an index comes before its pack, so that no index is ever without.
    pub(super) fn pack_files(&self) -> Result<BTreeSet<PathBuf>, std::io::Error> {
        let folder = match std::fs::read_dir(self.pack_folder()) {
            Ok(folder) => folder,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(BTreeSet::new());
            }
            Err(error) => return Err(error),
        };
        let mut files = BTreeSet::new();
        for entry in folder {
            let path = entry?.path();
            let is_pack = path
                .extension()
                .is_some_and(|ext| ext == "pack" || ext == "idx");
            if is_pack {
                files.insert(path);
            }
        }
        Ok(files)
    }
}
