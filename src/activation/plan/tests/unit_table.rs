//! The table of what a change asks of units, a rule at a time, from what people write to the steps of the plan.

use super::world::*;
use super::yard::{Yard, asked, text};
use crate::activation::Held;
use crate::host::ActiveState;

/// What becomes of a running unit of this name when its text changes from `old` to `new`.
fn change(name: &str, old: &str, new: &str) -> String {
    let (old, new) = (text(old, ""), text(new, ""));
    let mut yard = Yard::with(&[(name, &old)]);
    yard.asks(&[(name, &new)])
}

#[test]
fn a_service_does_what_the_difference_and_its_keys_ask_for() {
    let service = "[Service];ExecStart=/bin/a";
    let kept = "(a.service: is not restarted, because its definition says so; it runs with what it was started with)";
    for (more, expected) in [
        ("", "stop a.service, start a.service"),
        (";X-StopIfChanged=false", "restart a.service"),
        (";X-ReloadIfChanged=true", "reload a.service"),
        (";X-RestartIfChanged=false", kept),
        (";[Unit];RefuseManualStop=true", kept),
        (";[Unit];RefuseManualStart=true", kept),
        (";[Unit];X-OnlyManualStart=true", kept),
    ] {
        let old = format!("{service}{more}");
        let new = old.replace("/bin/a", "/bin/b");
        assert_eq!(change("a.service", &old, &new), expected, "{more}");
    }
    for (more, expected) in [
        (";[Unit];Description=b", ""),
        (";[Install];WantedBy=a.target", ""),
        (";ExecReload=/bin/b", "reload a.service"),
        (";[Unit];X-Reload-Triggers=1", "reload a.service"),
        (
            ";[Unit];X-Restart-Triggers=1",
            "stop a.service, start a.service",
        ),
        (";ExecReload=/bin/b;X-RestartIfChanged=false", kept),
    ] {
        let new = format!("{service}{more}");
        assert_eq!(change("a.service", service, &new), expected, "{more}");
    }
}

#[test]
fn each_type_of_unit_has_its_own_answer() {
    for (name, old, new, expected) in [
        (
            "a.timer",
            "[Timer];OnCalendar=daily",
            "[Timer];OnCalendar=hourly",
            "restart a.timer",
        ),
        (
            "a.timer",
            "[Timer];OnCalendar=daily",
            "[Timer];OnCalendar=daily;[Unit];Description=x",
            "",
        ),
        ("a.path", "[Path];PathExists=/a", "[Path];PathExists=/b", ""),
        ("a.slice", "[Slice];CPUWeight=1", "[Slice];CPUWeight=2", ""),
        (
            "a.swap",
            "[Swap];What=/a",
            "[Swap];What=/a;Priority=3",
            "restart a.swap",
        ),
        (
            "a.mount",
            "[Mount];What=/a;Options=ro",
            "[Mount];What=/a;Options=rw",
            "reload a.mount",
        ),
        (
            "a.mount",
            "[Mount];What=/a;Where=/a",
            "[Mount];What=/b;Where=/a",
            "restart a.mount",
        ),
        (
            "usr.mount",
            "[Mount];What=/a;Where=/usr",
            "[Mount];What=/b;Where=/usr",
            "reload usr.mount",
        ),
        (
            "a.target",
            "[Unit];Wants=a.service",
            "[Unit];Wants=b.service",
            "start a.target",
        ),
        (
            "a.target",
            "[Unit];Wants=a.service;X-OnlyManualStart=true",
            "[Unit];X-OnlyManualStart=true",
            "",
        ),
        (
            "a.target",
            "[Unit];Wants=a.service;RefuseManualStart=true",
            "[Unit];RefuseManualStart=true",
            "",
        ),
        (
            "multi-user.target",
            "[Unit];Wants=a.service",
            "[Unit];Wants=b.service",
            "",
        ),
        (
            "suspend.target",
            "[Unit];Wants=a.service",
            "[Unit];Wants=b.service",
            "",
        ),
        (
            "a.socket",
            "[Socket];ListenStream=/run/a",
            "[Socket];ListenStream=/run/b",
            "restart a.socket",
        ),
    ] {
        assert_eq!(change(name, old, new), expected, "{name}: {old} to {new}");
    }
}

