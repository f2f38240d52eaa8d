//! The links that say which generation is what.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use super::{Store, StoreError, disk, record};
use crate::config::HostName;
use crate::generation::{Generation, GenerationNumber};
use crate::host::durable;

impl Store {
    /// The generation that the host is to be; `None` before the first.
    pub fn current(&self) -> Result<Option<Generation>, StoreError> {
        self.current_number()?
            .map(|number| self.get(number))
            .transpose()
    }

    /// The host that [`current`](Self::current) is of, without the rest.
    pub fn current_host(&self) -> Result<Option<HostName>, StoreError> {
        self.current_number()?
            .map(|number| record::host(&self.generation_path(number), number))
            .transpose()
    }

    /// The number of [`current`](Self::current), without reading it.
    pub fn current_number(&self) -> Result<Option<GenerationNumber>, StoreError> {
        pointed_at(&self.pointer("current"))
    }

    /// The generation that was current, and good, before.
    pub fn previous_good(&self) -> Result<Option<Generation>, StoreError> {
        self.previous_good_number()?
            .map(|number| self.get(number))
            .transpose()
    }

    /// The number of [`previous_good`](Self::previous_good), without reading it.
    pub fn previous_good_number(&self) -> Result<Option<GenerationNumber>, StoreError> {
        pointed_at(&self.pointer("previous-good"))
    }

    /// Makes `number` current; what was current becomes previous-good. Does nothing if it is current already.
    ///
    /// Only a generation that can be read becomes current.
    pub fn commit(&self, number: GenerationNumber) -> Result<(), StoreError> {
        self.get(number)?;
        let former = self.current_number()?;
        if former == Some(number) {
            return Ok(());
        }
        // In this order a kill in between is put right by committing again; in the other one it would lose the
        // former generation.
        if let Some(former) = former {
            point(&self.pointer("previous-good"), former)?;
        }
        point(&self.pointer("current"), number)
    }

    /// Makes `number` current again; what was current was only tried, and is not one to go back to.
    pub fn go_back_to(&self, number: GenerationNumber) -> Result<(), StoreError> {
        self.get(number)?;
        point(&self.pointer("current"), number)
    }

    /// Keeps a generation from `gc` until it is unpinned.
    pub fn pin(&self, number: GenerationNumber) -> Result<(), StoreError> {
        self.get(number)?;
        let pins = self.pins_directory();
        disk::make_directory(&pins)?;
        let target = PathBuf::from(format!("../generations/{number}"));
        let path = pins.join(number.to_string());
        durable::replace_link(&path, &target)
            .map_err(|source| StoreError::file("pin a generation", &path, source))
    }

    /// Gives a pinned generation back to `gc`.
    pub fn unpin(&self, number: GenerationNumber) -> Result<(), StoreError> {
        let path = self.pins_directory().join(number.to_string());
        durable::remove(&path)
            .map_err(|source| StoreError::file("unpin a generation", &path, source))
    }

    /// The pinned generations.
    pub fn pins(&self) -> Result<BTreeSet<GenerationNumber>, StoreError> {
        let names = disk::names(&self.pins_directory())?;
        let numbers = names.iter().filter_map(|name| name.parse().ok());
        Ok(numbers.map(GenerationNumber).collect())
    }

    fn pins_directory(&self) -> PathBuf {
        self.root().join("pins")
    }

    fn pointer(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }
}

fn point(link: &Path, number: GenerationNumber) -> Result<(), StoreError> {
    let target = PathBuf::from(format!("generations/{number}"));
    durable::replace_link(link, &target)
        .map_err(|source| StoreError::file("point at a generation", link, source))
}

/// The number a link points at; `None` if there is no link.
fn pointed_at(link: &Path) -> Result<Option<GenerationNumber>, StoreError> {
    let operation = "read which generation a link names";
    let target = match std::fs::read_link(link) {
        Ok(target) => target,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(StoreError::io(operation, link, error)),
    };
    let number = target
        .to_str()
        .and_then(|target| target.strip_prefix("generations/"))
        .and_then(|number| number.parse().ok());
    number
        .map(|number| Some(GenerationNumber(number)))
        .ok_or_else(|| {
            let reason = format!("it leads to {}, not to a generation", target.display());
            StoreError::damaged(operation, link, reason)
        })
}
