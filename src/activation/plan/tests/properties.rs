use std::collections::BTreeMap;

use proptest::prelude::*;

use super::world::*;
use crate::activation::plan::{Fit, Ids, fit};
use crate::activation::{Held, Observed, Owned, Plan, Step, plan};
use crate::config::OnConflict;
use crate::generation::{Additions, Manifest, OnChange, Originals, PathEntry, PathKind};
use crate::host::{HostPath, PathState, UnitId, UnitKind, UnitState};

const POOL: [&str; 10] = [
    "/etc/a",
    "/etc/a/b",
    "/etc/a/b/c",
    "/etc/a/d",
    "/etc/a-b",
    "/etc/e/f/g",
    "/etc/e/f",
    "/srv",
    "/srv/x",
    "/srv/x/y",
];

const FOREIGN: [&str; 2] = ["/etc/a-b", "/etc/h"];

const UNITS: [&str; 4] = ["a.service", "a.socket", "b.service", "c.timer"];

fn kind() -> impl Strategy<Value = PathKind> {
    prop_oneof![
        3 => "[xyz]".prop_map(|content| file_kind(&content)),
        2 => Just(directory_kind()),
        1 => "[pq]".prop_map(|target| link_kind(&target)),
    ]
}

fn on_change() -> impl Strategy<Value = OnChange> {
    prop_oneof![
        Just(OnChange::StopStart),
        Just(OnChange::Restart),
        Just(OnChange::Reload),
        Just(OnChange::Keep),
    ]
}

/// A manifest in which nothing lies below what is not a directory.
fn a_manifest() -> impl Strategy<Value = Manifest> {
    let paths = prop::collection::btree_map(prop::sample::select(&POOL[..]), kind(), 0..7);
    let unit = ("[12]", on_change(), prop::option::of(any::<bool>()));
    let units = prop::collection::btree_map(prop::sample::select(&UNITS[..]), unit, 0..4);
    (paths, units).prop_map(|(paths, units)| {
        let mut manifest = manifest();
        for (at, kind) in paths {
            let entry = PathEntry {
                on_conflict: OnConflict::Backup,
                ..entry(kind)
            };
            manifest.paths.insert(path(at), entry);
        }
        for (name, (content, on_change, start)) in units {
            with_unit(&mut manifest, name, &content, on_change);
            let entry = manifest.units.get_mut(&unit_name(name)).unwrap();
            entry.start = start;
        }
        keep_possible(&mut manifest);
        manifest
    })
}

fn keep_possible(manifest: &mut Manifest) {
    let blocked: Vec<HostPath> = manifest
        .paths
        .keys()
        .filter(|at| {
            at.ancestors().any(|above| {
                let entry = manifest.paths.get(&above);
                entry.is_some_and(|entry| !matches!(entry.kind, PathKind::Directory { .. }))
            })
        })
        .cloned()
        .collect();
    for at in blocked {
        manifest.paths.remove(&at);
    }
}

/// A machine on which strangers left some files.
fn a_world() -> impl Strategy<Value = World> {
    prop::collection::btree_map(prop::sample::select(&FOREIGN[..]), "[xyz]", 0..2).prop_map(
        |found| {
            let mut world = World::fresh();
            for (at, content) in found {
                world.put(at, file_state(&content));
            }
            world
        },
    )
}

fn assert_is(world: &World, desired: &Manifest) {
    let ids = Ids(&world.observed.accounts);
    for (at, entry) in &desired.paths {
        let found = world.observed.paths.get(at).cloned();
        let found = found.unwrap_or(PathState::Absent);
        assert_eq!(fit(&entry.kind, &found, ids), Fit::Same, "{at}: {found:?}");
    }
    for (name, entry) in &desired.units {
        let state = world.observed.units.get(name);
        let up = state.is_some_and(|state| state.active.unwrap().is_up());
        if let Some(start) = entry.start
            && !is_held_by_its_service(world, desired, name)
        {
            assert_eq!(up, start, "{name}");
        }
    }
}

/// A socket cannot start while its service runs, and this one is never restarted.
fn is_held_by_its_service(world: &World, desired: &Manifest, socket: &UnitId) -> bool {
    let Some(service) = socket.beside("service") else {
        return false;
    };
    let entry = desired.units.get(&service);
    let state = world.observed.units.get(&service);
    socket.kind() == UnitKind::Socket
        && entry.is_some_and(|entry| entry.on_change == OnChange::Keep)
        && state.is_some_and(UnitState::is_up)
}

