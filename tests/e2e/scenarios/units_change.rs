//! Units and files that come, change and go.

use std::fmt::Write as _;

use super::fixture::EVENTUALLY;
use crate::harness::{Fleet, World, changed, wait_until};

const MARKS: &str = "RuntimeDirectory=%p\nRuntimeDirectoryPreserve=yes\n";

/// A service that writes down what happens to it, `version` with it.
fn marking(version: &str, more: &str) -> String {
    format!(
        "[Unit]\n{more}\n[Service]\n{MARKS}\
         ExecStart=/bin/sh -c 'echo start {version} >>/run/%p/marks; exec sleep infinity'\n\
         ExecReload=/bin/sh -c 'echo reload {version} >>/run/%p/marks'\n\
         ExecStop=/bin/sh -c 'echo stop {version} >>/run/%p/marks'\n\n\
         [Install]\nWantedBy=multi-user.target\n"
    )
}

const FILES: &str = "files:\n  /etc/original.conf: { text: \"by git\\n\", on_conflict: backup }\n";

const KINDS: [(&str, &str); 4] = [
    ("plain", ""),
    ("kept", "X-RestartIfChanged=false\n"),
    ("reloaded", "X-ReloadIfChanged=true\n"),
    ("removed", ""),
];

pub fn units_change_as_their_definitions_ask_and_originals_come_back(world: &World, name: &str) {
    let fleet = Fleet::boot(world, name, &["yard"]);
    let yard = fleet.host("yard");
    fleet.set_up_agents("");
    yard.must("printf 'by the administrator\\n' >/etc/original.conf; chmod 0640 /etc/original.conf; chgrp games /etc/original.conf");
    let mut units = String::from(
        "units:\n  dbus.service: { drop_ins: { 10-mark.conf: { text: \"[Unit]\\nDescription=with a drop-in\\n\" } } }\n  systemd-timesyncd.service: { mask: true }\n",
    );
    for (unit, more) in KINDS {
        writeln!(
            units,
            "  {unit}.service: {{ file: {unit}.service, enable: true, start: true }}"
        )
        .unwrap();
        fleet
            .clone
            .write(&format!("hosts/yard/{unit}.service"), &marking("1", more));
    }
    units.push_str(
        "  door.socket: { file: door.socket, enable: true, start: true }\n  door@.service: { file: door@.service }\n",
    );
    fleet.clone.write(
        "hosts/yard/door.socket",
        "[Socket]\nListenStream=/run/door.sock\nAccept=yes\n\n[Install]\nWantedBy=sockets.target\n",
    );
    fleet.clone.write(
        "hosts/yard/door@.service",
        "[Service]\nStandardInput=socket\nExecStart=/bin/echo open\n",
    );
    fleet
        .clone
        .write("hosts/yard/host.yml", &format!("{FILES}{units}"));
    let first = fleet.clone.commit("units of all kinds");
    fleet.clone.push();
    fleet.start_agents();
    yard.wait_converged(&first, EVENTUALLY);
    assert_eq!(yard.must("cat /etc/original.conf"), "by git\n");
    assert_eq!(
        yard.must("systemctl show -P Description dbus.service"),
        "with a drop-in\n"
    );
    assert_eq!(
        yard.run("systemctl is-enabled systemd-timesyncd.service")
            .stdout,
        "masked\n"
    );
    assert_eq!(yard.must("systemctl is-active door.socket"), "active\n");
    assert_eq!(yard.drift().0, 0);

    every_definition_changes_and_one_goes(&fleet);
    nothing_is_left_behind_a_mask_and_what_was_there_comes_back(&fleet);
    what_cannot_be_done_changes_nothing(&fleet);
    the_agents_own_unit_changes(&fleet);
}

