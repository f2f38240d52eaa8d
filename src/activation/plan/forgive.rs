//! What may differ counts as what it should be.

use std::borrow::Cow;

use super::Observed;
use super::compare::Ids;
use crate::generation::{Lenience, Manifest, PathKind};
use crate::host::{Digest, Owner, PathState};

/// What was observed, with what `desired` is lenient about taken as right: at paths that `owned` generations name, and so
/// not at those whose content is somebody else's.
pub(super) fn forgive<'o>(
    desired: &Manifest,
    owned: &[&Manifest],
    observed: &'o Observed,
) -> Cow<'o, Observed> {
    let mut seen = Cow::Borrowed(observed);
    for (path, lenience) in &desired.lenience {
        let is_ours = owned
            .iter()
            .any(|manifest| manifest.paths.contains_key(path));
        let (Some(entry), Some(found), true) =
            (desired.paths.get(path), observed.paths.get(path), is_ours)
        else {
            continue;
        };
        let rest = observed.rests.get(path);
        let forgiven = forgiven(
            lenience,
            &entry.kind,
            (found, rest),
            Ids(&observed.accounts),
        );
        if forgiven != *found {
            seen.to_mut().paths.insert(path.clone(), forgiven);
        }
    }
    seen
}

/// What was `found`, with the digest of its lines that count, as far as `lenience` lets it differ from `wanted`.
pub(crate) fn forgiven(
    lenience: &Lenience,
    wanted: &PathKind,
    (found, rest): (&PathState, Option<&Digest>),
    ids: Ids<'_>,
) -> PathState {
    let mut forgiven = found.clone();
    let (user, group, right) = match wanted {
        PathKind::File {
            owner, group, mode, ..
        }
        | PathKind::Directory { owner, group, mode } => (owner, group, *mode),
        PathKind::Symlink { .. } => return forgiven,
    };
    match (&mut forgiven, wanted) {
        (
            PathState::File {
                content,
                mode,
                owner,
                ..
            },
            PathKind::File {
                content: should, ..
            },
        ) => {
            let lines = lenience.lines.as_ref();
            if lenience.content || lines.is_some_and(|lines| rest == Some(&lines.rest)) {
                content.clone_from(should);
            }
            if lenience.mode {
                *mode = right;
            }
            if lenience.owner {
                *owner = ids.owner(user, group).unwrap_or(*owner);
            }
        }
        (PathState::Directory { mode, owner }, PathKind::Directory { .. }) => {
            if lenience.mode {
                *mode = right;
            }
            if lenience.owner {
                *owner = ids.owner(user, group).unwrap_or(*owner);
            }
        }
        _ => {}
    }
    forgiven
}

impl Ids<'_> {
    /// The ids of both; `None` if either is not there yet.
    fn owner(self, user: &crate::host::UserName, group: &crate::host::GroupName) -> Option<Owner> {
        let (uid, gid) = (self.user(user)?, self.group(group)?);
        Some(Owner::Ids { uid, gid })
    }
}
