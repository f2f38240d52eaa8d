//! Many files replaced together: all of them or none, also when the process is killed in between.
//!
//! 1. A record of what is meant goes to disk, in the stage [`Preparing`](Stage::Preparing).
//! 2. Every new text is written beside its file; one sync puts them all on disk.
//! 3. The record goes to the stage [`Replacing`](Stage::Replacing): from here on it will be done.
//! 4. Every text is renamed to its file, files to be removed are removed, and the record goes away.
//!
//! Whoever finds a record that nobody is working on undoes it before step 3, and finishes it after.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::host::{Digest, FileError, FileMode, durable};
use crate::host::{Watcher, for_each};
use crate::secrets::repository::Repository;
use crate::source::RepoPath;

/// The record, beside `.sops.yaml`.
pub(super) const RECORD: &str = ".steadfast-rekey.json";
const RECORD_VERSION: u32 = 1;
const LARGEST_RECORD_BYTES: u64 = 64 * 1024 * 1024;
const MODE: FileMode = FileMode::from_bits(0o644);
const DIRECTORY_MODE: FileMode = FileMode::from_bits(0o755);

/// What a file is to become.
#[derive(Debug, Clone)]
pub(super) struct Replacement {
    pub(super) file: RepoPath,
    /// What is there now; `None` if nothing is.
    pub(super) before: Option<Vec<u8>>,
    /// What shall be there; `None` if nothing.
    pub(super) after: Option<Vec<u8>>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Record {
    version: u32,
    stage: Stage,
    files: Vec<Recorded>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Stage {
    Preparing,
    Replacing,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Recorded {
    file: RepoPath,
    /// The name beside the file under which its new text lies; `None` if the file is to be removed.
    temporary: Option<String>,
    /// SHA-256 of what was there.
    before: Option<Digest>,
}

/// How an interrupted run was dealt with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recovered {
    /// Nothing had been replaced; its texts are removed.
    Undone,
    /// The rest was replaced.
    Finished {
        /// Files that somebody changed since; they were left as they are.
        left: Vec<RepoPath>,
    },
}

/// Files that could not be replaced.
#[derive(Debug, thiserror::Error)]
pub enum TransactionError {
    /// Writing, before anything was replaced.
    #[error("nothing was changed")]
    Prepare(#[source] Box<FileError>),
    /// Somebody changed a file meanwhile; nothing was replaced.
    #[error("nothing was changed: {file} was changed by somebody else meanwhile")]
    Changed {
        /// The file.
        file: RepoPath,
    },
    /// Renaming. What was replaced before was put back.
    #[error("nothing was changed: {file} cannot be replaced")]
    Replace {
        /// The file.
        file: RepoPath,
        /// Why not.
        source: Box<FileError>,
    },
    /// Renaming, and what was replaced before could not be put back; the next run goes on from here.
    #[error("it stopped halfway at {file}, and could not go back")]
    Halfway {
        /// The file.
        file: RepoPath,
        /// Why not.
        source: Box<FileError>,
    },
    /// A record that cannot be read.
    #[error("{} is not a record of an interrupted rekey: {reason}", path.display())]
    Record {
        /// The record.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

impl TransactionError {
    fn before(error: FileError) -> Self {
        Self::Prepare(Box::new(error))
    }

    /// How to go on.
    #[must_use]
    pub fn fix(&self) -> Option<String> {
        match self {
            Self::Prepare(error) | Self::Replace { source: error, .. } => error.hint(),
            Self::Changed { .. } => Some("try again".to_owned()),
            Self::Halfway { source, .. } => Some(format!(
                "{}then run the same command again: it goes on from there",
                source.hint().map(|hint| hint + ", ").unwrap_or_default()
            )),
            Self::Record { path, .. } => Some(format!(
                "look at `git status`, and remove {} when the files are as they should be",
                path.display()
            )),
        }
    }
}

/// A moment at which a process may be killed; tests stop there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    Recorded,
    Prepared,
    Decided,
    Replaced(usize),
}

/// `Err` is being killed: nothing is tidied up.
pub(super) type Killer<'a> = &'a dyn Fn(Moment) -> Result<(), Killed>;

/// The process is gone.
#[derive(Debug)]
pub(super) struct Killed;

enum Stop {
    Error(TransactionError),
    Killed,
}

impl From<Killed> for Stop {
    fn from(_: Killed) -> Self {
        Self::Killed
    }
}

impl From<TransactionError> for Stop {
    fn from(error: TransactionError) -> Self {
        Self::Error(error)
    }
}

/// Replaces all of `changes`, or none. The caller holds the locks.
///
/// # Errors
/// [`TransactionError`].
pub(super) fn replace_all(
    repository: &Repository,
    changes: &[Replacement],
    watcher: Watcher<'_>,
) -> Result<(), TransactionError> {
    match run(repository, changes, watcher, &|_moment| Ok(())) {
        Err(Stop::Error(error)) => Err(error),
        // Nobody kills it but tests.
        Ok(()) | Err(Stop::Killed) => Ok(()),
    }
}

fn run(
    repository: &Repository,
    changes: &[Replacement],
    watcher: Watcher<'_>,
    killer: Killer<'_>,
) -> Result<(), Stop> {
    if changes.is_empty() {
        return Ok(());
    }
    let mut record = Record::of(repository, changes);
    record.write(repository).map_err(TransactionError::before)?;
    killer(Moment::Recorded)?;
    let prepared = prepare(repository, changes, &record, watcher);
    if let Err(error) = prepared {
        undo(repository, &record);
        return Err(error.into());
    }
    killer(Moment::Prepared)?;
    record.stage = Stage::Replacing;
    if let Err(error) = record.write(repository) {
        record.stage = Stage::Preparing;
        undo(repository, &record);
        return Err(TransactionError::before(error).into());
    }
    killer(Moment::Decided)?;
    for (index, (recorded, change)) in record.files.iter().zip(changes).enumerate() {
        if let Err(source) = place(repository, recorded) {
            return Err(go_back(repository, changes, (index, change, source), &record).into());
        }
        killer(Moment::Replaced(index))?;
    }
    settle(repository, &record).map_err(|source| TransactionError::Halfway {
        file: record.files[0].file.clone(),
        source: Box::new(source),
    })?;
    Ok(())
}

/// Writes all new texts beside their files and puts them on disk; then looks whether the files still are what they were.
fn prepare(
    repository: &Repository,
    changes: &[Replacement],
    record: &Record,
    watcher: Watcher<'_>,
) -> Result<(), TransactionError> {
    let pairs: Vec<(&Recorded, &Replacement)> = record.files.iter().zip(changes).collect();
    let written = for_each(&pairs, ("writing", watcher), |(recorded, change)| {
        let path = repository.path(&recorded.file);
        let (Some(temporary), Some(after)) = (recorded.temporary(repository), &change.after) else {
            return Ok(());
        };
        if let (None, Some(parent)) = (&change.before, path.parent()) {
            durable::make_directories(parent, DIRECTORY_MODE)?;
        }
        durable::write_beside(&temporary, &path, after, MODE)
    });
    for result in written {
        result.map_err(TransactionError::before)?;
    }
    durable::syncfs(repository.root()).map_err(TransactionError::before)?;
    let checked = for_each(&pairs, ("checking", watcher), |(_, change)| {
        let now = repository.read(&change.file);
        now.map(|now| (now != change.before).then(|| change.file.clone()))
    });
    for result in checked {
        if let Some(file) = result.map_err(TransactionError::before)? {
            return Err(TransactionError::Changed { file });
        }
    }
    Ok(())
}

/// One file becomes what it shall be; done twice it is the same.
fn place(repository: &Repository, recorded: &Recorded) -> Result<(), FileError> {
    let path = repository.path(&recorded.file);
    match recorded.temporary(repository) {
        Some(temporary) => durable::put_in_place(&temporary, &path),
        None => durable::remove(&path),
    }
}

/// Puts everything on disk and forgets the record.
fn settle(repository: &Repository, record: &Record) -> Result<(), FileError> {
    for directory in record.directories(repository) {
        durable::sync_directory(&directory)?;
    }
    durable::remove(&record_path(repository))
}

/// A file could not be replaced: those before it get their old text back.
fn go_back(
    repository: &Repository,
    changes: &[Replacement],
    (index, change, source): (usize, &Replacement, FileError),
    record: &Record,
) -> TransactionError {
    let file = change.file.clone();
    for earlier in &changes[..index] {
        let restored = match &earlier.before {
            Some(before) => repository.replace(&earlier.file, before),
            None => durable::remove(&repository.path(&earlier.file)),
        };
        if restored.is_err() {
            // The record stays, so that the next run finishes what could not be taken back.
            return TransactionError::Halfway {
                file,
                source: Box::new(source),
            };
        }
    }
    undo(repository, record);
    TransactionError::Replace {
        file,
        source: Box::new(source),
    }
}

/// Takes the texts beside the files away, then the record.
fn undo(repository: &Repository, record: &Record) {
    for recorded in &record.files {
        if let Some(temporary) = recorded.temporary(repository) {
            // What cannot be removed is ciphertext under a name of ours; the error before counts.
            let _ = std::fs::remove_file(temporary);
        }
        if recorded.before.is_none()
            && let Some(parent) = repository.path(&recorded.file).parent()
        {
            // Only a directory that is empty goes: one that was made for a file that did not come.
            let _ = std::fs::remove_dir(parent);
        }
    }
    let _ = durable::remove(&record_path(repository));
}

/// Whether an interrupted run left something.
#[must_use]
pub fn is_interrupted(repository: &Repository) -> bool {
    record_path(repository).exists()
}

/// Finishes or undoes what an interrupted run left. The caller holds the lock of `.sops.yaml`.
///
/// # Errors
/// [`TransactionError`]; the record is still there.
pub(super) fn recover(repository: &Repository) -> Result<Option<Recovered>, TransactionError> {
    let path = record_path(repository);
    let Some(text) =
        durable::read(&path, LARGEST_RECORD_BYTES).map_err(TransactionError::before)?
    else {
        return Ok(None);
    };
    let invalid = |reason: String| TransactionError::Record {
        path: path.clone(),
        reason,
    };
    let record: Record =
        serde_json::from_slice(&text).map_err(|error| invalid(error.to_string()))?;
    if record.version != RECORD_VERSION {
        return Err(invalid(format!(
            "it is of version {}, and this program knows {RECORD_VERSION}",
            record.version
        )));
    }
    if !record.files.iter().all(Recorded::is_ours) {
        return Err(invalid("it names files that are not temporary".to_owned()));
    }
    if record.stage == Stage::Preparing {
        undo(repository, &record);
        return Ok(Some(Recovered::Undone));
    }
    let mut left = Vec::new();
    for recorded in &record.files {
        let halfway = |source| TransactionError::Halfway {
            file: recorded.file.clone(),
            source: Box::new(source),
        };
        let temporary = recorded.temporary(repository);
        if temporary.as_ref().is_some_and(|path| !path.exists()) {
            continue;
        }
        let now = repository.read(&recorded.file).map_err(halfway)?;
        if now.as_deref().map(Digest::of) == recorded.before {
            place(repository, recorded).map_err(halfway)?;
        } else if let Some(temporary) = temporary {
            durable::remove(&temporary).map_err(halfway)?;
            left.push(recorded.file.clone());
        }
    }
    if let Some(first) = record.files.first() {
        settle(repository, &record).map_err(|source| TransactionError::Halfway {
            file: first.file.clone(),
            source: Box::new(source),
        })?;
    }
    Ok(Some(Recovered::Finished { left }))
}

fn record_path(repository: &Repository) -> PathBuf {
    repository.root().join(RECORD)
}

impl Record {
    fn of(repository: &Repository, changes: &[Replacement]) -> Self {
        let files = changes.iter().map(|change| Recorded {
            file: change.file.clone(),
            temporary: change.after.as_ref().and_then(|_| {
                let temporary = durable::temporary_beside(&repository.path(&change.file));
                Some(temporary.file_name()?.to_str()?.to_owned())
            }),
            before: change.before.as_deref().map(Digest::of),
        });
        Self {
            version: RECORD_VERSION,
            stage: Stage::Preparing,
            files: files.collect(),
        }
    }

    fn write(&self, repository: &Repository) -> Result<(), FileError> {
        // Names and digests always are JSON.
        let text = serde_json::to_vec_pretty(self).unwrap_or_default();
        durable::replace(&record_path(repository), &text, MODE)
    }

    fn directories(&self, repository: &Repository) -> BTreeSet<PathBuf> {
        let parents = self
            .files
            .iter()
            .filter_map(|recorded| Some(repository.path(&recorded.file).parent()?.to_owned()));
        parents.filter(|directory| directory.exists()).collect()
    }
}

impl Recorded {
    fn temporary(&self, repository: &Repository) -> Option<PathBuf> {
        let name = self.temporary.as_ref()?;
        Some(repository.path(&self.file).with_file_name(name))
    }

    /// Whether the temporary name is one that this program gives, so that a record from elsewhere removes nothing else.
    fn is_ours(&self) -> bool {
        self.temporary.as_deref().is_none_or(durable::is_temporary)
    }
}

#[cfg(test)]
mod tests;
