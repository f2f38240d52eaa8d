//! What files held when they were read last, so that an unchanged file need not be read again.
//!
//! A file counts as unchanged as long as its inode, size and both its times are: the kernel sets the time of change at every
//! write, and nobody can set it back. As git does, a file is not remembered while its time of change is as new as the
//! clock, since a second write within the clock's step would not show. It is a cache: a file of it that is damaged, of
//! another version or gone only makes the next look a full one.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::fs::Stat;
use sha2::{Digest as _, Sha256};

use super::{Digest, FileError, FileMode, clock, durable};

/// The first bytes of the file, with the version of its format.
const MAGIC: &[u8; 8] = b"SFSEEN1\n";
const HASH_BYTES: usize = 32;
const RECORD_BYTES: usize = 5 * 8 + HASH_BYTES;
/// Room for a million files.
const LARGEST_BYTES: u64 = 128 * 1024 * 1024;
/// No step of a kernel's clock is longer.
const STEP_NS: i64 = 20_000_000;
/// Steps of file systems that only know whole seconds; the longest is FAT's.
const COARSE_STEP_NS: i64 = 2_000_000_000;
/// After this time every file is read again, whatever its times say.
const FULL_EVERY_SECS: i64 = 24 * 60 * 60;

type Hash = [u8; HASH_BYTES];

/// What files held when they were read last. All clones of a [`Host`](super::Host) that remembers share one.
#[derive(Debug)]
pub struct Seen {
    path: PathBuf,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// When every file was last read, in seconds since 1970.
    full_secs: i64,
    files: HashMap<Key, Entry>,
    /// Whether the file says something else.
    news: bool,
}

/// Device and inode.
type Key = (u64, u64);

#[derive(Debug, Clone, Copy)]
struct Entry {
    stamp: Stamp,
    content: Hash,
    /// Somebody asked for it since it was loaded: the others are gone from the host, or no longer managed.
    used: bool,
}

/// What no write leaves as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    modified_ns: i64,
    changed_ns: i64,
    size: u64,
}

impl Stamp {
    pub(super) fn of(found: &Stat) -> Self {
        let ns = |secs: i64, nanos: u64| {
            let nanos = i64::try_from(nanos).unwrap_or_default();
            secs.saturating_mul(1_000_000_000).saturating_add(nanos)
        };
        Self {
            modified_ns: ns(found.st_mtime, found.st_mtime_nsec),
            changed_ns: ns(found.st_ctime, found.st_ctime_nsec),
            size: u64::try_from(found.st_size).unwrap_or_default(),
        }
    }

    /// Whether a write at `now_ns` could leave it as it is.
    fn is_racy(self, now_ns: i64) -> bool {
        let whole = self.changed_ns % 1_000_000_000 == 0;
        let step = if whole { COARSE_STEP_NS } else { STEP_NS };
        self.changed_ns.saturating_add(step) >= now_ns
    }
}

impl Seen {
    /// Reads what is remembered in `path`. By `now_secs` a day after everything was read, nothing is.
    #[must_use]
    pub fn load(path: &Path, now_secs: i64) -> Self {
        // A cache that cannot be read is an empty one.
        let text = durable::read(path, LARGEST_BYTES).ok().flatten();
        let known = text.as_deref().and_then(Known::parse);
        let lasts = |known: &Known| {
            (known.full_secs..known.full_secs.saturating_add(FULL_EVERY_SECS)).contains(&now_secs)
        };
        let known = known
            .filter(lasts)
            .unwrap_or_else(|| Known::empty(now_secs));
        Self {
            path: path.to_owned(),
            known: Mutex::new(known),
        }
    }

    /// Remembers nothing yet, so that every file is read once; what is learned replaces `path`.
    #[must_use]
    pub fn nothing(path: &Path, now_secs: i64) -> Self {
        Self {
            path: path.to_owned(),
            known: Mutex::new(Known::empty(now_secs)),
        }
    }

    /// Writes down what was learned. Nothing is written if nothing was.
    ///
    /// # Errors
    /// [`FileError`]; the next look reads more than it had to then.
    pub fn save(&self) -> Result<(), FileError> {
        let mut known = self.known();
        if !known.news && known.files.values().all(|entry| entry.used) {
            return Ok(());
        }
        known.files.retain(|_, entry| entry.used);
        durable::replace(&self.path, &known.text(), FileMode::from_bits(0o600))?;
        known.news = false;
        Ok(())
    }

    /// The content of the file that `found` is of, if it is what was read before.
    pub(super) fn content(&self, found: &Stat) -> Option<Digest> {
        let mut known = self.known();
        let entry = known.files.get_mut(&key(found))?;
        if entry.stamp != Stamp::of(found) {
            return None;
        }
        entry.used = true;
        Some(Digest::from_hash(&entry.content))
    }

    /// Remembers the content of the file that was `found`, read since `began_ns`.
    pub(super) fn learn(&self, found: &Stat, content: Hash, began_ns: i64) {
        let stamp = Stamp::of(found);
        if stamp.is_racy(began_ns) {
            return;
        }
        let mut known = self.known();
        known.news = true;
        let used = true;
        let entry = Entry {
            stamp,
            content,
            used,
        };
        known.files.insert(key(found), entry);
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn empty(now_secs: i64) -> Self {
        Self {
            full_secs: now_secs,
            ..Self::default()
        }
    }

    fn parse(text: &[u8]) -> Option<Self> {
        let (body, sum) = text.split_last_chunk::<HASH_BYTES>()?;
        if Sha256::digest(body)[..] != sum[..] {
            return None;
        }
        let rest = body.strip_prefix(MAGIC)?;
        let (full, records) = rest.split_first_chunk::<8>()?;
        let (records, rest) = records.as_chunks::<RECORD_BYTES>();
        let files = records.iter().map(|record| {
            let number = |at: usize| {
                let bytes = record[at * 8..].first_chunk::<8>();
                bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes))
            };
            let stamp = Stamp {
                modified_ns: number(2).cast_signed(),
                changed_ns: number(3).cast_signed(),
                size: number(4),
            };
            let content = record.last_chunk().copied().unwrap_or_default();
            let entry = Entry {
                stamp,
                content,
                used: false,
            };
            ((number(0), number(1)), entry)
        });
        rest.is_empty().then(|| Self {
            full_secs: i64::from_le_bytes(*full),
            files: files.collect(),
            news: false,
        })
    }

    fn text(&self) -> Vec<u8> {
        let mut text = Vec::with_capacity(64 + self.files.len() * RECORD_BYTES);
        text.extend(MAGIC);
        text.extend(self.full_secs.to_le_bytes());
        for ((device, inode), entry) in &self.files {
            let stamp = entry.stamp;
            text.extend(device.to_le_bytes());
            text.extend(inode.to_le_bytes());
            text.extend(stamp.modified_ns.to_le_bytes());
            text.extend(stamp.changed_ns.to_le_bytes());
            text.extend(stamp.size.to_le_bytes());
            text.extend(entry.content);
        }
        let sum = Sha256::digest(&text);
        text.extend(sum);
        text
    }
}

fn key(found: &Stat) -> Key {
    (found.st_dev, found.st_ino)
}

/// The clock that the kernel stamps files with, at most one of its steps later.
pub(super) fn now_ns() -> i64 {
    i64::try_from(clock::now().as_nanosecond()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
