use super::world::*;
use crate::activation::Held;
use crate::config::Enforcement;
use crate::generation::{GroupEntry, Manifest, UserEntry};
use crate::host::{GroupName, GroupState, SubIds, UserName};

fn with_user(entry: UserEntry) -> Manifest {
    let mut manifest = manifest();
    manifest.users.insert(UserName::new("anna").unwrap(), entry);
    manifest
}

#[test]
fn accounts_are_made_changed_locked_and_unlocked_again() {
    let mut world = World::fresh();
    let first = with_user(user("/home/anna"));
    assert_eq!(
        text(&world.go(&first)),
        "create group users\ncreate user anna"
    );
    assert_eq!(text(&world.go(&first)), "");
    let second = with_user(UserEntry {
        shell: Some(path("/bin/bash")),
        password_hash: Some("$y$hash".to_owned()),
        ..user("/home/anna")
    });
    assert_eq!(
        text(&world.go(&second)),
        "change user anna: shell /bin/bash, password"
    );
    assert_eq!(text(&world.go(&manifest())), "lock user anna");
    assert_eq!(text(&world.go(&manifest())), "");
    assert_eq!(text(&world.go(&second)), "change user anna: unlock");
}

#[test]
fn ids_are_never_changed() {
    let mut world = World::fresh();
    world.go(&with_user(user("/home/anna")));
    let mut desired = with_user(UserEntry {
        uid: Some(4711),
        ..user("/home/anna")
    });
    let group = GroupEntry {
        gid: Some(4711),
        system: false,
    };
    desired
        .groups
        .insert(GroupName::new("users").unwrap(), group);
    let conflicts = world.plan(&desired, Held::Nothing).unwrap_err();
    let text: Vec<String> = conflicts.0.iter().map(ToString::to_string).collect();
    assert_eq!(
        text,
        [
            "group users: exists with gid 1001, not 4711",
            "user anna: exists with uid 1002, not 4711"
        ]
    );
}

#[test]
fn the_superuser_is_never_locked() {
    let mut world = World::fresh();
    let mut desired = manifest();
    let root = UserEntry {
        group: GroupName::new("root").unwrap(),
        ..user("/root")
    };
    desired.users.insert(UserName::new("root").unwrap(), root);
    world.active = Some(desired);
    let plan = world.plan(&manifest(), Held::Nothing).unwrap();
    assert_eq!(
        text(&plan),
        "note: user root: is no longer managed; the superuser is never locked"
    );
}

