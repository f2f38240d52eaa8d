//! The memory of a transaction: the plan as a whole before the first change, then a line for everything that happens.
//!
//! `transactions/ID/plan.json` holds what was decided, `transactions/ID/journal` one record per line behind a checksum,
//! and the link `transactions/open` names the transaction that is not over. A torn last line is what a power cut leaves;
//! it is ignored. A plan that is not the one that was begun, or a journal with a hole, is not believed: nothing is done
//! then. `transactions/reserve` holds room for the way back. Names, digests and reasons only, never contents.

mod file;
mod history;
mod record;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{Notice, Phase};
use crate::generation::Store;
use crate::host::{Digest, FileError, FileMode, clock, durable};

use file::JournalFile;
pub use history::{Past, newest, past};
use record::{Decoded, RECORD_VERSION, Tail, decode};
pub use record::{Entry, Line, NotATransaction, Record, TransactionId};

const DIRECTORY: &str = "transactions";
const OPEN: &str = "open";
const PLAN: &str = "plan.json";
const JOURNAL: &str = "journal";
const RESERVE: &str = "reserve";

/// Kept free for the way back and its records: a disk that is full by then must not keep a host between two generations.
pub(super) const RESERVE_BYTES: u64 = 8 * 1024 * 1024;
const CONFIRMED: &str = "confirmed.json";

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
    /// The journal, or the directory of transactions, cannot be used.
    #[error("cannot use {}", path.display())]
    List {
        /// Which.
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
    /// Whether what is on disk is not to be believed: neither forward nor back can be known from it.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Damaged { .. })
    }

    /// How to go on.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::File { source, .. } => source.hint(),
            Self::List { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                Some("make room on the file system".to_owned())
            }
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
    file: JournalFile,
    /// What was decided.
    pub record: Record,
    phase: Phase,
    /// The phase that could not be written down, if it cannot be told whether it was.
    in_doubt: Option<Phase>,
    has_seen_a_boot: bool,
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
    ///
    /// # Errors
    /// [`JournalError`]; no transaction is open then.
    pub fn create(store: &Store, record: Record) -> Result<Self, JournalError> {
        let root = store.root().join(DIRECTORY);
        let id = next_id(&root)?;
        forget_old(&root);
        let directory = root.join(id.to_string());
        let begun = Self::begin(&root, &directory, Record { id, ..record });
        if begun.is_err() {
            // Without the link it is no transaction, and with it, it must be a whole one. The first error is the one
            // that counts.
            let link = root.join(OPEN);
            if fs::read_link(&link).is_err() || fs::remove_file(&link).is_ok() {
                let _ = fs::remove_dir_all(&directory);
            }
        }
        begun
    }

    fn begin(root: &Path, directory: &Path, record: Record) -> Result<Self, JournalError> {
        make_directory(directory)?;
        durable::reserve(&root.join(RESERVE), RESERVE_BYTES, private())
            .map_err(file("keep room for"))?;
        let text = serde_json::to_vec_pretty(&record).map_err(|error| JournalError::Damaged {
            path: directory.to_owned(),
            reason: error.to_string(),
        })?;
        durable::replace(&directory.join(PLAN), &text, private()).map_err(file("write"))?;
        let path = directory.join(JOURNAL);
        durable::append(&path, b"", private()).map_err(file("write"))?;
        let mut file = JournalFile::open(path, &Decoded::default())?;
        let plan = Digest::of(&text);
        file.write(&Entry::Begun { plan }, Durability::Written)?;
        file.write(&Entry::Phase(Phase::Prepared), Durability::Synced)?;
        durable::replace_link(&root.join(OPEN), Path::new(&record.id.to_string()))
            .map_err(self::file("open"))?;
        Ok(Self {
            directory: directory.to_owned(),
            file,
            record,
            phase: Phase::Prepared,
            in_doubt: None,
            has_seen_a_boot: false,
        })
    }

    /// The transaction that is not over, with everything that was recorded; `None` if there is none.
    ///
    /// # Errors
    /// [`JournalError::Damaged`] if it is not to be believed. Nothing was changed then, nor may anything be.
    pub fn open(store: &Store) -> Result<Option<(Self, Vec<Entry>)>, JournalError> {
        let root = store.root().join(DIRECTORY);
        let Some(directory) = open_directory(&root)? else {
            return Ok(None);
        };
        let (record, decoded) = read(&directory)?;
        let file = JournalFile::open(directory.join(JOURNAL), &decoded)?;
        let has_seen_a_boot =
            record.done_before_boot || decoded.is_older_than(clock::boot_id().as_deref());
        let entries = decoded.entries();
        let journal = Self {
            directory,
            file,
            record,
            phase: last_phase(&entries),
            in_doubt: None,
            has_seen_a_boot,
        };
        Ok(Some((journal, entries)))
    }

    /// Whether the machine booted since steps were carried out: what runs may have been started from any of the files that
    /// were there then.
    #[must_use]
    pub fn has_seen_a_boot(&self) -> bool {
        self.has_seen_a_boot
    }

    /// Where the transaction stands.
    #[must_use]
    pub fn phase(&self) -> &Phase {
        &self.phase
    }

    /// Enters `phase`; it is on disk when this returns.
    ///
    /// # Errors
    /// [`JournalError`]; the phase is the one before then, unless [`may_be_committed`](Self::may_be_committed).
    pub fn enter(&mut self, phase: Phase) -> Result<(), JournalError> {
        let written = self.write(&Entry::Phase(phase.clone()), Durability::Synced);
        if written.is_err() && !self.file.is_sound() {
            self.in_doubt = Some(phase);
            return written;
        }
        self.in_doubt = None;
        written?;
        self.phase = phase;
        Ok(())
    }

    /// Whether recovery might find the transaction committed, although that could not be written down: the disk takes
    /// nothing, not even what was written back.
    #[must_use]
    pub fn may_be_committed(&self) -> bool {
        self.in_doubt == Some(Phase::Committed)
    }

    /// Adds an entry.
    ///
    /// # Errors
    /// [`JournalError`]; the entry is not in the journal then, if the disk let us take it back.
    pub fn write(&mut self, entry: &Entry, durability: Durability) -> Result<(), JournalError> {
        self.file.write(entry, durability)
    }

    /// Keeps what is worth knowing and stops nothing: it is written with the next entry, and lost with none.
    pub fn warn(&mut self, warnings: &[Notice]) {
        self.file.warn(warnings);
    }

    /// Gives the way back the room that was kept for it.
    pub fn release_reserve(&self) {
        if let Err(error) = durable::remove(&self.directory.with_file_name(RESERVE)) {
            tracing::warn!(%error, "the room for the way back could not be released");
        }
    }

    /// Ends the transaction: it is no longer the open one.
    pub fn close(self) -> Result<(), JournalError> {
        let link = self.directory.with_file_name(OPEN);
        durable::remove(&link).map_err(file("close"))
    }
}

