use super::world::*;
use crate::activation::Held;
use crate::config::Enforcement;
use crate::generation::{GroupEntry, Manifest, UserEntry};
use crate::host::{GroupName, UserName};

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
