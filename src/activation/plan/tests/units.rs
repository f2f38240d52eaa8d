use super::world::*;
use crate::activation::{Held, Owned, Resume, plan};
use crate::config::Enforcement;
use crate::generation::{Manifest, OnChange, UnitEntry};
use crate::host::{ActiveState, UnitFileState};

const A: &str = "/etc/systemd/system/app.service";

fn app(content: &str, on_change: OnChange) -> Manifest {
    let mut manifest = manifest();
    with_unit(&mut manifest, "app.service", content, on_change);
    manifest
}

fn started(content: &str, on_change: OnChange) -> World {
    let mut world = World::fresh();
    world.go(&app(content, on_change));
    world
}

#[test]
fn a_new_unit_is_written_read_and_started() {
    let mut world = World::fresh();
    let plan = world.go(&app("1", OnChange::StopStart));
    insta::assert_snapshot!(text(&plan), @r"
    create directory /etc/systemd
    create directory /etc/systemd/system
    create file /etc/systemd/system/app.service
    let systemd read its unit files
    start app.service (it is to run)
    ");
}

#[test]
fn a_changed_unit_does_what_its_definition_says() {
    let reload = "let systemd read its unit files";
    let changes = format!("({A} changes)");
    let update = format!("update file {A}");
    let table = [
        (
            OnChange::StopStart,
            format!("stop app.service {changes}\n{update}\n{reload}\nstart app.service {changes}"),
        ),
        (
            OnChange::Restart,
            format!("{update}\n{reload}\nrestart app.service {changes}"),
        ),
        (
            OnChange::Reload,
            format!("{update}\n{reload}\nreload app.service {changes}"),
        ),
        (
            OnChange::Keep,
            format!(
                "{update}\n{reload}\nnote: app.service: is not restarted, because its definition says so; it runs \
                 with what it was started with"
            ),
        ),
    ];
    for (on_change, expected) in table {
        let mut world = started("1", on_change);
        let plan = world.go(&app("2", on_change));
        assert_eq!(text(&plan), expected, "{on_change:?}");
    }
}

#[test]
fn a_changed_unit_that_is_down_is_started_not_reloaded() {
    let mut world = started("1", OnChange::Reload);
    world.run("app.service", ActiveState::Failed);
    let plan = world.go(&app("2", OnChange::Reload));
    assert!(
        text(&plan).ends_with("start app.service (it failed)"),
        "{}",
        text(&plan)
    );
}

#[test]
fn a_removed_unit_stops_before_its_file_goes() {
    let mut world = started("1", OnChange::Keep);
    let plan = world.go(&manifest());
    insta::assert_snapshot!(text(&plan), @r"
    stop app.service (it is removed)
    remove file /etc/systemd/system/app.service
    remove directory /etc/systemd/system
    remove directory /etc/systemd
    let systemd read its unit files
    ");
}

#[test]
fn a_masked_vendor_unit_stops_and_comes_back_when_the_mask_goes() {
    let mut world = World::fresh();
    world.run("cups.service", ActiveState::Active);
    let mut desired = manifest();
    let link = entry(link_kind("/dev/null"));
    desired
        .paths
        .insert(path("/etc/systemd/system/cups.service"), link);
    let entry = UnitEntry {
        start: None,
        ..unit(&["/etc/systemd/system/cups.service"])
    };
    desired.units.insert(unit_name("cups.service"), entry);
    let plan = world.go(&desired);
    assert!(
        text(&plan).starts_with("stop cups.service (it is masked)"),
        "{}",
        text(&plan)
    );
    let plan = world.go(&manifest());
    assert!(!text(&plan).contains("stop"), "{}", text(&plan));
}

#[test]
fn a_stopped_unit_is_drift_and_a_finished_oneshot_is_not() {
    let desired = app("1", OnChange::StopStart);
    let mut world = started("1", OnChange::StopStart);
    world.run("app.service", ActiveState::Inactive);
    let plan = world.plan(&desired, Held::Reported).unwrap();
    assert_eq!(
        text(&plan),
        "note: app.service: is not running; it is left so, because drift is only reported"
    );
    let plan = world.plan(&desired, Held::Nothing).unwrap();
    assert_eq!(text(&plan), "start app.service (it is to run)");

    let state = world
        .observed
        .units
        .get_mut(&unit_name("app.service"))
        .unwrap();
    state.oneshot = true;
    "0123".clone_into(&mut state.invocation);
    assert!(world.plan(&desired, Held::Nothing).unwrap().is_empty());
}

#[test]
fn a_oneshot_that_systemd_forgot_is_done_unless_it_is_new_that_it_is_to_run() {
    let mut desired = app("1", OnChange::StopStart);
    let mut world = started("1", OnChange::StopStart);
    world.run("app.service", ActiveState::Inactive);
    let name = unit_name("app.service");
    let state = world.observed.units.get_mut(&name).unwrap();
    state.oneshot = true;
    assert!(world.plan(&desired, Held::Nothing).unwrap().is_empty());

    desired.units.get_mut(&name).unwrap().start = None;
    world.go(&desired);
    desired.units.get_mut(&name).unwrap().start = Some(true);
    let plan = world.plan(&desired, Held::Reported).unwrap();
    assert_eq!(text(&plan), "start app.service (it is to run)");
}

#[test]
fn a_unit_whose_condition_does_not_hold_is_told_and_is_started_only_when_it_changes() {
    let desired = app("1", OnChange::StopStart);
    let mut world = started("1", OnChange::StopStart);
    world.run("app.service", ActiveState::Inactive);
    let unmet = "ConditionPathExists=/etc/app.conf".to_owned();
    world.observed.unmet.insert(unit_name("app.service"), unmet);
    for held in [Held::Nothing, Held::Reported] {
        let plan = world.plan(&desired, held).unwrap();
        assert_eq!(
            text(&plan),
            "note: app.service: does not run: its condition does not hold (ConditionPathExists=/etc/app.conf)"
        );
    }
    let plan = world
        .plan(&app("2", OnChange::StopStart), Held::Nothing)
        .unwrap();
    assert!(
        text(&plan).ends_with("start app.service (it is to run)"),
        "{}",
        text(&plan)
    );
}

#[test]
fn enforced_units_start_again() {
    let mut desired = app("1", OnChange::StopStart);
    let name = unit_name("app.service");
    desired.units.get_mut(&name).unwrap().drift = Enforcement::Enforce;
    let mut world = World::fresh();
    world.go(&desired);
    world.run("app.service", ActiveState::Failed);
    let plan = world.plan(&desired, Held::Reported).unwrap();
    assert_eq!(text(&plan), "start app.service (it failed)");
}

#[test]
fn a_vendor_unit_of_a_package_to_come_is_enabled_and_started_after_it() {
    let mut desired = manifest();
    desired.packages.insert(package("nginx"));
    let entry = UnitEntry {
        enable: Some(true),
        ..unit(&[])
    };
    desired.units.insert(unit_name("nginx.service"), entry);
    let mut world = World::fresh();
    world.run("nginx.service", ActiveState::Inactive);
    let name = unit_name("nginx.service");
    world.observed.units.get_mut(&name).unwrap().file = UnitFileState::Missing;
    let plan = world.go(&desired);
    assert_eq!(
        text(&plan),
        "install nginx\nenable nginx.service\nlet systemd read its unit files\nstart nginx.service (it is to run)"
    );
    let plan = world.go(&manifest());
    insta::assert_snapshot!(text(&plan), @r"
    disable nginx.service
    let systemd read its unit files
    remove nginx
    note: nginx.service: is no longer managed; it is disabled, as it was before, and runs on if it runs
    ");
}

#[test]
fn a_unit_of_the_distribution_is_enabled_or_not_as_before_when_nobody_says_any_more() {
    let wanted = |names: &[(&str, Option<bool>)]| {
        let mut desired = manifest();
        for (name, enable) in names {
            let entry = UnitEntry {
                enable: *enable,
                ..unit(&[])
            };
            desired.units.insert(unit_name(name), entry);
        }
        desired
    };
    let (getty, timer) = ("serial-getty@ttyS0.service", "fstrim.timer");
    let mut world = World::fresh();
    for (name, file) in [
        (getty, UnitFileState::Disabled),
        (timer, UnitFileState::Enabled),
    ] {
        world.run(name, ActiveState::Active);
        let unit = world.observed.units.get_mut(&unit_name(name));
        unit.unwrap().file = file;
    }
    let plan = world.go(&wanted(&[(getty, Some(true)), (timer, Some(false))]));
    insta::assert_snapshot!(text(&plan), @r"
    disable fstrim.timer
    enable serial-getty@ttyS0.service
    let systemd read its unit files
    ");
    // Still named, but nobody says whether it is enabled.
    let plan = world.go(&wanted(&[(getty, Some(true)), (timer, None)]));
    insta::assert_snapshot!(text(&plan), @r"
    enable fstrim.timer
    let systemd read its unit files
    ");
    let plan = world.go(&manifest());
    insta::assert_snapshot!(text(&plan), @r"
    disable serial-getty@ttyS0.service
    let systemd read its unit files
    note: fstrim.timer: is no longer managed; it stays enabled and running as it is
    note: serial-getty@ttyS0.service: is no longer managed; it is disabled, as it was before, and runs on if it runs
    ");
    assert!(world.additions.was_enabled.is_empty());

    // It was so before us: it stays.
    world.go(&wanted(&[(timer, Some(true))]));
    let plan = world.go(&manifest());
    insta::assert_snapshot!(text(&plan), @r"
    note: fstrim.timer: is no longer managed; it stays enabled and running as it is
    ");
}

fn socket_activated(socket: &str, service: &str) -> Manifest {
    let mut manifest = manifest();
    with_unit(&mut manifest, "app.socket", socket, OnChange::StopStart);
    with_unit(&mut manifest, "app.service", service, OnChange::StopStart);
    let service = manifest.units.get_mut(&unit_name("app.service")).unwrap();
    service.start = None;
    manifest
}

#[test]
fn a_socket_activated_service_is_left_to_its_socket() {
    let mut world = World::fresh();
    world.go(&socket_activated("s", "1"));
    world.run("app.service", ActiveState::Active);
    let plan = world.go(&socket_activated("s", "2"));
    insta::assert_snapshot!(text(&plan), @r"
    stop app.socket (it starts app.service)
    stop app.service (/etc/systemd/system/app.service changes)
    update file /etc/systemd/system/app.service
    let systemd read its unit files
    start app.socket (it starts app.service)
    ");
}

#[test]
fn a_changed_socket_takes_its_running_service_down_with_it() {
    let mut world = World::fresh();
    world.go(&socket_activated("s", "1"));
    let plan = world.go(&socket_activated("t", "1"));
    assert!(
        text(&plan).contains("restart app.socket"),
        "{}",
        text(&plan)
    );
    world.run("app.service", ActiveState::Active);
    let plan = world.go(&socket_activated("u", "1"));
    insta::assert_snapshot!(text(&plan), @r"
    stop app.socket (/etc/systemd/system/app.socket changes)
    stop app.service (app.socket starts anew)
    update file /etc/systemd/system/app.socket
    let systemd read its unit files
    start app.socket (/etc/systemd/system/app.socket changes)
    start app.service (app.socket starts anew)
    ");
}

#[test]
fn timers_restart_targets_are_started_and_slices_are_left_to_systemd() {
    for (name, expected) in [
        ("app.timer", "restart app.timer"),
        ("app.mount", "restart app.mount"),
        ("app.target", "start app.target"),
        ("app.slice", ""),
        ("app.path", ""),
    ] {
        let with = |content: &str| {
            let mut manifest = manifest();
            with_unit(&mut manifest, name, content, OnChange::StopStart);
            manifest
        };
        let mut world = World::fresh();
        world.go(&with("1"));
        let plan = world.go(&with("2"));
        let acts: Vec<String> = plan
            .lines()
            .into_iter()
            .filter(|line| line.contains(&format!("{name} (")))
            .collect();
        assert!(acts.concat().starts_with(expected), "{name}: {acts:?}");
        assert_eq!(acts.is_empty(), expected.is_empty(), "{name}: {acts:?}");
    }
}

#[test]
fn the_bus_and_this_program_are_never_restarted() {
    for name in [
        "steadfast.service",
        "dbus.service",
        "systemd-logind.service",
    ] {
        let with = |content: &str| {
            let mut manifest = manifest();
            with_unit(&mut manifest, name, content, OnChange::Restart);
            manifest
        };
        let mut world = World::fresh();
        world.go(&with("1"));
        let plan = world.go(&with("2"));
        assert!(!plan.lines().iter().any(|line| line.starts_with("restart")));
        assert_eq!(plan.notices.len(), 1, "{name}");
        let plan = world.go(&manifest());
        assert!(!plan.lines().iter().any(|line| line.starts_with("stop")));
    }
}

#[test]
fn units_of_an_interrupted_activation_come_back() {
    let mut world = started("1", OnChange::StopStart);
    let desired = app("1", OnChange::StopStart);
    for (state, expected) in [
        (
            ActiveState::Active,
            "restart app.service (an interrupted activation may have left it half changed)",
        ),
        (
            ActiveState::Inactive,
            "start app.service (an interrupted activation stopped it)",
        ),
    ] {
        world.run("app.service", state);
        let owned = Owned {
            generations: vec![&desired],
            originals: &world.originals,
            additions: &world.additions,
            unfinished: [(unit_name("app.service"), Resume::Restart)].into(),
        };
        let found = plan(&desired, &owned, &world.look(&desired), Held::Reported).unwrap();
        assert_eq!(text(&found), expected);
    }
}

#[test]
fn what_a_boot_started_too_early_runs_anew_and_what_it_did_not_start_stays_down() {
    let mut world = started("1", OnChange::StopStart);
    let mut desired = app("1", OnChange::StopStart);
    let name = unit_name("app.service");
    desired.units.get_mut(&name).unwrap().start = None;
    for (state, resume, expected) in [
        (
            ActiveState::Active,
            Resume::RestartIfUp,
            "restart app.service (the machine booted before its files were back)",
        ),
        (
            ActiveState::Active,
            Resume::ReloadIfUp,
            "reload app.service (the machine booted before its files were back)",
        ),
        (ActiveState::Inactive, Resume::RestartIfUp, ""),
        (ActiveState::Inactive, Resume::ReloadIfUp, ""),
    ] {
        world.run("app.service", state);
        let owned = Owned {
            generations: vec![&desired],
            originals: &world.originals,
            additions: &world.additions,
            unfinished: [(name.clone(), resume)].into(),
        };
        let found = plan(&desired, &owned, &world.look(&desired), Held::Reported).unwrap();
        assert_eq!(text(&found), expected, "{state:?} {resume:?}");
    }
}

#[test]
fn a_unit_file_that_systemd_has_not_read_is_reason_enough_to_reload() {
    let mut world = started("1", OnChange::StopStart);
    let name = unit_name("app.service");
    world.observed.units.get_mut(&name).unwrap().needs_reload = true;
    let plan = world.go(&app("1", OnChange::StopStart));
    assert_eq!(text(&plan), "let systemd read its unit files");
}

#[test]
fn below_a_root_no_unit_is_touched() {
    let mut world = World::fresh();
    world.observed.hostname = None;
    world.observed.packages = None;
    world.run("app.service", ActiveState::Inactive);
    let name = unit_name("app.service");
    world.observed.units.get_mut(&name).unwrap().active = None;
    let plan = world.go(&app("1", OnChange::StopStart));
    assert_eq!(plan.steps.len(), 3, "{}", text(&plan));
}
