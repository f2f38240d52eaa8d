//! The directories that paths lie in: made when missing, removed when the last path of ours is gone.

use std::collections::BTreeSet;

use super::super::PathChange;
use super::super::compare::{Fit, fit_whole};
use super::super::decide::{Draft, Situation};
use super::super::step::Step;
use super::wanted::write;
use super::{Ground, ancestors, clear};
use crate::config::{Enforcement, OnConflict};
use crate::generation::{PathEntry, PathKind, UserEntry};
use crate::host::{FileMode, GroupName, HostPath, PathState, UserName};
use crate::secrets::UnitTriggers;

/// Adds the directories that are missing on the way to what is written.
pub(super) fn missing(ground: &Ground<'_>, draft: &mut Draft) {
    let targets: Vec<HostPath> = draft.writes.keys().cloned().collect();
    let mut parents = BTreeSet::new();
    for path in &targets {
        parents.extend(ancestors(path).take_while(|above| is_missing(ground, above)));
    }
    for point in ground.at.desired.mounts.keys() {
        let with_above = [point.clone()].into_iter().chain(ancestors(point));
        parents.extend(with_above.take_while(|above| is_missing(ground, above)));
    }
    for parent in parents {
        if draft.writes.contains_key(&parent) {
            continue;
        }
        // A directory of ours that is gone comes back even where drift is only reported: something is to go into it.
        draft
            .notices
            .retain(|notice| notice.subject != parent.as_str());
        let entry = match ground.at.desired.paths.get(&parent) {
            Some(entry) => entry.clone(),
            None => made_on_the_way(ground, &parent),
        };
        write(
            &parent,
            &entry,
            &PathState::Absent,
            PathChange::Create,
            draft,
        );
    }
}

fn is_missing(ground: &Ground<'_>, parent: &HostPath) -> bool {
    let observed = ground.at.observed.paths.contains_key(parent);
    observed && (ground.making_room.contains(parent) || ground.found(parent) == PathState::Absent)
}

/// A directory that we made stays, because something of ours is in it, but no longer by an entry of its own: it becomes
/// what it would have been made as.
pub(super) fn as_made(ground: &Ground<'_>, path: &HostPath, found: &PathState, draft: &mut Draft) {
    let is_made = ground.at.owned.originals.get(path) == Some(&PathState::Absent);
    if !is_made || ground.is_home(path) {
        return;
    }
    let entry = made_on_the_way(ground, path);
    if fit_whole(&entry, found, ground.at.ids, None) == Fit::Metadata {
        write(path, &entry, found, PathChange::Metadata, draft);
    }
}

/// Below the home of an account of ours a directory belongs to the account, elsewhere to root.
fn made_on_the_way(ground: &Ground<'_>, path: &HostPath) -> PathEntry {
    let at_or_above = |home: &HostPath| *home == *path || ancestors(path).any(|p| p == *home);
    let account = ground
        .at
        .desired
        .users
        .iter()
        .find(|(_, user)| at_or_above(&user.home));
    let kind = match account {
        Some((name, user)) => directory(name.clone(), user.group.clone(), home_mode(path, user)),
        None => root_directory(),
    };
    PathEntry {
        kind,
        on_conflict: OnConflict::Refuse,
        drift: Enforcement::Report,
        units: UnitTriggers::default(),
    }
}

fn home_mode(path: &HostPath, user: &UserEntry) -> FileMode {
    // sshd refuses keys in a directory that others can write to, and the XDG base directories are to be private.
    let private = *path == user.home || path.file_name().starts_with('.');
    FileMode::from_bits(if private { 0o700 } else { 0o755 })
}

fn directory(owner: UserName, group: GroupName, mode: FileMode) -> PathKind {
    PathKind::Directory { owner, group, mode }
}

#[expect(clippy::unwrap_used, reason = "`root` is a valid name of both kinds")]
fn root_directory() -> PathKind {
    directory(
        UserName::new("root").unwrap(),
        GroupName::new("root").unwrap(),
        FileMode::from_bits(0o755),
    )
}

/// Removes directories that were made on the way to a file and that nothing of ours is in any more.
pub(super) fn leftover(ground: &Ground<'_>, draft: &mut Draft) {
    let mut kept: BTreeSet<HostPath> = ground.needed.clone();
    kept.extend(draft.writes.keys().flat_map(ancestors));
    for (path, original) in ground.at.owned.originals {
        let ours = *original == PathState::Absent
            && !ground.at.desired.paths.contains_key(path)
            && !ground.owned.contains(path);
        let found = ground.found(path);
        let is_directory = matches!(found, PathState::Directory { .. });
        if ours && is_directory && !kept.contains(path) && !ground.is_home(path) {
            if ground.gives_way(path) {
                clear(path, &found, draft);
                continue;
            }
            let step = Step::RemovePath {
                path: path.clone(),
                found,
            };
            draft.removals.insert(path.clone(), step);
        }
    }
}

fn makes_group(at: &Situation<'_>, group: &GroupName) -> bool {
    let mut users = at.desired.users.values();
    at.desired.groups.contains_key(group) || users.any(|user| user.group == *group)
}

/// Refuses owners that nothing makes. A package that is about to be installed may bring its own.
pub(super) fn owners(ground: &Ground<'_>, draft: &mut Draft) {
    let at = ground.at;
    let installs = |step: &Step| matches!(step, Step::InstallPackages { .. });
    if at.observed.accounts.users.is_empty() || draft.steps.iter().any(installs) {
        return;
    }
    let mut unknown = Vec::new();
    for step in draft.writes.values() {
        let Step::WritePath { path, entry, .. } = step else {
            continue;
        };
        let (PathKind::File { owner, group, .. } | PathKind::Directory { owner, group, .. }) =
            &entry.kind
        else {
            continue;
        };
        if at.ids.user(owner).is_none() && !at.desired.users.contains_key(owner) {
            unknown.push((path.clone(), format!("its owner `{owner}`"), "users"));
        } else if at.ids.group(group).is_none() && !makes_group(at, group) {
            unknown.push((path.clone(), format!("its group `{group}`"), "groups"));
        }
    }
    for (path, who, key) in unknown {
        draft.conflict(
            path,
            format!("{who} does not exist on this host"),
            format!("declare it under `{key}`, or ask for the package that makes it"),
        );
    }
}
