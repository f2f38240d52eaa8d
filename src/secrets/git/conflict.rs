//! The three versions that git keeps of a path whose merge is not finished.

use super::worktree::{GitError, Worktree};

/// What git's index has of a path in conflict.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stages {
    /// The common ancestor; nothing if both sides made the file.
    pub base: Option<Vec<u8>>,
    /// Ours; nothing if we removed it.
    pub ours: Option<Vec<u8>>,
    /// Theirs; nothing if they removed it.
    pub theirs: Option<Vec<u8>>,
}

/// The versions of the file that git names `name`; nothing if it is not in conflict.
pub fn stages(worktree: &Worktree, name: &str) -> Result<Option<Stages>, GitError> {
    let index = worktree.index()?;
    let at = |stage| -> Result<Option<Vec<u8>>, GitError> {
        let entry = index.get_path(std::path::Path::new(name), stage);
        entry.map_or(Ok(None), |entry| worktree.blob(entry.id))
    };
    let stages = Stages {
        base: at(1)?,
        ours: at(2)?,
        theirs: at(3)?,
    };
    Ok((stages != Stages::default()).then_some(stages))
}
