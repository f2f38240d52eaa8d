//! The journal as a file that only grows: a line that could not be written whole is taken back.

use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;

use super::super::Notice;
use super::record::{Decoded, Line, encode};
use super::{Durability, Entry, JournalError};
use crate::host::clock;

#[derive(Debug)]
pub(super) struct JournalFile {
    path: PathBuf,
    file: fs::File,
    boot: Option<String>,
    next_seq: u64,
    /// What the next line tells besides.
    warnings: Vec<Notice>,
    /// Where the last line that was written ends.
    whole_bytes: u64,
    tail: Tail,
}

/// What is in the file after the last line that was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tail {
    Nothing,
    /// A line, or a part of one, that could not be written.
    Unwritten,
}

impl JournalFile {
    /// Opens the journal at `path`, which holds `decoded`, and cuts a torn tail off: what follows it would be taken for a
    /// part of it.
    pub(super) fn open(path: PathBuf, decoded: &Decoded) -> Result<Self, JournalError> {
        let mut options = fs::OpenOptions::new();
        let opened = options.append(true).open(&path);
        let file = opened.map_err(|source| JournalError::List {
            path: path.clone(),
            source,
        })?;
        let mut journal = Self {
            path,
            file,
            boot: clock::boot_id(),
            next_seq: decoded.lines.len() as u64,
            warnings: Vec::new(),
            whole_bytes: decoded.whole_bytes,
            tail: match decoded.tail {
                super::record::Tail::Nothing => Tail::Nothing,
                _ => Tail::Unwritten,
            },
        };
        journal.take_back()?;
        Ok(journal)
    }

    pub(super) fn write(
        &mut self,
        entry: &Entry,
        durability: Durability,
    ) -> Result<(), JournalError> {
        self.take_back()?;
        let line = encode(&Line {
            seq: self.next_seq,
            at_secs: clock::now_secs(),
            boot: self.boot.clone(),
            warnings: self.warnings.clone(),
            entry: entry.clone(),
        });
        let written = self.file.write_all(line.as_bytes());
        let written = written.and_then(|()| match durability {
            Durability::Synced => self.file.sync_data(),
            Durability::Written => Ok(()),
        });
        if let Err(source) = written {
            self.tail = Tail::Unwritten;
            // If this fails as well, the next write tries again; the first error is the one that counts.
            let _ = self.take_back();
            return Err(self.failed(source));
        }
        self.whole_bytes += line.len() as u64;
        self.next_seq += 1;
        self.warnings.clear();
        Ok(())
    }

    /// Adds to what the next line tells.
    pub(super) fn warn(&mut self, warnings: &[Notice]) {
        self.warnings.extend_from_slice(warnings);
    }

    pub(super) fn is_sound(&self) -> bool {
        self.tail == Tail::Nothing
    }

    fn take_back(&mut self) -> Result<(), JournalError> {
        if self.tail == Tail::Unwritten {
            let cut = self.file.set_len(self.whole_bytes);
            cut.map_err(|source| self.failed(source))?;
            self.tail = Tail::Nothing;
        }
        Ok(())
    }

    fn failed(&self, source: io::Error) -> JournalError {
        JournalError::List {
            path: self.path.clone(),
            source,
        }
    }
}
