//! Where plaintext may lie for a while: in memory, and not in somebody else's directory.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::directory::ScratchError;
use crate::host::exec::Environment;
use crate::host::memory::memory_backed;

/// The first of `$XDG_RUNTIME_DIR` and `/dev/shm` that is memory and not somebody else's.
pub(in crate::secrets::file) fn private_memory(
    environment: Environment<'_>,
) -> Result<PathBuf, ScratchError> {
    let mut tried = Vec::new();
    let runtime = environment("XDG_RUNTIME_DIR").map(PathBuf::from);
    for place in runtime.into_iter().chain([PathBuf::from("/dev/shm")]) {
        match usable(&place) {
            Ok(()) => return Ok(place),
            Err(why) => tried.push(format!("{}: {why}", place.display())),
        }
    }
    Err(ScratchError::NoMemory { tried })
}

fn usable(place: &Path) -> Result<(), String> {
    if !place.is_absolute() {
        return Err("not an absolute path".to_owned());
    }
    let found = std::fs::metadata(place).map_err(|error| error.to_string())?;
    if !found.is_dir() {
        return Err("not a directory".to_owned());
    }
    let me = rustix::process::geteuid().as_raw();
    let sticky = found.mode() & 0o1000 != 0;
    if found.uid() != me && !(found.uid() == 0 && sticky) {
        return Err("it belongs to somebody else".to_owned());
    }
    match memory_backed(place) {
        Ok(true) => Ok(()),
        Ok(false) => Err("it is on a disk, not in memory".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// What is in memory can still be swapped out: the areas on disks that are in use and not encrypted, by name.
///
/// Compressed memory (zram) is no disk, and swap on dm-crypt is nobody's to read after the power is off.
#[must_use]
pub fn swap_in_the_clear() -> Vec<String> {
    // Unreadable, as in a sandbox without /proc: nothing can be said.
    let swaps = std::fs::read_to_string("/proc/swaps").unwrap_or_default();
    disks_of(&swaps, &|device| {
        let uuid = format!("/sys/class/block/{device}/dm/uuid");
        std::fs::read_to_string(uuid).is_ok_and(|uuid| uuid.starts_with("CRYPT-"))
    })
}

fn disks_of(swaps: &str, is_encrypted: &dyn Fn(&str) -> bool) -> Vec<String> {
    let areas = swaps.lines().skip(1).filter_map(|line| {
        let area = line.split_whitespace().next()?;
        let device = area.rsplit('/').next().unwrap_or(area);
        (!device.starts_with("zram") && !is_encrypted(device)).then(|| area.to_owned())
    });
    areas.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_is_refused() {
        for (place, expected) in [
            (env!("CARGO_MANIFEST_DIR"), "it is on a disk, not in memory"),
            ("relative", "not an absolute path"),
            ("/nonexistent", "No such file or directory (os error 2)"),
        ] {
            assert_eq!(
                usable(Path::new(place)),
                Err(expected.to_owned()),
                "{place}"
            );
        }
    }

    #[test]
    fn swap_counts_where_it_can_be_read_from_a_disk() {
        let swaps = "Filename\tType\tSize\tUsed\tPriority\n/dev/zram0 partition 1 0 100\n/dev/sda2 partition 1 0 -2\n/dev/dm-1 partition 1 0 -3\n/swap.img file 1 0 -4\n";
        let found = disks_of(swaps, &|device| device == "dm-1");
        assert_eq!(found, ["/dev/sda2", "/swap.img"]);
        assert!(disks_of(swaps.lines().next().unwrap(), &|_| false).is_empty());
    }
}
