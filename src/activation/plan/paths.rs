//! Paths: the three-way decision over what was applied last, what is there, and what is wanted.

mod foreign;
mod parents;
mod unwanted;
mod wanted;

use std::collections::BTreeSet;

use super::Step;
use super::compare::{Fit, fit, fit_whole, words};
use super::decide::{Draft, Situation};
use crate::generation::{Manifest, PathEntry, PathKind};
use crate::host::{HostPath, PathState};

pub(super) fn decide(at: &Situation<'_>, draft: &mut Draft) {
    let ground = Ground::survey(at);
    for (path, entry) in &at.desired.paths {
        wanted::decide(&ground, path, entry, draft);
    }
    for point in at.desired.mounts.keys() {
        mount_point(&ground, point, draft);
    }
    for path in &ground.owned {
        if !at.desired.paths.contains_key(*path) {
            unwanted::decide(&ground, path, draft);
        }
    }
    for (left, path) in &at.observed.residue {
        draft.notice(
            path,
            format!("dpkg left {left} beside it: look what differs, then remove it"),
        );
    }
    parents::missing(&ground, draft);
    parents::leftover(&ground, draft);
    parents::owners(&ground, draft);
}

/// A mount needs a directory; one that is missing is made as those on the way to a file are.
fn mount_point(ground: &Ground<'_>, point: &HostPath, draft: &mut Draft) {
    let found = ground.found(point);
    let ours = ground.making_room.contains(point);
    if !ours && !matches!(found, PathState::Directory { .. } | PathState::Absent) {
        draft.conflict(
            point,
            format!("{} is where a directory to mount on must be", words(&found)),
            "move it away",
        );
    }
}

/// The situation, and what every path decision looks up in it.
pub(super) struct Ground<'a> {
    pub(super) at: &'a Situation<'a>,
    /// Every path of every generation whose content may be found.
    pub(super) owned: BTreeSet<&'a HostPath>,
    /// Every directory that a desired path lies in.
    pub(super) needed: BTreeSet<HostPath>,
    /// Every directory that a path of ours lies in.
    pub(super) made: BTreeSet<HostPath>,
    /// Files and links of ours that make room for a directory.
    pub(super) making_room: BTreeSet<&'a HostPath>,
    /// Paths that a generation took the place of without naming them, and that have an original.
    pub(super) waiting: BTreeSet<&'a HostPath>,
    /// Directories of ours in whose place a file or link comes back.
    pub(super) returning: BTreeSet<&'a HostPath>,
}

fn waiting<'a>(at: &Situation<'a>) -> BTreeSet<&'a HostPath> {
    let mut waiting = BTreeSet::new();
    for generation in &at.owned.generations {
        let needed = generation.directories();
        let originals = at.owned.originals.iter();
        let of_this =
            originals.filter(|(path, original)| waits(path, original, generation, &needed));
        waiting.extend(of_this.map(|(path, _)| path));
    }
    let is_named = |path: &HostPath| {
        at.owned
            .generations
            .iter()
            .any(|g| g.paths.contains_key(path))
    };
    waiting.retain(|path| !is_named(path));
    waiting
}

/// Whether the original of a path that `generation` does not name cannot come back under it: one of the directories it
/// `needed` is in its place, or a file is where one above it was.
pub(crate) fn waits(
    path: &HostPath,
    original: &PathState,
    generation: &Manifest,
    needed: &BTreeSet<HostPath>,
) -> bool {
    let in_the_way = match original {
        PathState::Absent => false,
        PathState::Directory { .. } => is_blocked(generation, path),
        _ => needed.contains(path) || is_blocked(generation, path),
    };
    in_the_way && !generation.paths.contains_key(path)
}

/// Whether a file or link of `generation` is to be where one of the path's directories is.
fn is_blocked(generation: &Manifest, path: &HostPath) -> bool {
    ancestors(path).any(|above| {
        let entry = generation.paths.get(&above);
        entry.is_some_and(|entry| !matches!(entry.kind, PathKind::Directory { .. }))
    })
}

impl<'a> Ground<'a> {
    fn survey(at: &'a Situation<'a>) -> Self {
        let owned: BTreeSet<&HostPath> = at
            .owned
            .generations
            .iter()
            .flat_map(|generation| generation.paths.keys())
            .collect();
        let needed = at.desired.directories();
        let made = owned.iter().copied().flat_map(ancestors).collect();
        let mut ground = Self {
            at,
            owned,
            needed,
            made,
            making_room: BTreeSet::new(),
            waiting: waiting(at),
            returning: BTreeSet::new(),
        };
        ground.owned.extend(&ground.waiting);
        ground.making_room = ground
            .owned
            .iter()
            .copied()
            .filter(|path| ground.makes_room(path))
            .collect();
        ground.returning = ground
            .owned
            .iter()
            .copied()
            .filter(|path| ground.returns(path))
            .collect();
        ground
    }

