//! A path that was ours and that the desired generation does not name.

use super::super::decide::{Draft, Touch};
use super::super::secrets::trigger;
use super::super::step::Step;
use super::{Ground, clear, parents, waits};
use crate::host::{HostPath, PathState};

pub(super) fn decide(ground: &Ground<'_>, path: &HostPath, draft: &mut Draft) {
    let found = ground.found(path);
    let original = ground
        .at
        .owned
        .originals
        .get(path)
        .filter(|original| **original != PathState::Absent);
    match original {
        Some(original) if *original == found && !ground.making_room.contains(path) => {}
        Some(_) if ground.is_unknown(path) => {}
        None if found == PathState::Absent => {}
        Some(original) if found == PathState::Absent || ground.is_ours(path, &found) => {
            restore(ground, path, &found, original, draft);
        }
        None if ground.is_ours(path, &found) => remove(ground, path, &found, draft),
        _ => draft.notice(
            path,
            "is no longer asked for, but was changed by somebody: it stays, and is no longer ours",
        ),
    }
}

fn restore(
    ground: &Ground<'_>,
    path: &HostPath,
    found: &PathState,
    original: &PathState,
    draft: &mut Draft,
) {
    // Something else is to be where the original's directory was.
    let desired = ground.at.desired;
    if waits(path, original, desired, &ground.needed) {
        return match found {
            PathState::Absent => {}
            found => remove(ground, path, found, draft),
        };
    }
    if is_directory(original) != is_directory(found) && *found != PathState::Absent {
        clear(path, found, draft);
    }
    touch(ground, path, draft);
    let step = Step::RestoreOriginal {
        path: path.clone(),
        found: found.clone(),
    };
    draft.writes.insert(path.clone(), step);
}

fn remove(ground: &Ground<'_>, path: &HostPath, found: &PathState, draft: &mut Draft) {
    if is_directory(found) && (ground.needed.contains(path) || ground.is_home(path)) {
        return parents::as_made(ground, path, found, draft);
    }
    touch(ground, path, draft);
    if ground.gives_way(path) || ground.making_room.contains(path) {
        return clear(path, found, draft);
    }
    let step = Step::RemovePath {
        path: path.clone(),
        found: found.clone(),
    };
    draft.removals.insert(path.clone(), step);
}

fn is_directory(state: &PathState) -> bool {
    matches!(state, PathState::Directory { .. })
}

/// What used the path acts when it goes.
fn touch(ground: &Ground<'_>, path: &HostPath, draft: &mut Draft) {
    draft.touched.insert(path.clone(), Touch::Content);
    if let Some(entry) = ground.entries(path).next() {
        trigger(&entry.units, path.as_str(), draft);
    }
}
