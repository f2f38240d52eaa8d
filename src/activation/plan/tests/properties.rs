use proptest::prelude::*;

use super::generations::secret;
use super::ordering::assert_ordered;
use super::world::*;
use crate::activation::plan::{Fit, Ids, fit};
use crate::activation::{Held, Observed, Owned, plan};
use crate::config::OnConflict;
use crate::generation::{
    Additions, GroupEntry, Manifest, OnChange, Originals, PathEntry, PathKind,
};
use crate::host::{GroupName, HostPath, PathState, UnitId, UnitKind, UnitState, UserName};
use crate::secrets::{SecretSpec, SecretState, UnitTriggers};

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

const PEOPLE: [&str; 2] = ["ketan", "mary"];

const SECRETS: [&str; 2] = ["db", "tls"];

const PACKAGES: [&str; 2] = ["curl", "jq"];

const UNITS: [&str; 4] = ["a.service", "a.socket", "b.service", "c.timer"];

/// What is at a path, and whose it is if not root's.
fn kind() -> impl Strategy<Value = (PathKind, Option<&'static str>)> {
    let owner = || prop::option::weighted(0.3, prop::sample::select(&PEOPLE[..]));
    prop_oneof![
        3 => ("[xyz]", owner()).prop_map(|(content, owner)| (file_kind(&content), owner)),
        2 => owner().prop_map(|owner| (directory_kind(), owner)),
        1 => "[pq]".prop_map(|target| (link_kind(&target), None)),
    ]
}

fn belong_to(kind: &mut PathKind, name: &str) {
    if let PathKind::File { owner, group, .. } | PathKind::Directory { owner, group, .. } = kind {
        *owner = UserName::new(name).unwrap();
        *group = GroupName::new("users").unwrap();
    }
}

fn on_change() -> impl Strategy<Value = OnChange> {
    prop_oneof![
        Just(OnChange::StopStart),
        Just(OnChange::Restart),
        Just(OnChange::Reload),
        Just(OnChange::Keep),
    ]
}

/// Everything but paths and units: accounts, secrets with the units that read them, and packages.
fn the_rest() -> impl Strategy<Value = Manifest> {
    let people = prop::collection::btree_set(prop::sample::select(&PEOPLE[..]), 0..3);
    let reader = prop::option::of(prop::sample::select(&UNITS[..]));
    let secrets = prop::collection::btree_map(prop::sample::select(&SECRETS[..]), reader, 0..3);
    let packages = prop::collection::btree_set(prop::sample::select(&PACKAGES[..]), 0..2);
    (people, secrets, packages).prop_map(|(people, secrets, packages)| {
        let mut manifest = manifest();
        for name in people {
            let users = GroupEntry {
                gid: None,
                system: false,
            };
            manifest
                .groups
                .insert(GroupName::new("users").unwrap(), users);
            let user = user(&format!("/home/{name}"));
            manifest.users.insert(UserName::new(name).unwrap(), user);
        }
        for (name, reader) in secrets {
            let spec = SecretSpec {
                owner: UserName::new("root").unwrap(),
                group: GroupName::new("root").unwrap(),
                units: UnitTriggers {
                    restart: reader.into_iter().map(unit_name).collect(),
                    reload: [].into(),
                },
                ..secret("aaaa")
            };
            manifest.secrets.insert(secret_name(name), spec);
        }
        manifest.packages = packages.into_iter().map(package).collect();
        manifest
    })
}

/// A manifest in which nothing lies below what is not a directory, and nobody owns anything who is not there.
fn a_manifest() -> impl Strategy<Value = Manifest> {
    let paths = prop::collection::btree_map(prop::sample::select(&POOL[..]), kind(), 0..7);
    let unit = ("[12]", on_change(), prop::option::of(any::<bool>()));
    let units = prop::collection::btree_map(prop::sample::select(&UNITS[..]), unit, 0..4);
    (the_rest(), paths, units).prop_map(|(mut manifest, paths, units)| {
        for (at, (mut kind, owner)) in paths {
            let owner =
                owner.filter(|owner| manifest.users.contains_key(&UserName::new(*owner).unwrap()));
            if let Some(owner) = owner {
                belong_to(&mut kind, owner);
            }
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
    for (name, account) in &world.observed.accounts.users {
        let is_wanted = desired.users.contains_key(name) || name.as_str() == "root";
        assert_eq!(account.locked, Some(!is_wanted), "{name}");
    }
    let users = &world.observed.accounts.users;
    assert!(desired.users.keys().all(|name| users.contains_key(name)));
    let secrets = world.observed.secrets.iter();
    let current: Vec<_> = secrets
        .filter(|(_, state)| **state == SecretState::Current)
        .map(|(name, _)| name)
        .collect();
    assert_eq!(current, desired.secrets.keys().collect::<Vec<_>>());
    assert_eq!(world.observed.packages.as_ref(), Some(&desired.packages));
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
            assert_ordered(&plan, generation);
            assert_is(&world, generation);
            let again = world.plan(generation, Held::Nothing).unwrap();
            prop_assert!(again.is_empty(), "again: {}", text(&again));
        }
        let nothing = manifest();
        let plan = world.go(&nothing);
        assert_ordered(&plan, &nothing);
        assert_is(&world, &nothing);
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
        let both = world.look(&second);
        let mut seen = world.look(&first);
        seen.paths.extend(both.paths);
        seen.units.extend(both.units);
        let back = plan(&first, &owned, &seen, Held::Reported).unwrap();
        for step in &back.steps {
            world.apply(step);
        }
        world.commit(&first);
        prop_assert_eq!(world.tree(), before, "there:\n{}\nback:\n{}", text(&there), text(&back));
        assert_is(&world, &first);
        let again = world.plan(&first, Held::Nothing).unwrap();
        prop_assert!(again.is_empty(), "again: {}", text(&again));
    }
}
