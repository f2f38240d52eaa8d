//! A desired path that was never ours.

use super::super::PathChange;
use super::super::compare::words;
use super::super::decide::Draft;
use super::wanted::Subject;
use super::{Ground, clear};
use crate::config::OnConflict;
use crate::host::PathState;

pub(super) fn decide(ground: &Ground<'_>, subject: &Subject<'_>, draft: &mut Draft) {
    match &subject.found {
        PathState::Absent => subject.write(PathChange::Create, draft),
        PathState::Directory { .. } if subject.is_directory_wanted() => {
            subject.write(PathChange::Metadata, draft);
        }
        PathState::Directory { .. } if made_by_us(ground, subject) => {
            clear(subject.path, &subject.found, draft);
            subject.write(PathChange::Update, draft);
        }
        PathState::File { .. } | PathState::Symlink { .. } => taken(subject, draft),
        PathState::Directory { .. } => draft.conflict(
            subject.path,
            "a directory is in its place",
            "move the directory away; it is never emptied or removed for a file",
        ),
        PathState::Other { what } => draft.conflict(
            subject.path,
            what.clone(),
            "move it away, or name the path that it leads to: links in parent directories are never followed",
        ),
    }
}

/// A directory that was made on the way to a file of ours.
fn made_by_us(ground: &Ground<'_>, subject: &Subject<'_>) -> bool {
    ground.at.owned.originals.get(subject.path) == Some(&PathState::Absent)
}

/// A file or link of somebody else's.
fn taken(subject: &Subject<'_>, draft: &mut Draft) {
    let change = match subject.entry.on_conflict {
        OnConflict::Refuse => {
            return draft.conflict(
                subject.path,
                format!("{} is in its place", words(&subject.found)),
                "say `on_conflict: backup` to take it over and keep the original, or `on_conflict: adopt` to take it \
                 over without keeping it, or remove it",
            );
        }
        OnConflict::Adopt => PathChange::Adopt,
        OnConflict::Backup => PathChange::Backup,
    };
    if subject.is_directory_wanted() {
        clear(subject.path, &subject.found, draft);
    }
    subject.write(change, draft);
}