    /// Whether a file or link comes back where a directory of ours is.
    fn returns(&self, path: &HostPath) -> bool {
        let original = self.original(path);
        let is_file = |original: &PathState| {
            !matches!(original, PathState::Directory { .. } | PathState::Absent)
        };
        let found = self.found(path);
        original.is_some_and(is_file)
            && matches!(found, PathState::Directory { .. })
            && !self.at.desired.paths.contains_key(path)
            && !self.needed.contains(path)
            && !is_blocked(self.at.desired, path)
            && self.is_ours(path, &found)
    }

    /// Whether what is below the path must go before anything is written: a file is to be, or comes back, where a
    /// directory above it is.
    pub(super) fn gives_way(&self, path: &HostPath) -> bool {
        is_blocked(self.at.desired, path)
            || ancestors(path).any(|above| self.returning.contains(&above))
    }

    /// Whether something may be at a path that nobody looked at: all that is above it is a directory, or was not looked
    /// at either.
    pub(super) fn is_unknown(&self, path: &HostPath) -> bool {
        let observed = &self.at.observed.paths;
        let is_none = |above: HostPath| {
            let found = observed.get(&above);
            found.is_some_and(|found| !matches!(found, PathState::Directory { .. }))
        };
        !observed.contains_key(path) && !ancestors(path).any(is_none)
    }

    /// Whether a file or link of ours is where a directory must be.
    fn makes_room(&self, path: &HostPath) -> bool {
        let directory_wanted = match self.at.desired.paths.get(path) {
            Some(entry) => matches!(entry.kind, PathKind::Directory { .. }),
            None => self.needed.contains(path),
        };
        let found = self.at.observed.paths.get(path);
        directory_wanted
            && found.is_some_and(|found| {
                matches!(found, PathState::File { .. } | PathState::Symlink { .. })
                    && self.is_ours(path, found)
            })
    }

    /// What is at the path when its turn comes.
    pub(super) fn found(&self, path: &HostPath) -> PathState {
        if ancestors(path).any(|above| self.making_room.contains(&above)) {
            return PathState::Absent;
        }
        let found = self.at.observed.paths.get(path);
        found.cloned().unwrap_or(PathState::Absent)
    }

    /// The entries for the path in the generations whose content may be found.
    pub(super) fn entries<'b>(
        &'b self,
        path: &'b HostPath,
    ) -> impl Iterator<Item = &'a PathEntry> + 'b {
        let generations = &self.at.owned.generations;
        generations.iter().filter_map(move |g| g.paths.get(path))
    }

    /// What was at the path before it became ours, if that is kept.
    pub(super) fn original(&self, path: &HostPath) -> Option<&'a PathState> {
        self.at.owned.originals.get(path)
    }

    /// Whether the content is of one of our generations; owner and mode do not matter.
    pub(super) fn is_ours(&self, path: &HostPath, found: &PathState) -> bool {
        self.is_between(path, found)
            || self
                .entries(path)
                .any(|entry| fit(&entry.kind, found, self.at.ids) != Fit::Other)
    }

    /// Whether content and metadata are of one of our generations.
    pub(super) fn is_untouched(&self, path: &HostPath, found: &PathState) -> bool {
        self.is_between(path, found)
            || self
                .entries(path)
                .any(|entry| fit_whole(entry, found, self.at.ids, self.original(path)) == Fit::Same)
    }

    /// Whether one of our generations, which does not name the path, put what is there instead of what another one
    /// names: a directory on the way to its files, or the original.
    fn is_between(&self, path: &HostPath, found: &PathState) -> bool {
        self.is_made_on_the_way(path, found) || self.is_original_of_one(path, found)
    }

    fn is_original_of_one(&self, path: &HostPath, found: &PathState) -> bool {
        let generations = &self.at.owned.generations;
        generations.iter().any(|g| !g.paths.contains_key(path))
            && self.at.owned.originals.get(path) == Some(found)
    }

    fn is_made_on_the_way(&self, path: &HostPath, found: &PathState) -> bool {
        matches!(found, PathState::Directory { .. })
            && self.made.contains(path)
            && (self.waiting.contains(path)
                || self
                    .entries(path)
                    .any(|entry| !matches!(entry.kind, PathKind::Directory { .. })))
    }

    /// Whether the path is the home directory of an account of ours: made with the account, never removed.
    pub(super) fn is_home(&self, path: &HostPath) -> bool {
        let generations = self.at.owned.generations.iter().copied();
        generations
            .chain([self.at.desired])
            .any(|g| g.users.values().any(|user| user.home == *path))
    }
}

/// The directories above a path, nearest first.
pub(super) fn ancestors(path: &HostPath) -> impl Iterator<Item = HostPath> + use<> {
    path.ancestors()
}

/// Removes what is in the way of a write.
fn clear(path: &HostPath, found: &PathState, draft: &mut Draft) {
    let step = Step::RemovePath {
        path: path.clone(),
        found: found.clone(),
    };
    draft.clear.insert(path.clone(), step);
}