fn every_definition_changes_and_one_goes(fleet: &Fleet) {
    let yard = fleet.host("yard");
    let before = yard.invocations();
    for (unit, more) in KINDS {
        fleet
            .clone
            .write(&format!("hosts/yard/{unit}.service"), &marking("2", more));
    }
    fleet.clone.edit(
        "hosts/yard/host.yml",
        "  removed.service: { file: removed.service, enable: true, start: true }\n",
        "",
    );
    fleet.clone.edit("hosts/yard/host.yml", FILES, "");
    fleet.clone.edit(
        "hosts/yard/host.yml",
        "  systemd-timesyncd.service: { mask: true }\n",
        "",
    );
    let second = fleet.clone.commit("every definition changes");
    fleet.clone.push();
    yard.wait_converged(&second, EVENTUALLY);
    let marks = |unit: &str| yard.must(&format!("cat /run/{unit}/marks"));
    assert_eq!(
        marks("plain"),
        "start 1\nstop 1\nstart 2\n",
        "stopped as it was started"
    );
    assert_eq!(marks("kept"), "start 1\n", "left running");
    assert_eq!(marks("reloaded"), "start 1\nreload 2\n");
    assert_eq!(
        marks("removed"),
        "start 1\nstop 1\n",
        "stopped while its ExecStop was known"
    );
    assert_eq!(yard.run("systemctl cat removed.service").code, 1);
    assert_eq!(
        changed(&before, &yard.invocations()),
        ["plain.service", "removed.service"],
        "nothing else was touched"
    );
    assert_eq!(
        yard.must("cat /etc/original.conf"),
        "by the administrator\n"
    );
    assert_eq!(
        yard.must("stat -c '%a %G' /etc/original.conf"),
        "640 games\n"
    );
    assert_ne!(
        yard.run("systemctl is-enabled systemd-timesyncd.service")
            .stdout,
        "masked\n"
    );
    assert_eq!(yard.drift().0, 0);
}

/// systemd neither enables nor disables what is masked.
fn nothing_is_left_behind_a_mask_and_what_was_there_comes_back(fleet: &Fleet) {
    let yard = fleet.host("yard");
    yard.must(
        "mkdir -p /usr/local/lib/systemd/system; cd /usr/local/lib/systemd/system
         printf '[Service]\\nExecStart=/bin/true\\n[Install]\\nWantedBy=multi-user.target\\n' | tee before.service >ours.service
         systemctl daemon-reload; systemctl enable --quiet before.service",
    );
    let enabled = || {
        yard.must("cd /etc/systemd/system/multi-user.target.wants; find . -name before.service -o -name ours.service | sort")
    };
    let mut said = String::new();
    for (ours, before, links) in [
        ("enable: true", "enable: false", "./ours.service\n"),
        ("mask: true", "mask: true", ""),
        ("enable: false", "mask: true", ""),
        ("", "", "./before.service\n"),
    ] {
        let entries = format!("  ours.service: {{ {ours} }}\n  before.service: {{ {before} }}\n");
        let says = if ours.is_empty() { "" } else { &entries };
        fleet.clone.edit(
            "hosts/yard/host.yml",
            &format!("units:\n{said}"),
            &format!("units:\n{says}"),
        );
        says.clone_into(&mut said);
        let commit = fleet.clone.commit("masks come and go");
        fleet.clone.push();
        yard.wait_converged(&commit, EVENTUALLY);
        assert_eq!(enabled(), links, "{entries}");
        assert_eq!(yard.drift().0, 0, "{entries}");
    }
}

fn what_cannot_be_done_changes_nothing(fleet: &Fleet) {
    let yard = fleet.host("yard");
    let second = yard.status().unwrap().generation_commit().to_owned();
    // What is in the way and not ours stops everything before anything changes.
    fleet.clone.edit("hosts/yard/host.yml", "units:\n", "files:\n  /etc/original.conf: { text: \"by git\\n\" }\n  /etc/another.conf: { text: \"x\\n\" }\nunits:\n");
    fleet.clone.commit("in the way");
    fleet.clone.push();
    let status = yard.wait_problem("failed", "/etc/original.conf", EVENTUALLY);
    assert_eq!(status.generation_commit(), second);
    assert_eq!(
        yard.run("test -e /etc/another.conf").code,
        1,
        "nothing was written"
    );
    assert_eq!(
        yard.must("cat /etc/original.conf"),
        "by the administrator\n"
    );

    // A package that is nowhere fails before or is taken back; the host stays whole.
    fleet.clone.edit(
        "hosts/yard/host.yml",
        "  /etc/original.conf: { text: \"by git\\n\" }\n",
        "",
    );
    fleet.clone.edit(
        "hosts/yard/host.yml",
        "units:\n",
        "packages: [no-such-package]\nunits:\n",
    );
    let nowhere = fleet.clone.commit("a package that is nowhere");
    fleet.clone.push();
    yard.wait_status("given up on the package", EVENTUALLY, |status| {
        status.last_commit() == nowhere
            && ["failed", "rolled_back", "known_bad"].contains(&status.outcome())
            && status.0.to_string().contains("no-such-package")
            && status.is_quiet()
    });
    assert_eq!(
        yard.run("test -e /etc/another.conf").code,
        1,
        "nothing was written"
    );
    assert_eq!(yard.drift().0, 0);
}

