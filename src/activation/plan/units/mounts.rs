//! Mounts: what a change asks of a file system that is mounted.

use super::super::decide::{Draft, Situation};
use super::one::Decision;
use super::reasons::Unit;
use crate::generation::MountEntry;

/// What is done about a mounted file system whose units change; `None` if the unit is no mount that is declared.
///
/// Other options are given to it while it is mounted, where the kernel takes them. Anything else needs it unmounted
/// first; one that is mounted when somebody looks is not mounted again.
pub(super) fn of_mount(at: &Situation<'_>, unit: &Unit<'_>, draft: &mut Draft) -> Option<Decision> {
    let wanted = at.desired.mount_of(unit.name)?;
    if unit.unfinished.is_some() {
        return None;
    }
    let Some(had) = had(at, unit) else {
        draft.notice(
            unit.name,
            "is mounted already, by what was there before; it stays so until it is mounted anew",
        );
        return Some(Decision::Nothing);
    };
    Some(decide(had, wanted))
}

fn had<'a>(at: &'a Situation<'_>, unit: &Unit<'_>) -> Option<&'a MountEntry> {
    let mut generations = at.owned.generations.iter();
    generations.find_map(|generation| generation.mount_of(unit.name))
}

/// Whether it begins or ceases to be mounted when somebody looks: the units change places, the mount's own does not
/// change.
pub(super) fn is_taken_over(at: &Situation<'_>, unit: &Unit<'_>) -> bool {
    let wanted = at.desired.mount_of(unit.name);
    match (had(at, unit), wanted) {
        (Some(had), Some(wanted)) => had.automount != wanted.automount,
        _ => false,
    }
}

fn decide(had: &MountEntry, wanted: &MountEntry) -> Decision {
    let why = if had.what != wanted.what || had.kind != wanted.kind {
        "what is mounted changes"
    } else if had.automount != wanted.automount {
        "when it is mounted changes"
    } else if had.options != wanted.options {
        "its options change"
    } else {
        // Its file says the same in other words.
        return Decision::Nothing;
    };
    let same = had.what == wanted.what && had.kind == wanted.kind;
    let why = why.to_owned();
    if same && had.automount == wanted.automount && wanted.can_be_remounted() {
        Decision::Reload(why)
    } else if wanted.automount {
        Decision::Stop(why)
    } else {
        Decision::StopStart(why)
    }
}