#[test]
fn what_goes_stops_unless_its_definition_says_otherwise() {
    for (more, expected) in [
        ("", "stop a.service"),
        (
            ";[Unit];X-StopOnRemoval=false",
            "(a.service: runs on although it is removed, because its definition says so)",
        ),
        (
            ";[Unit];RefuseManualStop=true",
            "(a.service: runs on although it is removed, because it refuses to be stopped)",
        ),
    ] {
        let old = text(&format!("[Service];ExecStart=/bin/a{more}"), "");
        let mut yard = Yard::with(&[("a.service", &old)]);
        assert_eq!(yard.asks(&[]), expected, "{more}");
    }
    let mut yard = Yard::with(&[("a.service", &text("[Service];ExecStart=/bin/a", ""))]);
    assert_eq!(
        yard.asks(&[("a.service", "{ mask: true }")]),
        "stop a.service"
    );
}

#[test]
fn a_new_unit_starts_only_where_that_is_asked_for() {
    let mut yard = Yard::new();
    let service = text(
        "[Service];ExecStart=/bin/a;[Install];WantedBy=a.target",
        ", enable: true",
    );
    assert_eq!(yard.asks(&[("a.service", &service)]), "");
    let started = text("[Service];ExecStart=/bin/a", ", start: true");
    assert_eq!(
        yard.asks(&[("a.service", &service), ("b.service", &started)]),
        "start b.service"
    );
}

#[test]
fn a_running_target_of_ours_pulls_in_what_is_new() {
    let target = text("[Unit];Description=a", "");
    let service = text(
        "[Service];ExecStart=/bin/a;[Install];WantedBy=a.target",
        ", enable: true",
    );
    let mut yard = Yard::with(&[("a.target", &target)]);
    let both = [
        ("a.target", target.as_str()),
        ("a.service", service.as_str()),
    ];
    assert_eq!(yard.asks(&both), "start a.target");
    assert_eq!(yard.asks(&both), "", "once");
    let bare = text("[Service];ExecStart=/bin/a", ", enable: true").replace(", enable: true", "");
    assert_eq!(
        yard.asks(&[("a.target", &target), ("b.service", &bare)]),
        ""
    );
}

#[test]
fn a_target_that_stops_on_reconfiguration_stops_before_anything_else_changes() {
    let target = text("[Unit];X-StopOnReconfiguration=true", "");
    let mut yard = Yard::with(&[("a.target", &target)]);
    let other = text("[Service];ExecStart=/bin/a", "");
    assert_eq!(
        yard.asks(&[("a.target", &target), ("b.service", &other)]),
        "stop a.target, start a.target"
    );
    assert_eq!(
        yard.asks(&[("a.target", &target), ("b.service", &other)]),
        ""
    );
}

#[test]
fn an_instance_has_the_definition_of_its_template() {
    let template = |n: u8| text(&format!("[Service];ExecStart=/bin/{n} %i"), "");
    let drop_in =
        |n: u8| format!("{{ drop_ins: {{ 10-a.conf: {{ text: \"[Service]\\nNice={n}\\n\" }} }} }}");
    let mut yard = Yard::with(&[("a@.service", &template(1)), ("a@x.service", &drop_in(1))]);
    yard.0.run("a@hand.service", ActiveState::Active);
    assert_eq!(
        yard.asks(&[("a@.service", &template(1)), ("a@x.service", &drop_in(2))]),
        "stop a@x.service, start a@x.service",
        "a drop-in of its own is about it alone"
    );
    assert_eq!(
        yard.asks(&[("a@.service", &template(2)), ("a@x.service", &drop_in(2))]),
        "stop a@hand.service, stop a@x.service, start a@hand.service, start a@x.service"
    );
    assert_eq!(
        yard.asks(&[("a@.service", &template(2))]),
        "stop a@x.service",
        "the other was started by hand and runs on"
    );
    assert_eq!(
        yard.asks(&[]),
        "stop a@hand.service",
        "its template is gone"
    );
}