/// It is not restarted with the others, says so, and starts anew last of all.
fn the_agents_own_unit_changes(fleet: &Fleet) {
    let yard = fleet.host("yard");
    fleet
        .clone
        .edit("hosts/yard/host.yml", "packages: [no-such-package]\n", "");
    fleet.clone.edit(
        "hosts/yard/host.yml",
        "units:\n",
        "units:\n  steadfast.service: { drop_ins: { 10-log.conf: { text: \"[Service]\\nEnvironment=STEADFAST_LOG=debug\\n\" } } }\n",
    );
    let own = fleet.clone.commit("the agent's own unit");
    fleet.clone.push();
    let status = yard.wait_converged(&own, EVENTUALLY);
    let notices = status.0["last"]["notices"].to_string();
    assert!(
        notices.contains("steadfast.service"),
        "it says what it left running: {notices}"
    );
    assert_eq!(yard.must("cat /etc/another.conf"), "x\n");
    wait_until("the agent starts anew", EVENTUALLY, || {
        let environ = "tr '\\0' '\\n' </proc/$(systemctl show -P MainPID steadfast)/environ";
        yard.quietly(environ).contains("STEADFAST_LOG=debug")
    });
    assert_eq!(yard.drift().0, 0);
    fleet
        .clone
        .edit("hosts/yard/host.yml", "text: \"x\\n\"", "text: \"y\\n\"");
    let last = fleet.clone.commit("after the agent's own unit");
    fleet.clone.push();
    yard.wait_converged(&last, EVENTUALLY);
    assert_eq!(yard.must("cat /etc/another.conf"), "y\n");
    assert_eq!(yard.drift().0, 0);
}

/// A unit that waits for a file, and a oneshot that nothing refers to: systemd forgets both as soon as they are down.
const WAITING: &str = r#"units:
  waiting.service:
    text: "[Unit]\nConditionPathExists=/etc/wanted\n[Service]\nExecStart=/bin/sleep infinity\n"
    start: true
  once.service:
    text: "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'echo ran >>/var/once'\n"
    start: true
"#;

pub fn a_condition_that_does_not_hold_is_told_and_is_no_drift(world: &World, name: &str) {
    let fleet = Fleet::boot(world, name, &["yard"]);
    fleet.set_up_agents("");
    let yard = fleet.host("yard");
    fleet.clone.write("hosts/yard/host.yml", WAITING);
    let commit = fleet.clone.commit("a unit that waits");
    fleet.clone.push();
    fleet.start_agents();
    let status = yard.wait_converged(&commit, EVENTUALLY);
    let told = "its condition does not hold (ConditionPathExists=/etc/wanted)";
    let notices = status.0["last"]["notices"].to_string();
    assert!(notices.contains(told), "{notices}");
    // Who looks finds it; it is looked at when something changes.
    yard.must("touch /etc/systemd/system/waiting.service");
    yard.wait_status("says what the unit waits for", EVENTUALLY, |status| {
        status.0["drift"]["notices"].to_string().contains(told)
    });
    for asked in [
        "steadfast status",
        "steadfast drift",
        "steadfast reconcile now",
    ] {
        let said = yard.must(asked);
        assert_eq!(said.matches(told).count(), 1, "{asked}: {said}");
    }
    assert_eq!(yard.must("cat /var/once"), "ran\n");

    yard.must("touch /etc/wanted");
    let (code, items) = yard.drift();
    assert_eq!(code, 3);
    let subjects: Vec<_> = items.iter().map(|item| item["subject"].as_str()).collect();
    assert_eq!(subjects, [Some("waiting.service")]);
    yard.must("steadfast reconcile now");
    assert_eq!(yard.must("systemctl is-active waiting.service"), "active\n");
    assert_eq!(yard.drift().0, 0);
    assert_eq!(yard.must("cat /var/once"), "ran\n");
}