fn rank(step: &Step) -> u8 {
    match step {
        Step::StopUnit { .. } => 0,
        Step::UpdatePackageLists { .. } => 1,
        Step::ReleasePackages { .. } => 2,
        Step::InstallPackages { .. } => 3,
        Step::HoldPackages { .. } => 4,
        Step::CreateGroup { .. } => 5,
        Step::CreateUser { .. } | Step::ModifyUser { .. } | Step::LockUser { .. } => 6,
        Step::InstallSecrets { .. } => 7,
        Step::WritePath { .. } | Step::RemovePath { .. } | Step::RestoreOriginal { .. } => 8,
        Step::LoadModule { .. } => 10,
        Step::SetHostname { .. } | Step::SetSysctl { .. } => 11,
        Step::GenerateLocales { .. } => 12,
        Step::EnableUnit { .. } | Step::DisableUnit { .. } => 13,
        Step::ReloadManager { .. } | Step::ReloadConnections { .. } => 14,
        Step::SetLinger { .. } => 15,
        Step::ReloadUnit { .. } => 16,
        Step::RestartUnit { .. } | Step::CatchUpUnit { .. } => 17,
        Step::StartUnit { .. } => 18,
        Step::RemovePackages { .. } => 19,
    }
}

fn assert_ordered(plan: &Plan) {
    assert!(plan.steps.is_sorted_by_key(rank), "{}", text(plan));
    let reloads = plan
        .steps
        .iter()
        .filter(|step| matches!(step, Step::ReloadManager { .. }))
        .count();
    assert!(reloads <= 1);
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for step in &plan.steps {
        if let Step::WritePath { .. } | Step::RestoreOriginal { .. } = step {
            *seen.entry(step.subject()).or_default() += 1;
        }
    }
    assert!(seen.values().all(|count| *count == 1), "{seen:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_machine_becomes_what_each_generation_says_and_in_the_end_what_it_was(
        world in a_world(),
        generations in prop::collection::vec(a_manifest(), 1..4),
    ) {
        let before = world.tree();
        let mut world = world;
        for generation in &generations {
            let plan = world.go(generation);
            assert_ordered(&plan);
            assert_is(&world, generation);
            let again = world.plan(generation, Held::Nothing).unwrap();
            prop_assert!(again.is_empty(), "again: {}", text(&again));
        }
        world.go(&manifest());
        prop_assert_eq!(world.tree(), before);
    }

    #[test]
    fn a_host_that_is_exactly_a_generation_needs_nothing(active in a_manifest()) {
        let originals = Originals::new();
        let owned = Owned { generations: vec![&active], originals: &originals, additions: &Additions::default(), unfinished: [].into() };
        let plan = plan(&active, &owned, &Observed::as_if(&active), Held::Nothing).unwrap();
        prop_assert!(plan.is_empty(), "{}", text(&plan));
    }

    #[test]
    fn an_interrupted_activation_is_undone_wherever_it_stopped(
        world in a_world(),
        first in a_manifest(),
        second in a_manifest(),
        stop in 0_usize..40,
    ) {
        let mut world = world;
        world.go(&first);
        let before = world.tree();
        let there = world.plan(&second, Held::Nothing).unwrap();
        world.take(&second, &there);
        for step in there.steps.iter().take(stop) {
            world.apply(step);
        }
        let owned = Owned {
            generations: vec![&first, &second],
            originals: &world.originals,
            additions: &world.additions,
            unfinished: [].into(),
        };
        let mut seen = world.look(&second);
        seen.paths.extend(world.look(&first).paths);
        let back = plan(&first, &owned, &seen, Held::Reported).unwrap();
        for step in &back.steps {
            world.apply(step);
        }
        world.commit(&first);
        prop_assert_eq!(world.tree(), before, "there:\n{}\nback:\n{}", text(&there), text(&back));
        let again = world.plan(&first, Held::Nothing).unwrap();
        let paths = again.steps.iter().filter(|step| rank(step) == 5).count();
        prop_assert_eq!(paths, 0, "again: {}", text(&again));
    }
}
