//! The memory of a transaction: the plan as a whole before the first change, then a line for everything that happens.
//!
//! `transactions/ID/plan.json` holds what was decided, `transactions/ID/journal` one record per line behind a checksum,
//! and the link `transactions/open` names the transaction that is not over. A torn last line is what a power cut leaves;
//! it is ignored. Names, digests and reasons only, never contents.

mod history;
mod record;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Phase;
use crate::generation::Store;
use crate::host::{FileError, FileMode, clock, durable};

pub use history::{Past, past};
pub use record::{Entry, Line, Record, TransactionId};
use record::{RECORD_VERSION, decode, encode};

const DIRECTORY: &str = "transactions";
const OPEN: &str = "open";
const PLAN: &str = "plan.json";
const JOURNAL: &str = "journal";

/// More than any plan; a file above it is not one of ours.
const LIMIT_BYTES: u64 = 256 * 1024 * 1024;

/// How many closed transactions are kept to look at.
const KEEP: usize = 20;

/// A journal that cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file system refused.
    #[error("cannot {action} the transaction journal")]
    File {
        /// What was attempted.
        action: &'static str,
        /// Why not.
        #[source]
        source: FileError,
    },
    /// The directory of transactions cannot be listed.
    #[error("cannot list {}", path.display())]
    List {
        /// The directory.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// What was decided cannot be read back.
    #[error("the open transaction {} is damaged: {reason}", path.display())]
    Damaged {
        /// Its directory.
        path: PathBuf,
        /// What does not fit.
        reason: String,
    },
}

impl JournalError {
    /// How to go on.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::File { source, .. } => source.hint(),
            Self::List { .. } => None,
            Self::Damaged { path, .. } => Some(format!(
                "nothing was changed; look at {}, put the host right by hand, then remove the link `{OPEN}` beside it",
                path.display()
            )),
        }
    }
}

/// An open transaction.
#[derive(Debug)]
pub struct Journal {
    directory: PathBuf,
    file: fs::File,
    /// What was decided.
    pub record: Record,
    phase: Phase,
}

/// How much is to be on disk when a write returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// On disk: phases, and steps that must not be repeated blindly.
    Synced,
    /// In the kernel: enough for a kill; a power cut may lose it, and every unit starts anew then anyway.
    Written,
}

impl Journal {
    /// Writes down what was decided and opens the transaction in [`Phase::Prepared`].
    pub fn create(store: &Store, record: Record) -> Result<Self, JournalError> {
        let root = store.root().join(DIRECTORY);
        let id = next_id(&root)?;
        let directory = root.join(id.to_string());
        make_directory(&directory)?;
        let record = Record { id, ..record };
        let text = serde_json::to_vec_pretty(&record).map_err(|error| JournalError::Damaged {
            path: directory.clone(),
            reason: error.to_string(),
        })?;
        durable::replace(&directory.join(PLAN), &text, private()).map_err(file("write"))?;
        let first = encode(clock::now_secs(), &Entry::Phase(Phase::Prepared));
        let path = directory.join(JOURNAL);
        durable::append(&path, first.as_bytes(), private()).map_err(file("write"))?;
        durable::replace_link(&root.join(OPEN), Path::new(&id.to_string()))
            .map_err(file("open"))?;
        let file = append_to(&path)?;
        let journal = Self {
            directory,
            file,
            record,
            phase: Phase::Prepared,
        };
        journal.forget_old();
        Ok(journal)
    }

    /// The transaction that is not over, with everything that was recorded; `None` if there is none.
    pub fn open(store: &Store) -> Result<Option<(Self, Vec<Entry>)>, JournalError> {
        let root = store.root().join(DIRECTORY);
        let Some(directory) = open_directory(&root)? else {
            return Ok(None);
        };
        let record = read_record(&directory)?;
        let path = directory.join(JOURNAL);
        let text = durable::read(&path, LIMIT_BYTES)
            .map_err(file("read"))?
            .unwrap_or_default();
        let (entries, whole_bytes) = decode(&text);
        let file = append_to(&path)?;
        // What follows a torn line would be taken for a part of it.
        file.set_len(whole_bytes)
            .map_err(|source| JournalError::List {
                path: path.clone(),
                source,
            })?;
        let phase = entries.iter().rev().find_map(|entry| match entry {
            Entry::Phase(phase) => Some(phase.clone()),
            _ => None,
        });
        let journal = Self {
            directory,
            file,
            record,
            phase: phase.unwrap_or(Phase::Prepared),
        };
        Ok(Some((journal, entries)))
    }

    /// Where the transaction stands.
    #[must_use]
    pub fn phase(&self) -> &Phase {
        &self.phase
    }

