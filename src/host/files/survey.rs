//! Looking at many managed files: of those that did not change, by directory.

use std::collections::{BTreeMap, BTreeSet};

use rustix::fs::{AtFlags, FileType, OFlags, statat};

use crate::host::parallel::for_each;
use crate::host::{Attributes, FileError, FileMode, Host, HostPath, PathState};

/// So many are looked at by one thread before it takes the next: enough to be worth opening their directory, and few
/// enough that one large directory keeps all threads busy.
const TOGETHER: usize = 128;

impl Host {
    /// What is at each of `paths`, each as [`look`](Self::look) says it, on all processors. Files that are known to be
    /// as they were are asked for in their directory, which is opened once for all of them.
    ///
    /// # Errors
    /// [`FileError`] of the first that cannot be read.
    pub fn look_at_all(
        &self,
        paths: BTreeSet<HostPath>,
    ) -> Result<BTreeMap<HostPath, PathState>, FileError> {
        let paths: Vec<HostPath> = paths.into_iter().collect();
        let groups: Vec<&[HostPath]> = paths
            .chunk_by(|one, next| directory(one) == directory(next))
            .flat_map(|neighbours| neighbours.chunks(TOGETHER))
            .collect();
        let states = for_each(&groups, ("looking", &|_step| ()), |neighbours| {
            let mut known = self.known_in_directory(neighbours);
            let look = |(path, known): (_, &mut Option<PathState>)| match known.take() {
                Some(state) => Ok(state),
                None => self.look(path),
            };
            neighbours.iter().zip(&mut known).map(look).collect()
        });
        let states: Vec<Result<PathState, FileError>> =
            states.into_iter().flat_map(|group: Vec<_>| group).collect();
        let found = paths.into_iter().zip(states);
        found.map(|(path, state)| Ok((path, state?))).collect()
    }

    /// Of `neighbours`, paths in one directory, those that are regular files as they were when they were read; `None` for
    /// what is to be looked at by itself.
    fn known_in_directory(&self, neighbours: &[HostPath]) -> Vec<Option<PathState>> {
        let nothing = || vec![None; neighbours.len()];
        let [first, _, ..] = neighbours else {
            // Nothing is shared.
            return nothing();
        };
        let (Some(seen), Some(parent)) = (&self.seen, first.parent()) else {
            return nothing();
        };
        let Ok(parent) = self.root.open(&parent, OFlags::PATH | OFlags::DIRECTORY) else {
            // What is in the way is told as for any path.
            return nothing();
        };
        let look = |path: &HostPath| {
            let found = statat(&parent, path.file_name(), AtFlags::SYMLINK_NOFOLLOW).ok()?;
            if FileType::from_raw_mode(found.st_mode) != FileType::RegularFile {
                return None;
            }
            Some(PathState::File {
                content: seen.content(&found)?,
                mode: FileMode::from_bits(found.st_mode),
                owner: self.owner_of(&found),
                attributes: Attributes::default(),
            })
        };
        neighbours.iter().map(look).collect()
    }
}

/// The directory that holds `path`, with its slash.
fn directory(path: &HostPath) -> &str {
    let whole = path.as_str();
    &whole[..whole.len() - path.file_name().len()]
}

#[cfg(test)]
mod tests;
