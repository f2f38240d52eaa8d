//! An entry against what is at its path.

use crate::config::OnConflict;
use crate::generation::{PathEntry, PathKind};
use crate::host::{Accounts, Attributes, GroupName, Owner, PathState, UserName};

/// Names to ids, by the accounts of the machine.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ids<'a>(pub(crate) &'a Accounts);

impl Ids<'_> {
    /// The id of a user; `None` if there is no such account yet. Root is 0 everywhere.
    pub(crate) fn user(self, name: &UserName) -> Option<u32> {
        match name.as_str() {
            "root" => Some(0),
            _ => self.0.users.get(name).map(|state| state.uid),
        }
    }

    /// The id of a group; `None` if there is no such group yet.
    pub(crate) fn group(self, name: &GroupName) -> Option<u32> {
        match name.as_str() {
            "root" => Some(0),
            _ => self.0.groups.get(name).map(|state| state.gid),
        }
    }

    fn owns(self, user: &UserName, group: &GroupName, found: Owner) -> bool {
        match found {
            Owner::Unknown => true,
            Owner::Ids { uid, gid } => {
                self.user(user) == Some(uid) && self.group(group) == Some(gid)
            }
        }
    }
}

/// How an entry and what is at its path differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fit {
    /// Not at all.
    Same,
    /// In owner, group or mode only.
    Metadata,
    /// In content or type.
    Other,
}

/// Compares.
pub(crate) fn fit(wanted: &PathKind, found: &PathState, ids: Ids<'_>) -> Fit {
    match (wanted, found) {
        (
            PathKind::File {
                content,
                owner,
                group,
                mode,
            },
            PathState::File {
                content: has,
                mode: has_mode,
                owner: has_owner,
                ..
            },
        ) if content == has => metadata(*mode == *has_mode, ids.owns(owner, group, *has_owner)),
        (
            PathKind::Directory { owner, group, mode },
            PathState::Directory {
                mode: has_mode,
                owner: has_owner,
            },
        ) => metadata(*mode == *has_mode, ids.owns(owner, group, *has_owner)),
        (PathKind::Symlink { target }, PathState::Symlink { target: has }) if target == has => {
            Fit::Same
        }
        _ => Fit::Other,
    }
}

/// Compares, extended attributes of files included: those of `entry` are what [`attributes`] says.
pub(crate) fn fit_whole(
    entry: &PathEntry,
    found: &PathState,
    ids: Ids<'_>,
    original: Option<&PathState>,
) -> Fit {
    let fit = fit(&entry.kind, found, ids);
    match found {
        PathState::File {
            attributes: has, ..
        } if fit == Fit::Same && *has != attributes(entry, original) => Fit::Metadata,
        _ => fit,
    }
}

/// The extended attributes that a file of ours has: those of the file that it took the place of, if that is kept, and no
/// others. A capability was given to that one's content.
pub(crate) fn attributes(entry: &PathEntry, original: Option<&PathState>) -> Attributes {
    let (
        PathKind::File {
            content: wanted, ..
        },
        Some(PathState::File {
            content,
            attributes,
            ..
        }),
    ) = (&entry.kind, original)
    else {
        return Attributes::default();
    };
    if content == wanted {
        attributes.clone()
    } else if entry.on_conflict == OnConflict::Adopt {
        Attributes::default()
    } else {
        attributes.for_other_content()
    }
}

fn metadata(same_mode: SameMode, same_owner: SameOwner) -> Fit {
    if same_mode && same_owner {
        Fit::Same
    } else {
        Fit::Metadata
    }
}

type SameMode = bool;
type SameOwner = bool;

/// What was found, in words for people.
pub(crate) fn words(found: &PathState) -> String {
    match found {
        PathState::Absent => "nothing is there".to_owned(),
        PathState::File { mode, .. } => format!("a file that is not ours (mode {mode})"),
        PathState::Directory { .. } => "a directory".to_owned(),
        PathState::Symlink { target } => format!("a link to {target}"),
        PathState::Other { what } => what.clone(),
    }
}