    /// Enters `phase`; it is on disk when this returns.
    pub fn enter(&mut self, phase: Phase) -> Result<(), JournalError> {
        self.write(&Entry::Phase(phase.clone()), Durability::Synced)?;
        self.phase = phase;
        Ok(())
    }

    /// Adds an entry.
    pub fn write(&mut self, entry: &Entry, durability: Durability) -> Result<(), JournalError> {
        use std::io::Write as _;
        let line = encode(clock::now_secs(), entry);
        let failed = |source: io::Error| JournalError::List {
            path: self.directory.join(JOURNAL),
            source,
        };
        self.file.write_all(line.as_bytes()).map_err(failed)?;
        if durability == Durability::Synced {
            self.file.sync_data().map_err(failed)?;
        }
        Ok(())
    }

    /// Ends the transaction: it is no longer the open one.
    pub fn close(self) -> Result<(), JournalError> {
        let link = self.directory.with_file_name(OPEN);
        durable::remove(&link).map_err(file("close"))
    }

    /// Removes closed transactions beyond the newest [`KEEP`], and what a kill left before its link was there.
    fn forget_old(&self) {
        let Some(root) = self.directory.parent() else {
            return;
        };
        let Ok(mut ids) = ids(root) else {
            return;
        };
        ids.sort_unstable();
        let surplus = ids.len().saturating_sub(KEEP);
        for id in ids
            .into_iter()
            .take(surplus)
            .filter(|id| *id != self.record.id)
        {
            let old = root.join(id.to_string());
            if let Err(error) = fs::remove_dir_all(&old) {
                tracing::warn!(path = %old.display(), %error, "an old transaction could not be removed");
            }
        }
    }
}

/// The phase of the open transaction, without opening it for writing; `None` if there is none.
pub fn open_phase(store: &Store) -> Result<Option<(Record, Phase)>, JournalError> {
    let root = store.root().join(DIRECTORY);
    let Some(directory) = open_directory(&root)? else {
        return Ok(None);
    };
    let record = read_record(&directory)?;
    let text = durable::read(&directory.join(JOURNAL), LIMIT_BYTES)
        .map_err(file("read"))?
        .unwrap_or_default();
    let (entries, _) = decode(&text);
    let phase = entries.into_iter().rev().find_map(|entry| match entry {
        Entry::Phase(phase) => Some(phase),
        _ => None,
    });
    Ok(Some((record, phase.unwrap_or(Phase::Prepared))))
}

fn open_directory(root: &Path) -> Result<Option<PathBuf>, JournalError> {
    let link = root.join(OPEN);
    match fs::read_link(&link) {
        Ok(target) => Ok(Some(root.join(target))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(JournalError::List { path: link, source }),
    }
}

fn read_record(directory: &Path) -> Result<Record, JournalError> {
    let damaged = |reason: String| JournalError::Damaged {
        path: directory.to_owned(),
        reason,
    };
    let text = durable::read(&directory.join(PLAN), LIMIT_BYTES)
        .map_err(file("read"))?
        .ok_or_else(|| damaged(format!("{PLAN} is missing")))?;
    let record: Record = serde_json::from_slice(&text).map_err(|e| damaged(e.to_string()))?;
    if record.version == RECORD_VERSION {
        Ok(record)
    } else {
        Err(damaged(format!(
            "{PLAN} has format version {}, this build reads {RECORD_VERSION}",
            record.version
        )))
    }
}

fn next_id(root: &Path) -> Result<TransactionId, JournalError> {
    make_directory(root)?;
    let last = ids(root)?.into_iter().max();
    Ok(last.map_or(TransactionId::FIRST, TransactionId::next))
}

fn ids(root: &Path) -> Result<Vec<TransactionId>, JournalError> {
    let failed = |source| JournalError::List {
        path: root.to_owned(),
        source,
    };
    let mut ids = Vec::new();
    for entry in fs::read_dir(root).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        ids.extend(
            name.to_str()
                .and_then(|name| name.parse::<TransactionId>().ok()),
        );
    }
    Ok(ids)
}

fn append_to(path: &Path) -> Result<fs::File, JournalError> {
    let mut options = fs::OpenOptions::new();
    options
        .append(true)
        .open(path)
        .map_err(|source| JournalError::List {
            path: path.to_owned(),
            source,
        })
}

fn make_directory(path: &Path) -> Result<(), JournalError> {
    durable::make_directories(path, FileMode::from_bits(0o700)).map_err(file("make"))
}

fn private() -> FileMode {
    FileMode::from_bits(0o600)
}

fn file(action: &'static str) -> impl FnOnce(FileError) -> JournalError {
    move |source| JournalError::File { action, source }
}

#[cfg(test)]
mod tests;
