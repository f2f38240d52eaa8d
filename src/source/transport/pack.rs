//! Where a pack goes: through libgit2's indexer into the mirror.

use std::io::Write;

use git2::{ErrorClass, Odb, OdbPackwriter};

use super::meter::Meter;
use super::trouble::Trouble;
use crate::source::FetchErrorKind;

/// `PACK`, version, number of objects.
const HEADER_BYTES: usize = 12;

/// A pack on its way into an object database; dropped before [`finish`](Self::finish), it leaves nothing behind.
pub(super) struct PackSink<'odb> {
    writer: OdbPackwriter<'odb>,
    header: Vec<u8>,
    objects: u32,
    objects_limit: u32,
    bytes: u64,
}

impl<'odb> PackSink<'odb> {
    pub(super) fn new(odb: &'odb Odb<'odb>, meter: &Meter) -> Result<Self, Trouble> {
        Ok(Self {
            writer: odb.packwriter().map_err(|e| mirror(&e))?,
            header: Vec::with_capacity(HEADER_BYTES),
            objects: 0,
            objects_limit: meter.limits().objects,
            bytes: 0,
        })
    }

    /// Takes the next bytes of the pack.
    pub(super) fn write(&mut self, mut bytes: &[u8]) -> Result<(), Trouble> {
        self.bytes += bytes.len() as u64;
        if self.header.len() < HEADER_BYTES {
            let (header, rest) = bytes.split_at(bytes.len().min(HEADER_BYTES - self.header.len()));
            self.header.extend_from_slice(header);
            if self.header.len() < HEADER_BYTES {
                return Ok(());
            }
            self.check_header()?;
            let header = std::mem::take(&mut self.header);
            self.index(&header)?;
            self.header = header;
            bytes = rest;
        }
        self.index(bytes)
    }

    fn check_header(&mut self) -> Result<(), Trouble> {
        let &[b'P', b'A', b'C', b'K', 0, 0, 0, 2, a, b, c, d] = self.header.as_slice() else {
            return Err(Trouble::protocol("the pack has an unknown format"));
        };
        self.objects = u32::from_be_bytes([a, b, c, d]);
        if self.objects > self.objects_limit {
            return Err(Trouble::Clear(FetchErrorKind::TooLarge {
                limit: u64::from(self.objects_limit),
                unit: "objects",
            }));
        }
        Ok(())
    }

    fn index(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        if bytes.is_empty() {
            return Ok(());
        }
        // The io::Error only says "Write error"; libgit2 knows more.
        self.writer
            .write_all(bytes)
            .map_err(|_| indexing(&git2::Error::last_error(-1)))
    }

    /// Writes the index and makes the objects part of the object database. Returns bytes and objects.
    pub(super) fn finish(mut self) -> Result<(u64, u32), Trouble> {
        if self.header.len() < HEADER_BYTES {
            return Err(Trouble::Ended);
        }
        self.writer.commit().map_err(|e| indexing(&e))?;
        Ok((self.bytes, self.objects))
    }
}

/// What libgit2 says while it takes a pack: the disk is ours, everything else is the sender's.
fn indexing(error: &git2::Error) -> Trouble {
    if error.class() == ErrorClass::Os {
        return mirror(error);
    }
    Trouble::protocol(format!("its pack is damaged: {}", error.message()))
}

pub(super) fn mirror(error: &git2::Error) -> Trouble {
    Trouble::Clear(FetchErrorKind::Mirror {
        detail: error.message().to_owned(),
    })
}
