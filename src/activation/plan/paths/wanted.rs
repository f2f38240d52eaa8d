//! A path that the desired generation names.

use super::super::PathChange;
use super::super::compare::{Fit, fit_whole, words};
use super::super::decide::{Draft, Touch};
use super::super::secrets::trigger;
use super::super::step::Step;
use super::{Ground, clear, foreign};
use crate::config::Enforcement;
use crate::generation::{PathEntry, PathKind};
use crate::host::{HostPath, PathState, reserved};

pub(super) fn decide(ground: &Ground<'_>, path: &HostPath, entry: &PathEntry, draft: &mut Draft) {
    // The repository was checked for it; this host does not take anybody's word for it.
    if let Some(reserved) = reserved(path) {
        let hint = reserved
            .instead
            .unwrap_or("take it out of the configuration");
        return draft.conflict(
            path,
            format!("cannot be an entry: {}", reserved.reason),
            hint,
        );
    }
    let found = ground.found(path);
    if !ground.owned.contains(path) && foreign::is_a_packages(ground, path, draft) {
        return;
    }
    // What is not ours yet may have any attributes.
    let original = if ground.owned.contains(path) {
        ground.original(path)
    } else {
        Some(&found)
    };
    let fit = fit_whole(entry, &found, ground.at.ids, original);
    if fit == Fit::Same {
        return;
    }
    let subject = Subject {
        path,
        entry,
        found,
        fit,
    };
    if !ground.owned.contains(path) {
        foreign::decide(ground, &subject, draft);
    } else if ground.is_untouched(path, &subject.found) {
        subject.replace_own(draft);
    } else {
        drifted(ground, &subject, draft);
    }
}

/// One path that is not as it should be.
pub(super) struct Subject<'a> {
    pub(super) path: &'a HostPath,
    pub(super) entry: &'a PathEntry,
    pub(super) found: PathState,
    pub(super) fit: Fit,
}

impl Subject<'_> {
    pub(super) fn write(&self, change: PathChange, draft: &mut Draft) {
        write(self.path, self.entry, &self.found, change, draft);
    }

    pub(super) fn is_directory_wanted(&self) -> bool {
        matches!(self.entry.kind, PathKind::Directory { .. })
    }

    /// Whether it differs in content or metadata only.
    fn is_still_what_it_was(&self) -> bool {
        matches!(
            (&self.entry.kind, &self.found),
            (PathKind::File { .. }, PathState::File { .. })
                | (PathKind::Directory { .. }, PathState::Directory { .. })
                | (PathKind::Symlink { .. }, PathState::Symlink { .. })
        )
    }

    /// Replaces what an earlier generation put there. A rename replaces files and links by each other; a directory
    /// has to go first, and fails to if anything is in it that is not ours.
    fn replace_own(&self, draft: &mut Draft) {
        if self.fit == Fit::Metadata {
            return self.write(PathChange::Metadata, draft);
        }
        if self.found == PathState::Absent {
            return self.write(PathChange::Create, draft);
        }
        let is_directory = matches!(self.found, PathState::Directory { .. });
        if is_directory || self.is_directory_wanted() {
            clear(self.path, &self.found, draft);
        }
        self.write(PathChange::Update, draft);
    }
}

/// Ours by name, but neither of an earlier generation nor of the desired one.
fn drifted(ground: &Ground<'_>, subject: &Subject<'_>, draft: &mut Draft) {
    let Subject {
        path, entry, found, ..
    } = subject;
    let unchanged = ground
        .at
        .unchanged(|m| m.paths.get(*path).map(|entry| &entry.kind));
    if unchanged && entry.drift == Enforcement::Adopt && subject.is_still_what_it_was() {
        return;
    }
    let hold = ground
        .at
        .observed
        .holds
        .iter()
        .find(|hold| hold.covers(path));
    let hold = hold.filter(|_| unchanged);
    if hold.is_some() || ground.at.holds(entry.drift, unchanged) {
        let what = match (found, subject.fit) {
            (PathState::Absent, _) => "is gone",
            (_, Fit::Metadata) => "has another owner or mode",
            _ => "was changed by somebody",
        };
        let why = hold.map_or("because drift is only reported".to_owned(), |hold| {
            format!("held {}", hold.terms())
        });
        return draft.notice(path, format!("{what}; it is left so, {why}"));
    }
    match (found, subject.fit) {
        (PathState::Absent, _) => subject.write(PathChange::Create, draft),
        (_, Fit::Metadata) => subject.write(PathChange::Metadata, draft),
        (PathState::File { .. } | PathState::Symlink { .. }, _)
            if !subject.is_directory_wanted() =>
        {
            subject.write(PathChange::Repair, draft);
        }
        // Never follow a link to a directory, never empty a directory: what is in it is not ours.
        _ => draft.conflict(
            path,
            format!("{} is where {} was", words(found), noun(&entry.kind)),
            "move it away; what was there comes back with the next run",
        ),
    }
}

fn noun(kind: &PathKind) -> &'static str {
    match kind {
        PathKind::File { .. } => "our file",
        PathKind::Directory { .. } => "our directory",
        PathKind::Symlink { .. } => "our link",
    }
}

/// Adds the write and what it sets off.
pub(super) fn write(
    path: &HostPath,
    entry: &PathEntry,
    found: &PathState,
    change: PathChange,
    draft: &mut Draft,
) {
    let touch = match change {
        PathChange::Metadata => Touch::Metadata,
        _ => Touch::Content,
    };
    draft.touched.insert(path.clone(), touch);
    trigger(&entry.units, path.as_str(), draft);
    let step = Step::WritePath {
        path: path.clone(),
        entry: entry.clone(),
        change,
        found: found.clone(),
    };
    draft.writes.insert(path.clone(), step);
}