#[test]
fn drift_of_accounts_packages_and_kernel_is_only_reported_unless_enforced() {
    let mut world = World::fresh();
    let mut desired = with_user(user("/home/anna"));
    desired.packages.insert(package("curl"));
    desired.hostname = Some("chicago".to_owned());
    desired
        .sysctls
        .insert("vm.swappiness".to_owned(), "10".to_owned());
    world
        .observed
        .sysctls
        .insert("vm.swappiness".to_owned(), "60".to_owned());
    world.go(&desired);
    world.observed.packages = Some([].into());
    world.observed.hostname = Some("drifted".to_owned());
    world
        .observed
        .sysctls
        .insert("vm.swappiness".to_owned(), "99".to_owned());
    let anna = UserName::new("anna").unwrap();
    world.observed.accounts.users.get_mut(&anna).unwrap().home = "/".to_owned();
    let plan = world.plan(&desired, Held::Reported).unwrap();
    insta::assert_snapshot!(text(&plan), @r"
    note: package curl: was removed by somebody; it is left so, because drift is only reported
    note: user anna: differs in home /home/anna; it is left so, because drift is only reported
    note: hostname: is drifted; it is left so, because drift is only reported
    note: sysctl vm.swappiness: is 99; it is left so, because drift is only reported
    ");
    desired.drift = Enforcement::Enforce;
    world.active.as_mut().unwrap().drift = Enforcement::Enforce;
    let plan = world.plan(&desired, Held::Reported).unwrap();
    insta::assert_snapshot!(text(&plan), @r"
    install curl
    change user anna: home /home/anna
    set host name to chicago
    set vm.swappiness to 10
    ");
}

fn name(text: &str) -> UserName {
    UserName::new(text).unwrap()
}

/// The account `anna`, changed.
fn with_anna(change: impl FnOnce(&mut UserEntry)) -> Manifest {
    let mut entry = user("/home/anna");
    change(&mut entry);
    with_user(entry)
}

#[test]
fn an_expiry_of_ours_goes_with_its_entry_and_one_of_others_stays() {
    let mut world = World::fresh();
    let dated = with_anna(|entry| entry.expires = Some(jiff::civil::date(2027, 12, 31)));
    world.go(&dated);
    assert!(world.plan(&dated, Held::Nothing).unwrap().is_empty());
    let plain = with_anna(|_| {});
    assert_eq!(
        text(&world.plan(&plain, Held::Nothing).unwrap()),
        "change user anna: expires never"
    );
    let found = world
        .observed
        .accounts
        .users
        .get_mut(&name("anna"))
        .unwrap();
    found.expires = Some(20_000);
    assert!(world.plan(&plain, Held::Nothing).unwrap().is_empty());
    assert_eq!(
        text(&world.plan(&dated, Held::Nothing).unwrap()),
        "change user anna: expires 2027-12-31"
    );
}

#[test]
fn an_account_that_has_expired_as_declared_is_not_unlocked_again_and_again() {
    let mut world = World::fresh();
    let past = with_anna(|entry| entry.expires = Some(jiff::civil::date(2020, 1, 1)));
    world.go(&past);
    let found = world
        .observed
        .accounts
        .users
        .get_mut(&name("anna"))
        .unwrap();
    assert_eq!(found.expires, Some(18_262));
    found.locked = Some(true);
    assert!(world.plan(&past, Held::Nothing).unwrap().is_empty());
}

#[test]
fn subordinate_ids_are_given_once_and_never_changed_or_shared() {
    let range = |start| SubIds {
        start,
        count: 65_536,
    };
    let mut world = World::fresh();
    let wanted = with_anna(|entry| entry.subids = Some(range(200_000)));
    world.go(&with_anna(|_| {}));
    let changes =
        |world: &World, desired| world.plan(desired, Held::Nothing).map(|plan| text(&plan));
    assert_eq!(
        changes(&world, &wanted).unwrap(),
        "change user anna: subordinate ids 200000:65536"
    );
    for ranges in [
        &mut world.observed.accounts.subuids,
        &mut world.observed.accounts.subgids,
    ] {
        ranges.insert("somebody".to_owned(), vec![range(100_000)]);
    }
    assert!(changes(&world, &wanted).is_ok());
    let shared = with_anna(|entry| entry.subids = Some(range(165_535)));
    let conflict = changes(&world, &shared).unwrap_err().0.remove(0);
    assert!(
        conflict.found.contains("somebody has 100000:65536"),
        "{conflict}"
    );
    world.go(&wanted);
    let moved = with_anna(|entry| entry.subids = Some(range(300_000)));
    let conflict = changes(&world, &moved).unwrap_err().0.remove(0);
    assert_eq!(conflict.found, "has the subordinate ids 200000:65536");
    assert!(conflict.hint.contains("start: 200000"), "{}", conflict.hint);
}

#[test]
fn a_membership_of_ours_ends_with_its_entry_and_one_of_others_stays() {
    let mut world = World::fresh();
    let group = |text: &str| GroupName::new(text).unwrap();
    for (name, gid) in [("sudo", 27), ("video", 44)] {
        let state = GroupState {
            gid,
            members: ["anna".to_owned()].into(),
        };
        world.observed.accounts.groups.insert(group(name), state);
    }
    world.go(&with_anna(|entry| entry.groups = [group("sudo")].into()));
    world
        .additions
        .members
        .insert(name("anna"), [group("sudo")].into());
    let plan = world.plan(&with_anna(|_| {}), Held::Nothing).unwrap();
    assert_eq!(text(&plan), "change user anna: no longer member of sudo");
}

#[test]
fn a_locked_account_leaves_the_groups_we_put_it_into_also_if_it_was_locked_before() {
    let mut world = World::fresh();
    world.go(&with_anna(|_| {}));
    let sudo = GroupName::new("sudo").unwrap();
    let state = GroupState {
        gid: 27,
        members: ["anna".to_owned()].into(),
    };
    world.observed.accounts.groups.insert(sudo.clone(), state);
    let anna = world.observed.accounts.users.get_mut(&name("anna"));
    anna.unwrap().locked = Some(true);
    let lines = |world: &World| text(&world.plan(&manifest(), Held::Nothing).unwrap());
    assert_eq!(lines(&world), "", "a membership of others is theirs");
    world.additions.members.insert(name("anna"), [sudo].into());
    assert_eq!(lines(&world), "lock user anna");
}

#[test]
fn logind_is_told_when_an_account_begins_or_ends_to_linger() {
    let mut world = World::fresh();
    let mut desired = with_anna(|_| {});
    desired
        .paths
        .insert(path("/var/lib/systemd/linger/anna"), file(""));
    let lines = |plan: &crate::activation::Plan| plan.lines();
    let there = world.go(&desired);
    assert!(
        lines(&there).contains(&"let services of anna run without a login".to_owned()),
        "{:?}",
        lines(&there)
    );
    let mut without = world.clone();
    without.observed.logind = false;
    assert!(world.plan(&desired, Held::Nothing).unwrap().is_empty());
    let back = world.plan(&with_anna(|_| {}), Held::Nothing).unwrap();
    assert_eq!(
        lines(&back).last().unwrap(),
        "let services of anna end with its last session"
    );
    let back = without.plan(&with_anna(|_| {}), Held::Nothing).unwrap();
    assert!(
        text(&back).contains("with the next boot"),
        "{}",
        text(&back)
    );
}
