//! What must be done before what, as `docs/activation.md` says it, whatever ranks the plan is sorted by.

use std::collections::BTreeSet;

use super::world::*;
use crate::activation::{Plan, Step};
use crate::generation::{Manifest, PathKind};
use crate::host::{HostPath, UnitId, UnitKind};

/// A kind of step, by what it is called here.
type Kind = (&'static str, fn(&Step) -> bool);

const STOPS: Kind = ("stops", |step| matches!(step, Step::StopUnit { .. }));
const PACKAGES: Kind = ("packages come", |step| {
    matches!(step, Step::InstallPackages { .. })
});
const GROUPS: Kind = ("groups", |step| matches!(step, Step::CreateGroup { .. }));
const ACCOUNTS: Kind = ("accounts", |step| {
    use Step::{CreateUser, LockUser, ModifyUser};
    matches!(
        step,
        CreateUser { .. } | ModifyUser { .. } | LockUser { .. }
    )
});
const SECRETS: Kind = ("secrets", |step| {
    matches!(step, Step::InstallSecrets { .. })
});
const WRITES: Kind = ("writes", |step| written(step).is_some());
const PATHS: Kind = ("paths", |step| {
    WRITES.1(step) || matches!(step, Step::RemovePath { .. })
});
const READING: Kind = ("systemd reads its files", |step| {
    matches!(step, Step::ReloadManager { .. })
});
const MOVES: Kind = ("units move", |step| {
    use Step::{CatchUpUnit, ReloadUnit, RestartUnit, StartUnit};
    matches!(
        step,
        ReloadUnit { .. } | RestartUnit { .. } | CatchUpUnit { .. } | StartUnit { .. }
    )
});
const STARTS: Kind = ("starts", |step| matches!(step, Step::StartUnit { .. }));
const RELOADS: Kind = ("reloads", |step| matches!(step, Step::ReloadUnit { .. }));
const PURGES: Kind = ("packages go", |step| {
    matches!(step, Step::RemovePackages { .. })
});

/// Every step of the first kind comes before every step of the second.
const ORDER: [(Kind, Kind); 15] = [
    (STOPS, PACKAGES),
    (STOPS, SECRETS),
    (STOPS, PATHS),
    (STOPS, READING),
    (PACKAGES, ACCOUNTS),
    (GROUPS, ACCOUNTS),
    (ACCOUNTS, SECRETS),
    (ACCOUNTS, WRITES),
    (SECRETS, PATHS),
    (PATHS, READING),
    (SECRETS, MOVES),
    (READING, MOVES),
    (RELOADS, STARTS),
    (PATHS, MOVES),
    (MOVES, PURGES),
];

pub(super) fn assert_ordered(plan: &Plan, desired: &Manifest) {
    for ((earlier, first), (later, second)) in ORDER {
        let last = plan.steps.iter().rposition(first);
        let next = plan.steps.iter().position(second);
        if let (Some(last), Some(next)) = (last, next) {
            assert!(last < next, "{earlier} before {later}:\n{}", text(plan));
        }
    }
    assert_paths_are_ordered(plan);
    assert_units_are_ordered(plan, desired);
    let mut done = BTreeSet::new();
    for step in &plan.steps {
        assert!(done.insert(step.describe()), "twice: {}", step.describe());
    }
}

fn written(step: &Step) -> Option<&HostPath> {
    match step {
        Step::WritePath { path, .. } | Step::RestoreOriginal { path, .. } => Some(path),
        _ => None,
    }
}

/// Parents before what is in them, what is in a directory goes before it, and what is in the way before what comes.
fn assert_paths_are_ordered(plan: &Plan) {
    let mut written_so_far: BTreeSet<&HostPath> = BTreeSet::new();
    let mut removed: BTreeSet<&HostPath> = BTreeSet::new();
    for step in &plan.steps {
        if let Some(at) = written(step) {
            let late = written_so_far
                .iter()
                .find(|other| other.ancestors().any(|above| above == *at));
            assert_eq!(late, None, "{at} comes late:\n{}", text(plan));
            assert!(written_so_far.insert(at), "{at} twice:\n{}", text(plan));
        }
        if let Step::RemovePath { path, .. } = step {
            assert!(
                !path.ancestors().any(|above| removed.contains(&above)),
                "{path} goes after what it is in:\n{}",
                text(plan)
            );
            assert!(
                !written_so_far.contains(path),
                "{path} is made and goes:\n{}",
                text(plan)
            );
            removed.insert(path);
        }
    }
    for step in &plan.steps {
        let Step::WritePath { path, entry, .. } = step else {
            continue;
        };
        if let PathKind::File { .. } | PathKind::Symlink { .. } = entry.kind {
            let inside = written_so_far
                .iter()
                .find(|other| other.ancestors().any(|above| above == *path));
            assert_eq!(inside, None, "below {path}:\n{}", text(plan));
        }
    }
}

/// A unit is moved in one way, what triggers it is there before it starts and gone before it stops, and systemd has read
/// the file that it starts with.
fn assert_units_are_ordered(plan: &Plan, desired: &Manifest) {
    let position = |wanted: &dyn Fn(&Step) -> bool| plan.steps.iter().position(wanted);
    let stops =
        |unit: &UnitId| position(&|s| matches!(s, Step::StopUnit { unit: u, .. } if u == unit));
    let starts =
        |unit: &UnitId| position(&|s| matches!(s, Step::StartUnit { unit: u, .. } if u == unit));
    let mut moved = BTreeSet::new();
    for step in &plan.steps {
        let (Step::RestartUnit { unit, .. }
        | Step::StartUnit { unit, .. }
        | Step::ReloadUnit { unit, .. }) = step
        else {
            continue;
        };
        assert!(moved.insert(unit), "{unit} moves twice:\n{}", text(plan));
        if matches!(step, Step::RestartUnit { .. } | Step::ReloadUnit { .. }) {
            assert_eq!(stops(unit), None, "{unit} is down:\n{}", text(plan));
        }
        if unit.kind() == UnitKind::Socket
            && let Some(service) = unit.beside("service")
        {
            for (socket, service) in [
                (starts(unit), starts(&service)),
                (stops(unit), stops(&service)),
            ] {
                if let (Some(socket), Some(service)) = (socket, service) {
                    assert!(socket < service, "{unit}:\n{}", text(plan));
                }
            }
        }
        let defined: Vec<&HostPath> = desired
            .units
            .get(unit)
            .map(|entry| entry.definition.iter().collect())
            .unwrap_or_default();
        let changes = |s: &Step| written(s).is_some_and(|at| defined.contains(&at));
        assert!(
            position(&changes).is_none() || position(&READING.1).is_some(),
            "{unit} starts with a file that systemd has not read:\n{}",
            text(plan)
        );
    }
}