/// How much of [`RESERVE_BYTES`] is kept already, since the transaction before.
pub(super) fn reserved_bytes(store: &Store) -> u64 {
    let reserve = store.root().join(DIRECTORY).join(RESERVE);
    durable::reserved_bytes(&reserve).unwrap_or(0)
}

/// Removes what processes that were killed left unfinished in the state directory: files, and transactions without a plan.
/// Only for whoever holds the lock.
pub fn sweep(store: &Store) {
    let root = store.root().join(DIRECTORY);
    for directory in [store.root(), &root] {
        durable::sweep_the_dead(directory);
    }
    // One that is open and lost its plan is damaged: a person is to see it.
    let open = open_directory(&root).ok().flatten();
    for id in ids(&root).unwrap_or_default() {
        let directory = root.join(id.to_string());
        if open.as_ref() != Some(&directory) && !directory.join(PLAN).exists() {
            remove_old(&directory);
        }
    }
}

fn remove_old(directory: &Path) {
    if let Err(error) = fs::remove_dir_all(directory) {
        tracing::warn!(path = %directory.display(), %error, "an old transaction could not be removed");
    }
}

/// Removes closed transactions beyond the newest [`KEEP`], and what a kill left before a plan was there.
fn forget_old(root: &Path) {
    let Ok(mut ids) = ids(root) else {
        return;
    };
    ids.sort_unstable_by(|a, b| b.cmp(a));
    for (position, id) in ids.into_iter().enumerate() {
        let old = root.join(id.to_string());
        // One is about to be added.
        if position + 1 < KEEP && old.join(PLAN).exists() {
            continue;
        }
        remove_old(&old);
    }
}

/// The phase of the open transaction, without opening it for writing; `None` if there is none.
pub fn open_phase(store: &Store) -> Result<Option<(Record, Phase)>, JournalError> {
    let root = store.root().join(DIRECTORY);
    let Some(directory) = open_directory(&root)? else {
        return Ok(None);
    };
    let (record, decoded) = read(&directory)?;
    Ok(Some((record, last_phase(&decoded.entries()))))
}

fn last_phase(entries: &[Entry]) -> Phase {
    let last = entries.iter().rev().find_map(|entry| match entry {
        Entry::Phase(phase) => Some(phase.clone()),
        _ => None,
    });
    last.unwrap_or(Phase::Prepared)
}

/// What was decided in `directory` and what happened, if both are to be believed.
fn read(directory: &Path) -> Result<(Record, Decoded), JournalError> {
    let damaged = |reason: &str| JournalError::Damaged {
        path: directory.to_owned(),
        reason: reason.to_owned(),
    };
    let (record, digest) = read_record(directory)?;
    let text = durable::read(&directory.join(JOURNAL), LIMIT_BYTES)
        .map_err(file("read"))?
        .unwrap_or_default();
    let decoded = decode(&text);
    if decoded.tail == Tail::Damaged {
        return Err(damaged("a line in the middle of its journal is damaged"));
    }
    match decoded.lines.first().map(|line| &line.entry) {
        // The first lines are on disk before the link is.
        None => Err(damaged("its journal is empty")),
        Some(Entry::Begun { plan }) if *plan != digest => {
            Err(damaged("its plan is not the one that was begun"))
        }
        Some(_) => Ok((record, decoded)),
    }
}

/// Where a person's confirmation of transaction `id` is.
pub(super) fn confirmed_file(store: &Store, id: TransactionId) -> PathBuf {
    let directory = store.root().join(DIRECTORY).join(id.to_string());
    directory.join(CONFIRMED)
}

fn open_directory(root: &Path) -> Result<Option<PathBuf>, JournalError> {
    let link = root.join(OPEN);
    match fs::read_link(&link) {
        Ok(target) => Ok(Some(root.join(target))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(JournalError::List { path: link, source }),
    }
}

fn read_record(directory: &Path) -> Result<(Record, Digest), JournalError> {
    let damaged = |reason: String| JournalError::Damaged {
        path: directory.to_owned(),
        reason,
    };
    let text = durable::read(&directory.join(PLAN), LIMIT_BYTES)
        .map_err(file("read"))?
        .ok_or_else(|| damaged(format!("{PLAN} is missing")))?;
    let record: Record = serde_json::from_slice(&text).map_err(|e| damaged(e.to_string()))?;
    if record.version == RECORD_VERSION {
        Ok((record, Digest::of(&text)))
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
