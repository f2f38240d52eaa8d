//! Unit files through `systemd-analyze verify`, staged together, because they name each other.

use std::collections::{BTreeMap, BTreeSet};

use super::super::failure::HostFailure;
use super::checks::UNITS;
use crate::generation::{Manifest, PathKind, Store};
use crate::host::{HostPath, UnitName};

/// The unit files and drop-ins of a manifest, by their name below the unit directory.
pub(super) fn files(
    manifest: &Manifest,
    store: &Store,
) -> Result<BTreeMap<String, Vec<u8>>, HostFailure> {
    let mut files = BTreeMap::new();
    for (path, entry) in &manifest.paths {
        if let (Some(below), PathKind::File { content, .. }) =
            (path.as_str().strip_prefix(UNITS), &entry.kind)
        {
            files.insert(below.to_owned(), store.object(content)?);
        }
    }
    Ok(files)
}

/// The units that `paths` define or extend.
pub(super) fn units_of(paths: &BTreeSet<HostPath>) -> BTreeSet<UnitName> {
    let names = paths.iter().filter_map(|path| {
        let below = path.as_str().strip_prefix(UNITS)?;
        let name = below.split('/').next()?;
        UnitName::new(name.strip_suffix(".d").unwrap_or(name)).ok()
    });
    names.collect()
}

/// What systemd said about units.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    /// Units that it will not start, and why.
    pub(super) refused: BTreeMap<UnitName, String>,
    /// Lines that it skips or only warns of.
    pub(super) warnings: Vec<String>,
}

/// Sorts what `systemd-analyze verify` printed. Only a unit that systemd itself would refuse to load is refused: a
/// program that is not there yet comes with a package, and an unknown key is skipped by systemd too.
///
/// `staged` is how the lines name the directory of the staged files.
pub(super) fn sort(printed: &str, staged: &str, units: &BTreeSet<UnitName>) -> Verdict {
    let mut verdict = Verdict::default();
    let lines: Vec<&str> = printed.lines().map(str::trim).collect();
    for unit in units {
        let refused = format!("Unit {unit} has a bad unit file setting.");
        if !lines.iter().any(|line| line.ends_with(&refused)) {
            continue;
        }
        let about = format!("{unit}: ");
        let reasons: Vec<&str> = lines
            .iter()
            .filter_map(|line| line.strip_prefix(&about))
            .filter(|reason| !reason.starts_with("Failed to create"))
            .collect();
        let reason = match reasons.as_slice() {
            [] => "it has a setting that systemd refuses".to_owned(),
            reasons => reasons.join(" "),
        };
        verdict.refused.insert(unit.clone(), reason);
    }
    let prefix = format!("{staged}/");
    for line in lines {
        let about = line.strip_prefix(&prefix).and_then(|below| {
            let name = below.split(['/', ':']).next()?;
            let unit = UnitName::new(name.strip_suffix(".d").unwrap_or(name)).ok()?;
            units.contains(&unit).then_some(below)
        });
        if let Some(below) = about {
            verdict.warnings.push(format!("{UNITS}{below}"));
        }
    }
    verdict
}
