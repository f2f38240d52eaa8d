//! Transactions that are kept to look at.

use std::path::Path;

use super::record::decode;
use super::{
    DIRECTORY, Entry, JOURNAL, JournalError, LIMIT_BYTES, Line, PLAN, Phase, Record, TransactionId,
    file, ids, open_directory, read_record,
};
use crate::generation::Store;
use crate::host::durable;

/// A transaction as it was written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    /// What was decided.
    pub record: Record,
    /// What happened, in order; a torn last line is left out.
    pub lines: Vec<Line>,
    /// Whether it is not over.
    pub open: bool,
}

impl Past {
    /// The phase it ended in, or stands in.
    #[must_use]
    pub fn phase(&self) -> &Phase {
        let last = self.lines.iter().rev().find_map(|line| match &line.entry {
            Entry::Phase(phase) => Some(phase),
            _ => None,
        });
        last.unwrap_or(&Phase::Prepared)
    }
}

/// The transactions that are kept, the oldest first; only `wanted` if one is named. Looking changes nothing.
///
/// # Errors
/// [`JournalError`] for the first that cannot be read.
pub fn past(store: &Store, wanted: Option<TransactionId>) -> Result<Vec<Past>, JournalError> {
    let root = store.root().join(DIRECTORY);
    if !root.is_dir() {
        return Ok(Vec::new());
    }
    let open = open_directory(&root)?;
    let mut ids = ids(&root)?;
    ids.retain(|id| wanted.is_none_or(|wanted| wanted == *id));
    ids.sort_unstable();
    let directories = ids.into_iter().map(|id| root.join(id.to_string()));
    directories
        // A kill before the plan was written leaves a directory that never was a transaction.
        .filter(|directory| open.as_ref() == Some(directory) || directory.join(PLAN).exists())
        .map(|directory| read(&directory, open.as_deref()))
        .collect()
}

/// The transaction that was begun last, whether it is over or not; `None` if there never was one. Looking changes nothing.
///
/// # Errors
/// [`JournalError`].
pub fn newest(store: &Store) -> Result<Option<TransactionId>, JournalError> {
    let root = store.root().join(DIRECTORY);
    if root.is_dir() {
        Ok(ids(&root)?.into_iter().max())
    } else {
        Ok(None)
    }
}

fn read(directory: &Path, open: Option<&Path>) -> Result<Past, JournalError> {
    let (record, _) = read_record(directory)?;
    let text = durable::read(&directory.join(JOURNAL), LIMIT_BYTES)
        .map_err(file("read"))?
        .unwrap_or_default();
    Ok(Past {
        record,
        lines: decode(&text).lines,
        open: open == Some(directory),
    })
}
