//! What was at a path before it became ours: recorded before the first change, given back when the entry goes.

use std::collections::BTreeSet;

use super::plan::{Fit, Ids, fit_whole, waits};
use super::{Observed, Plan, Step};
use crate::config::OnConflict;
use crate::generation::{Manifest, Originals, PathEntry, PathKind};
use crate::host::{HostPath, PathState};

/// The record after `plan` has taken its paths: what is there now, for every path that is not ours yet.
///
/// A path whose entry equals what is there is taken without a step, and recorded as well: when the entry goes, the file
/// stays, because it was there before. `Absent` is recorded too, so that directories made on the way go again.
pub(super) fn taken(
    originals: &Originals,
    plan: &Plan,
    desired: &Manifest,
    owned: &[&Manifest],
    observed: &Observed,
) -> Originals {
    let is_owned = |path: &HostPath| owned.iter().any(|g| g.paths.contains_key(path));
    let needed = directories_above(owned);
    let ids = Ids(&observed.accounts);
    let mut taken = originals.clone();
    let mut take = |path: &HostPath, found: &PathState| {
        let made_by_us = needed.contains(path) && originals.get(path) == Some(&PathState::Absent);
        let waits_in = |g: &&Manifest| {
            let original = originals.get(path);
            original.is_some_and(|original| waits(path, original, g, &needed))
        };
        if !is_owned(path) && !made_by_us && !owned.iter().any(waits_in) {
            taken.insert(path.clone(), found.clone());
        }
    };
    // What is not ours yet may have any attributes.
    let is_taken_as_it_is = |path: &HostPath, entry: &PathEntry, found: &PathState| {
        !is_owned(path) && fit_whole(entry, found, ids, Some(found)) == Fit::Same
    };
    for step in &plan.steps {
        if let Step::WritePath { path, found, .. } = step {
            take(path, found);
        }
    }
    for (path, entry) in &desired.paths {
        let found = observed.paths.get(path);
        if let Some(found) = found.filter(|found| is_taken_as_it_is(path, entry, found)) {
            take(path, found);
        }
    }
    // A directory that somebody put in the place of our file or link was there before what goes into it now.
    let is_somebodys = |path: &HostPath| {
        let is_directory = matches!(observed.paths.get(path), Some(PathState::Directory { .. }));
        let was_one = |g: &&Manifest| {
            let entry = g.paths.get(path);
            entry.is_some_and(|entry| matches!(entry.kind, PathKind::Directory { .. }))
        };
        is_directory && !needed.contains(path) && !owned.iter().any(was_one)
    };
    taken.retain(|path, original| {
        let is_left = is_owned(path) && !desired.paths.contains_key(path);
        *original != PathState::Absent || !is_left || !is_somebodys(path)
    });
    taken
}

/// The record once `active` is in force: what no path of it needs any more is forgotten, and so is what an entry
/// said need not be kept.
pub(super) fn settled(originals: &Originals, active: &Manifest) -> Originals {
    let needed = directories_above(&[active]);
    let keep = |path: &HostPath, original: &PathState| match active.paths.get(path) {
        Some(entry) => {
            entry.on_conflict != OnConflict::Adopt
                || *original == PathState::Absent
                || is_of(&entry.kind, original)
        }
        None if *original == PathState::Absent => needed.contains(path),
        // What cannot come back yet is kept until it can.
        None => waits(path, original, active, &needed),
    };
    originals
        .iter()
        .filter(|(path, original)| keep(path, original))
        .map(|(path, original)| (path.clone(), original.clone()))
        .collect()
}

/// Whether the original has the entry's own content: then it is no content that is kept.
fn is_of(kind: &PathKind, original: &PathState) -> bool {
    match (kind, original) {
        (PathKind::File { content, .. }, PathState::File { content: has, .. }) => content == has,
        _ => false,
    }
}

fn directories_above(generations: &[&Manifest]) -> BTreeSet<HostPath> {
    generations.iter().flat_map(|g| g.directories()).collect()
}
