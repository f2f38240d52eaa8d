//! git's own merge of lines, for files that are not encrypted though they go through the driver.

use git2::{FileFavor, IndexEntry, IndexTime, MergeFileOptions};

use super::driver::{MergeInput, Resolve};
use super::worktree::{GitError, Worktree};
use crate::sops::{Markers, Side};

impl Worktree {
    /// The lines of both sides, and whether nothing is in conflict.
    pub fn merge_lines(
        &self,
        input: &MergeInput<'_>,
        resolve: Resolve,
    ) -> Result<(Vec<u8>, bool), GitError> {
        let mut options = MergeFileOptions::new();
        options.our_label("ours").their_label("theirs");
        let size = match resolve {
            Resolve::Mark(markers) => markers.size,
            Resolve::For(Side::Ours) => {
                options.favor(FileFavor::Ours);
                Markers::default().size
            }
            Resolve::For(Side::Theirs) => {
                options.favor(FileFavor::Theirs);
                Markers::default().size
            }
        };
        options.marker_size(u16::try_from(size).unwrap_or(u16::MAX));
        let entry = |text: &[u8]| self.entry(text);
        let merged = self.git.merge_file_from_index(
            &entry(input.base.unwrap_or_default())?,
            &entry(input.ours)?,
            &entry(input.theirs)?,
            Some(&mut options),
        );
        let merged = merged.map_err(GitError::git("merge the lines of a file"))?;
        Ok((merged.content().to_vec(), merged.is_automergeable()))
    }

    /// A text as libgit2 wants it for a merge: in the object database, where git has these texts already.
    fn entry(&self, text: &[u8]) -> Result<IndexEntry, GitError> {
        let id = self
            .git
            .blob(text)
            .map_err(GitError::git("write to git's object database"))?;
        Ok(IndexEntry {
            ctime: IndexTime::new(0, 0),
            mtime: IndexTime::new(0, 0),
            dev: 0,
            ino: 0,
            mode: 0o100_644,
            uid: 0,
            gid: 0,
            file_size: 0,
            id,
            flags: 0,
            flags_extended: 0,
            path: b"file".to_vec(),
        })
    }
}
