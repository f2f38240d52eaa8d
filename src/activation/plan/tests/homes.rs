use super::world::*;
use crate::activation::Held;
use crate::generation::{Manifest, OnChange, UnitEntry};
use crate::host::{ActiveState, UserName};

const FRAGMENT: &str = "/home/ketan/.config/systemd/user/app.service";
const LINGER: &str = "/var/lib/systemd/linger/ketan";

fn ketan() -> UserName {
    "ketan".parse().unwrap()
}

/// An account with a unit of its own, beside one of the machine that has the same name.
fn with_home(content: &str) -> Manifest {
    let mut manifest = manifest();
    manifest.users.insert(ketan(), user("/home/ketan"));
    manifest.paths.insert(path(FRAGMENT), file(content));
    let entry = UnitEntry {
        on_change: OnChange::StopStart,
        ..unit(&[FRAGMENT])
    };
    manifest.units.insert(unit_name("ketan/app.service"), entry);
    with_unit(
        &mut manifest,
        "app.service",
        "of the machine",
        OnChange::StopStart,
    );
    manifest
}

/// Where the account's systemd runs, and everything is as `with_home("1")` says.
fn awake() -> World {
    let mut world = World::fresh();
    world.go(&with_home("1"));
    world.run("ketan/app.service", ActiveState::Active);
    world.observed.awake.insert(ketan());
    world
}

#[test]
fn a_unit_of_an_account_is_moved_in_its_own_systemd() {
    let plan = awake().plan(&with_home("2"), Held::Reported).unwrap();
    insta::assert_snapshot!(text(&plan), @r"
    stop ketan/app.service (/home/ketan/.config/systemd/user/app.service changes)
    update file /home/ketan/.config/systemd/user/app.service
    let the systemd of ketan read its unit files
    start ketan/app.service (/home/ketan/.config/systemd/user/app.service changes)
    ");
}

#[test]
fn a_unit_of_an_account_that_goes_stops_before_its_file() {
    let mut without = with_home("1");
    without.units.remove(&unit_name("ketan/app.service"));
    without.paths.remove(&path(FRAGMENT));
    let plan = awake().plan(&without, Held::Reported).unwrap();
    let text = text(&plan);
    let first: Vec<&str> = text.lines().take(2).collect();
    assert_eq!(
        first,
        [
            "stop ketan/app.service (it is removed)".to_owned(),
            format!("remove file {FRAGMENT}")
        ]
    );
}

#[test]
fn where_no_systemd_of_the_account_runs_files_are_written_and_it_is_said() {
    let mut world = awake();
    world.observed.awake.clear();
    let state = world
        .observed
        .units
        .get_mut(&unit_name("ketan/app.service"));
    state.unwrap().active = None;
    let plan = world.plan(&with_home("2"), Held::Reported).unwrap();
    insta::assert_snapshot!(text(&plan), @r"
    update file /home/ketan/.config/systemd/user/app.service
    note: ketan/app.service: is not moved, because no systemd of the account runs; its files act at the next login
    ");
    let as_it_is = world.plan(&with_home("1"), Held::Reported).unwrap();
    assert_eq!(text(&as_it_is), "", "nothing is missing until the login");
}

#[test]
fn an_account_that_is_to_linger_has_its_systemd_started_for_its_units() {
    let mut world = World::fresh();
    let state = crate::host::UnitState {
        active: None,
        ..unit_state(ActiveState::Inactive)
    };
    world
        .observed
        .units
        .insert(unit_name("ketan/app.service"), state);
    let mut desired = with_home("1");
    desired.paths.insert(path(LINGER), file(""));
    let plan = world.plan(&desired, Held::Nothing).unwrap();
    let last = text(&plan).lines().last().unwrap().to_owned();
    assert_eq!(last, "start ketan/app.service (it is to run)");
}

#[test]
fn session_variables_are_read_by_the_systemd_of_the_account_alone() {
    let mut world = awake();
    world.observed.awake.insert("anna".parse().unwrap());
    let mut desired = with_home("1");
    let variables = path("/home/ketan/.config/environment.d/50-steadfast.conf");
    desired.paths.insert(variables, file("A=\"1\"\n"));
    let plan = world.plan(&desired, Held::Reported).unwrap();
    let text = text(&plan);
    let reloads: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("let "))
        .collect();
    assert_eq!(reloads, ["let the systemd of ketan read its unit files"]);
}