#[test]
fn a_drop_in_of_an_instance_lies_over_that_of_its_template() {
    let template = text("[Service];ExecStart=/bin/a", "");
    let of = |file: &str, line: &str| {
        format!("{{ drop_ins: {{ {file}: {{ text: \"[Service]\\n{line}\\n\" }} }} }}")
    };
    let with = |line: &str| {
        let more = format!(", drop_ins: {{ 50-a.conf: {{ text: \"[Service]\\n{line}\\n\" }} }}");
        template.replace(" }", &format!("{more} }}"))
    };
    let own = of("50-a.conf", "Nice=5");
    let mut yard = Yard::with(&[("a@.service", &with("Nice=1")), ("a@x.service", &own)]);
    assert_eq!(
        yard.asks(&[("a@.service", &with("Nice=2")), ("a@x.service", &own)]),
        "",
        "a file of the same name covers it"
    );
    let own = of("40-a.conf", "Nice=");
    let mut yard = Yard::with(&[("a@.service", &with("Nice=1")), ("a@x.service", &own)]);
    assert_eq!(
        yard.asks(&[("a@.service", &with("Nice=2")), ("a@x.service", &own)]),
        "stop a@x.service, start a@x.service",
        "drop-ins count in the order of their names"
    );
}

#[test]
fn an_instance_of_the_distribution_restarts_when_its_drop_in_goes() {
    let drop_in = "{ drop_ins: { a.conf: { text: \"[Service]\\nNice=1\\n\" } } }";
    let mut yard = Yard::with(&[("getty@tty1.service", drop_in)]);
    assert_eq!(
        yard.asks(&[]),
        "stop getty@tty1.service, start getty@tty1.service"
    );
}

#[test]
fn what_stops_with_a_unit_comes_back_with_it() {
    let (old, new) = (
        text("[Service];ExecStart=/bin/a", ""),
        text("[Service];ExecStart=/bin/b", ""),
    );
    let mut yard = Yard::with(&[("a.service", &old)]);
    yard.0.run("theirs.service", ActiveState::Active);
    let with = [unit_name("theirs.service")].into();
    yard.0
        .observed
        .dependents
        .insert(unit_name("a.service"), with);
    assert_eq!(
        yard.asks(&[("a.service", &new)]),
        "stop a.service, stop theirs.service, start a.service, start theirs.service"
    );
    let restarted = new.replace("/bin/b", "/bin/c\\nX-StopIfChanged=false");
    assert_eq!(
        yard.asks(&[("a.service", &restarted)]),
        "restart a.service",
        "systemd does it then"
    );
}

#[test]
fn a_file_that_somebody_edited_restarts_what_may_run_by_it() {
    let unit = text("[Service];ExecStart=/bin/a", "");
    let mut yard = Yard::with(&[("a.service", &unit)]);
    yard.0
        .put("/etc/systemd/system/a.service", file_state("edited"));
    let desired = yard.build(&[("a.service", &unit)]);
    let plan = yard.0.plan(&desired, Held::Nothing).unwrap();
    assert_eq!(asked(&plan), "stop a.service, start a.service");
}

#[test]
fn what_a_package_brought_is_read_and_not_restarted() {
    let mut yard = Yard::with(&[("cups.service", "{ start: true }")]);
    let state = yard
        .0
        .observed
        .units
        .get_mut(&unit_name("cups.service"))
        .unwrap();
    state.needs_reload = true;
    state.fragment = Some(path("/usr/lib/systemd/system/cups.service"));
    let plan = yard.go(&[("cups.service", "{ start: true }")]);
    assert_eq!(
        super::world::text(&plan),
        "let systemd read its unit files\nnote: cups.service: was changed on disk by somebody else; systemd reads it \
         again, and it runs with what it was started with"
    );
}

#[test]
fn what_refuses_to_be_started_is_not_asked_to() {
    let unit = text(
        "[Unit];RefuseManualStart=true;[Service];ExecStart=/bin/a",
        ", start: true",
    );
    let mut yard = Yard::new();
    assert_eq!(
        yard.asks(&[("a.service", &unit)]),
        "(a.service: is not running, and is not started: it refuses to be started by hand)"
    );
}

#[test]
fn the_same_again_asks_for_nothing() {
    let units: Vec<(&str, String)> = vec![
        (
            "a.service",
            text("[Service];ExecStart=/bin/a", ", start: true"),
        ),
        ("a.target", text("[Unit];Description=a", ", start: true")),
        ("b@.service", text("[Service];ExecStart=/bin/b", "")),
        ("b@x.service", "{ start: true }".to_owned()),
        (
            "c.socket",
            text("[Socket];ListenStream=/run/c", ", start: true"),
        ),
    ];
    let units: Vec<(&str, &str)> = units
        .iter()
        .map(|(name, said)| (*name, said.as_str()))
        .collect();
    let mut yard = Yard::with(&units);
    assert!(yard.go(&units).is_empty());
}
