//! Which unit files a plan must have read, so that it can tell what their change means.

use std::collections::BTreeSet;

use super::Observed;
use super::units::definition;
use crate::generation::{Manifest, PathKind, UnitFile};
use crate::host::{Digest, HostPath, PathState, UnitId};

/// Files that are read like unit files: units and drop-ins, and what podman makes units of.
const READ_LIKE_UNITS: [&str; 3] = ["/systemd/system/", "/systemd/user/", "/containers/systemd/"];

impl Observed {
    /// The units whose files are not what the first of `manifests` says: those that it names or any other does, and
    /// instances of their templates that run.
    #[must_use]
    pub fn changing_units(&self, manifests: &[&Manifest]) -> BTreeSet<UnitId> {
        let Some(desired) = manifests.first() else {
            return BTreeSet::new();
        };
        let named = manifests.iter().flat_map(|m| m.units.keys());
        let units: BTreeSet<&UnitId> = named.chain(self.units.keys()).collect();
        let changes = |unit: &UnitId| {
            let files = files(manifests, unit);
            let mut files = files.iter();
            files.any(|path| self.found(path) != wanted(desired, path))
        };
        let changing = units.into_iter().filter(|unit| changes(unit));
        changing.cloned().collect()
    }

    /// Reads the files of units that change, before and after. What `object` does not have, or is no unit file, stays
    /// unknown: its change counts as one that matters.
    pub fn read_unit_files(
        &mut self,
        manifests: &[&Manifest],
        object: impl Fn(&Digest) -> Option<Vec<u8>>,
    ) {
        let Some(desired) = manifests.first() else {
            return;
        };
        for unit in self.changing_units(manifests) {
            for path in files(manifests, &unit) {
                if !READ_LIKE_UNITS
                    .iter()
                    .any(|part| path.as_str().contains(part))
                {
                    continue;
                }
                let both = [self.found(path).cloned(), wanted(desired, path).cloned()];
                for digest in both.into_iter().flatten() {
                    if self.unit_files.contains_key(&digest) {
                        continue;
                    }
                    if let Some(file) = object(&digest).and_then(|bytes| read(&bytes)) {
                        self.unit_files.insert(digest, file);
                    }
                }
            }
        }
    }

    fn found(&self, path: &HostPath) -> Option<&Digest> {
        match self.paths.get(path) {
            Some(PathState::File { content, .. }) => Some(content),
            _ => None,
        }
    }
}

fn files<'m>(manifests: &[&'m Manifest], unit: &UnitId) -> BTreeSet<&'m HostPath> {
    let mut files = BTreeSet::new();
    for manifest in manifests {
        files.extend(definition::files(manifest, unit));
        let entry = manifest.units.get(unit);
        files.extend(entry.into_iter().flat_map(|entry| &entry.definition));
    }
    files
}

fn wanted<'m>(desired: &'m Manifest, path: &HostPath) -> Option<&'m Digest> {
    match &desired.paths.get(path)?.kind {
        PathKind::File { content, .. } => Some(content),
        PathKind::Directory { .. } | PathKind::Symlink { .. } => None,
    }
}

fn read(bytes: &[u8]) -> Option<UnitFile> {
    let mut file = UnitFile::default();
    match file.merge(str::from_utf8(bytes).ok()?) {
        Ok(()) => Some(file),
        // systemd would skip a line; what it makes of the rest is its business.
        Err(_) => None,
    }
}
