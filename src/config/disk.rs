//! `hosts/NAME/disk.yml`: how the disk of a host is divided. Nothing acts on it yet; it is read so that it is right.

mod parse;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::error::{ConfigError, ConfigErrors};
use super::files::FileTable;
use super::library::{Status, load};
use super::reader::Reader;
use super::{HostName, Located};
use crate::host::HostPath;
use crate::source::{RepoPath, Snapshot};

/// The disk of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiskConfig {
    /// The device, below `/dev`.
    pub device: HostPath,
    /// Its partitions, in order. The last one has no size if it takes the rest.
    pub partitions: Vec<Located<PartitionConfig>>,
}

/// A partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionConfig {
    /// Its label in the partition table; no other has it.
    pub name: String,
    /// Its size; the rest of the disk if there is none.
    pub size_bytes: Option<u64>,
    /// What it is for.
    pub purpose: Purpose,
    /// How it is encrypted, if it is.
    pub luks: Option<LuksConfig>,
    /// What is in it; nothing in that of GRUB.
    pub format: Option<Format>,
    /// Where it is mounted itself.
    pub mount: Option<MountPoint>,
    /// Mount options, of its subvolumes too.
    pub options: Vec<String>,
    /// Its subvolumes by name; only btrfs has such.
    pub subvolumes: BTreeMap<String, SubvolumeConfig>,
}

/// What a partition is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A file system of Linux.
    Linux,
    /// The EFI system partition.
    Esp,
    /// Swap space.
    Swap,
    /// Where GRUB lies on a machine without EFI.
    Bios,
}

/// A file system, or swap space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are called what they are")]
pub enum Format {
    Vfat,
    Ext4,
    Xfs,
    Btrfs,
    Swap,
}

/// Where a file system is mounted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum MountPoint {
    /// `/`
    Root,
    /// A directory below it.
    Below(HostPath),
}

/// LUKS2 around a file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LuksConfig {
    /// Its name below `/dev/mapper`.
    pub name: String,
    /// Whether free blocks are discarded.
    pub discard: bool,
}

/// A subvolume of btrfs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubvolumeConfig {
    /// Where it is mounted.
    pub mount: Option<MountPoint>,
    /// The size of a file in it to swap to.
    pub swapfile_bytes: Option<u64>,
}

/// How the disk of `host` is divided; `None` if the repository does not say.
///
/// # Errors
/// [`ConfigErrors`]: everything that is wrong with its `disk.yml`, each at its line.
pub fn disk(snapshot: &Snapshot, host: &HostName) -> Result<Option<DiskConfig>, ConfigErrors> {
    let path = RepoPath::new(format!("hosts/{host}/disk.yml"))
        .map_err(|error| ConfigError::new(error.to_string()))?;
    let mut files = FileTable::default();
    let file = files.add(path.clone());
    let mut reader = Reader::new(files);
    let root = match load(snapshot, &path, file, &mut reader) {
        Status::Missing => return Ok(None),
        Status::Read(root) => root,
    };
    let disk = root.and_then(|root| parse::disk(&root, &mut reader));
    match ConfigErrors::of_run(reader.into_errors(), snapshot) {
        Some(errors) => Err(errors),
        None => Ok(disk),
    }
}
