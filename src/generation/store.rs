//! The store of generations: numbered manifests and content-addressed objects in the state directory.
//!
//! ```text
//! objects/ab/abcdef…                content by its SHA-256: files, ciphertext, originals, drifted versions
//! generations/N/manifest.json       what the host is to be, in its one spelling
//! generations/N/provenance.json     where it came from, and the manifest's digest
//! current, previous-good            links to generations
//! pins/N                            links to generations that `gc` keeps
//! originals.json                    what was at paths before Steadfast
//! additions.json                    packages, holds and memberships that were not there before Steadfast
//! last-number                       the highest number ever given, written before `gc` deletes
//! ```
//!
//! A generation is made beside the others, put on disk as a whole, and gets its number by one rename: what has a number
//! is complete. There is never a secret in clear in it. Whoever changes the store holds [`Store::lock`].

mod additions;
mod disk;
mod error;
mod gc;
mod objects;
mod originals;
mod pointers;
mod record;
#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};

use super::{Built, Generation, GenerationNumber, Provenance};
use crate::host::durable::{self, Lock, LockError};
use crate::host::{Digest, FileMode, abreast};

pub use additions::Additions;
pub use error::{StoreError, StoreErrorKind};
pub use gc::{GcMode, GcPolicy, GcReport};
pub use originals::Originals;

const PRIVATE_DIRECTORY: FileMode = FileMode::from_bits(0o700);
const PRIVATE_FILE: FileMode = FileMode::from_bits(0o600);
/// Largest manifest or provenance that is read.
const RECORD_LIMIT_BYTES: u64 = 64 * 1024 * 1024;

/// The store of one host. Opening it and reading from it change nothing on disk.
#[derive(Debug, Clone)]
pub struct Store {
    root: PathBuf,
}

impl Store {
    /// Opens the store in `state_dir`, which need not be there yet.
    pub fn open(state_dir: &Path) -> Result<Self, StoreError> {
        match std::fs::metadata(state_dir) {
            Ok(metadata) if !metadata.is_dir() => {
                let source = io::Error::from(io::ErrorKind::NotADirectory);
                Err(StoreError::io("open the store", state_dir, source))
            }
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(StoreError::io("open the store", state_dir, error))
            }
            _ => Ok(Self {
                root: state_dir.to_owned(),
            }),
        }
    }

    /// The state directory.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Takes the one lock of the state directory, which every change of the store needs.
    pub fn lock(&self) -> Result<Lock, LockError> {
        durable::make_directories(&self.root, PRIVATE_DIRECTORY)?;
        durable::lock(&self.root.join("lock"))
    }

    /// Stores a built generation under the next number. It is durable when this returns, and not yet current.
    pub fn put(&self, built: &Built, provenance: &Provenance) -> Result<Generation, StoreError> {
        let number = self.next_number()?;
        let staged = self.generations().join(format!(".new-{number}"));
        disk::remove_tree(&staged)?;
        disk::make_directory(&staged)?;
        let objects: Vec<(&Digest, &Vec<u8>)> = built.objects.iter().collect();
        let written = abreast(&objects, |(digest, content)| {
            self.write_object(digest, content)
        });
        written
            .into_iter()
            .try_for_each(|object| object.map(drop))?;
        record::write(&staged, built, provenance)?;
        // One sync for all objects and both records, instead of one for each.
        durable::syncfs(&self.root)
            .map_err(|source| StoreError::file("store a generation", &staged, source))?;
        let place = self.generation_path(number);
        disk::rename(&staged, &place)?;
        disk::sync_directory(&self.generations())?;
        Ok(Generation {
            number,
            digest: built.digest.clone(),
            manifest: built.manifest.clone(),
            provenance: provenance.clone(),
        })
    }

    /// Reads a generation; its manifest is checked against its digest.
    pub fn get(&self, number: GenerationNumber) -> Result<Generation, StoreError> {
        let place = self.generation_path(number);
        if !disk::exists(&place)? {
            return Err(StoreError::new(
                format!("read generation {number}"),
                &place,
                StoreErrorKind::Missing,
            ));
        }
        record::read(&place, number)
    }

    /// The numbers of all stored generations, oldest first.
    pub fn list(&self) -> Result<Vec<GenerationNumber>, StoreError> {
        let mut numbers: Vec<GenerationNumber> = disk::names(&self.generations())?
            .iter()
            .filter_map(|name| name.parse().ok().map(GenerationNumber))
            .collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// One above every number that was ever given, also after the generations that had them are gone.
    fn next_number(&self) -> Result<GenerationNumber, StoreError> {
        let stored = self.list()?.last().copied();
        let remembered = self.last_number()?;
        let pointed = [self.current_number()?, self.previous_good_number()?];
        let highest = pointed
            .into_iter()
            .chain([stored, remembered])
            .flatten()
            .max();
        Ok(GenerationNumber(highest.map_or(1, |highest| highest.0 + 1)))
    }

    fn last_number(&self) -> Result<Option<GenerationNumber>, StoreError> {
        let path = self.root.join("last-number");
        let Some(text) = disk::read(&path)? else {
            return Ok(None);
        };
        let number = std::str::from_utf8(&text)
            .ok()
            .and_then(|text| text.trim().parse().ok());
        let damaged = || StoreError::damaged("read the last number", &path, "it is not a number");
        number
            .map(|number| Some(GenerationNumber(number)))
            .ok_or_else(damaged)
    }

    fn generations(&self) -> PathBuf {
        self.root.join("generations")
    }

    fn generation_path(&self, number: GenerationNumber) -> PathBuf {
        self.generations().join(number.to_string())
    }
}
