//! An activation runs in a unit of its own, and the host is brought back when nobody is left to do it.

use std::thread;
use std::time::{Duration, Instant};

use super::fixture::{EVENTUALLY, running_fleet};
use crate::harness::{Fleet, Host, Status, World, wait_until};

const CUT_OFF: &str = "an open transaction was found";
const COPY: &str = "/var/lib/steadfast/rescue/steadfast";

/// A host whose next commits are slow to activate: the file is written, then a unit starts that waits until it is let go.
struct Slow {
    fleet: Fleet,
    version: u64,
}

impl Slow {
    fn boot(world: &World, name: &str, settings: &str) -> Self {
        let (fleet, _) = running_fleet(world, name, &["yard"], settings);
        let mut slow = Self { fleet, version: 0 };
        slow.fleet.clone.edit(
            "hosts/yard/host.yml",
            "units:\n  app.service:",
            "units:\n  slow.service: { file: slow.service, start: true }\n  app.service:",
        );
        let commit = slow.push();
        slow.let_go();
        slow.yard().wait_converged(&commit, EVENTUALLY);
        slow
    }

    /// Lets the unit of the newest version start.
    fn let_go(&self) {
        let go = format!("touch /var/tmp/go-{}", self.version);
        self.yard().must(&go);
    }

    fn yard(&self) -> &Host {
        self.fleet.host("yard")
    }

    /// Pushes another version.
    fn push(&mut self) -> String {
        self.version += 1;
        let version = self.version;
        let unit = format!(
            "[Unit]\nDescription=version {version}\n\n[Service]\nType=oneshot\nRemainAfterExit=yes\n\
             ExecStart=sh -c 'until [ -e /var/tmp/go-{version} ]; do sleep 0.1; done'\n"
        );
        let clone = &self.fleet.clone;
        clone.write("hosts/yard/slow.service", &unit);
        let config = clone.read("hosts/yard/host.yml");
        let greeting = config
            .lines()
            .find(|line| line.contains("greeting ="))
            .unwrap();
        let config = config.replace(greeting, &format!("    text: \"greeting = {version}\\n\""));
        clone.write("hosts/yard/host.yml", &config);
        let commit = clone.commit(&format!("version {version}"));
        clone.push();
        commit
    }

    /// Waits until the newest version is being applied: its file is written, its unit starts.
    fn wait_for_the_middle(&self) {
        let text = format!("greeting = {}\n", self.version);
        let yard = self.yard();
        wait_until("the middle of an activation", EVENTUALLY, || {
            yard.quietly("cat /etc/app/app.conf") == text
                && yard.quietly("systemctl is-active slow.service") == "activating\n"
        });
    }

    fn assert_old(&self) {
        let old = format!("greeting = {}\n", self.version - 1);
        assert_eq!(self.yard().must("cat /etc/app/app.conf"), old);
        let unit = self.yard().must("cat /etc/systemd/system/slow.service");
        assert!(
            unit.contains(&format!("version {}\n", self.version - 1)),
            "{unit}"
        );
    }
}

fn cut_off_times(yard: &Host) -> usize {
    let count = format!("journalctl --no-pager -o cat | grep -c '{CUT_OFF}'");
    yard.quietly(&count).trim().parse().unwrap()
}

fn accepted(yard: &Host) -> String {
    let status = yard.status().unwrap();
    status.0["accepted"].as_str().unwrap_or_default().to_owned()
}

pub fn an_activation_outlives_the_agent_and_the_terminal_that_asked_for_it(
    world: &World,
    name: &str,
) {
    let mut slow = Slow::boot(world, name, "");
    // Killed: the next agent finds it under way, waits, and concludes what the dead one would have.
    let commit = slow.push();
    slow.wait_for_the_middle();
    slow.yard()
        .must("systemctl kill --signal=KILL steadfast.service");
    slow.let_go();
    slow.yard().wait_converged(&commit, EVENTUALLY);
    assert_eq!(slow.yard().status().unwrap().outcome(), "activated");
    assert_eq!(accepted(slow.yard()), commit);

    // Restarted: it does not wait for the activation. Who asked before is answered by the next agent; who asks meanwhile
    // is told, and waits.
    let commit = slow.push();
    let mut asked_before = slow
        .yard()
        .start("reconcile now && echo answered >/run/answered");
    slow.wait_for_the_middle();
    slow.yard().must("systemctl restart steadfast.service");
    assert_eq!(
        slow.yard().quietly("systemctl is-active slow.service"),
        "activating\n",
        "the restart waited for the activation"
    );
    let mut asked = slow
        .yard()
        .start("reconcile now --no-agent >/run/asked 2>&1; echo $? >/run/asked.code");
    wait_until("who asks is told", EVENTUALLY, || {
        let said = slow.yard().quietly("cat /run/asked");
        said.contains("an activation is under way")
    });
    slow.let_go();
    drop(asked.wait());
    assert_eq!(slow.yard().must("cat /run/asked.code"), "0\n");
    slow.yard().wait_converged(&commit, EVENTUALLY);
    assert_eq!(accepted(slow.yard()), commit);

    assert!(asked_before.wait().unwrap().success());
    assert_eq!(slow.yard().must("cat /run/answered"), "answered\n");

    // The terminal goes, and there is no agent at all.
    slow.yard().must("systemctl stop steadfast.service");
    let commit = slow.push();
    let mut typed = slow.yard().start("reconcile now --no-agent");
    slow.wait_for_the_middle();
    slow.yard().must("pkill -KILL -x reconcile");
    drop(typed.wait());
    let generation = slow.yard().status().unwrap().generation();
    slow.let_go();
    let yard = slow.yard();
    yard.wait_status("went on alone", EVENTUALLY, |status| {
        status.generation() > generation && status.is_quiet()
    });
    yard.cut_network();
    yard.must("systemctl start steadfast.service");
    // Without its remote: what follows from the end is read from the disk.
    yard.wait_status("concluded it", EVENTUALLY, |status| {
        status.0["accepted"] == commit.as_str()
    });
    yard.mend_network();
    yard.wait_converged(&commit, EVENTUALLY);
    assert_eq!(cut_off_times(yard), 0, "nothing was cut off");
    assert_eq!(yard.drift().0, 0);
    assert_eq!(
        yard.run("systemctl is-active steadfast-rescue.timer")
            .stdout,
        "inactive\n"
    );
}

pub fn an_activation_that_dies_or_hangs_is_taken_back_though_nobody_runs(
    world: &World,
    name: &str,
) {
    let mut slow = Slow::boot(world, name, "longest_activation: 20s\n");
    slow.yard().must(&format!("test -x {COPY}"));
    slow.yard().must("systemctl stop steadfast.service");
    let generation = slow.yard().status().unwrap().generation();
    let alone = |slow: &mut Slow| {
        let commit = slow.push();
        let mut typed = slow.yard().start("reconcile now --no-agent");
        slow.wait_for_the_middle();
        slow.yard().must("pkill -KILL -x reconcile");
        drop(typed.wait());
        commit
    };
    let back = |slow: &Slow| {
        let status = slow
            .yard()
            .wait_status("is back", EVENTUALLY, Status::is_quiet);
        assert_eq!(status.generation(), generation);
        slow.assert_old();
        assert_eq!(slow.yard().drift().0, 0);
        assert_eq!(
            slow.yard().must("systemctl is-active app.service"),
            "active\n"
        );
    };
    alone(&mut slow);
    slow.yard()
        .must("systemctl kill --signal=KILL steadfast-activation.service");
    back(&slow);
    assert_eq!(cut_off_times(slow.yard()), 1);

    // It stands still: only the timer notices.
    slow.version -= 1;
    alone(&mut slow);
    let begun = Instant::now();
    slow.yard()
        .must("systemctl kill --signal=STOP --kill-whom=main steadfast-activation.service");
    back(&slow);
    let log = slow.yard().must("journalctl --no-pager -o cat");
    assert!(
        log.contains("the activation does not end; it is ended"),
        "{log}"
    );
    assert!(begun.elapsed() < EVENTUALLY);

    // The agent is there again: one interruption may be chance, two are not.
    let yard = slow.yard();
    yard.must("systemctl reset-failed; systemctl start steadfast.service");
    thread::sleep(Duration::from_secs(1));
    wait_until("the agent looked", EVENTUALLY, || {
        let status = yard.status().unwrap();
        status.is_quiet() && status.0["agent"]["phase"] == "idle"
    });
    assert_eq!(yard.must("systemctl is-system-running"), "running\n");
}

/// Adds a check that nothing answers, so that an activation stays in `probing` for a while.
fn probe_in_vain(fleet: &Fleet) {
    fleet.clone.edit(
        "hosts/yard/host.yml",
        "health:\n",
        "health:\n  - { tcp: \"127.0.0.1:9\", within: 25s }\n",
    );
    fleet
        .clone
        .edit("hosts/yard/host.yml", "greeting = hello", "greeting = bad");
}

pub fn what_dies_while_health_is_asked_is_taken_back_without_a_network(world: &World, name: &str) {
    let (mut fleet, _) = running_fleet(world, name, &["yard"], "");
    let generation = fleet.host("yard").status().unwrap().generation();
    probe_in_vain(&fleet);
    let bad = fleet.clone.commit("nothing answers");
    fleet.clone.push();
    let is_probing = |status: &Status| status.0["transaction"]["phase"] == "probing";
    let is_back = |yard: &Host| {
        let status = yard.wait_status("is back", EVENTUALLY, Status::is_quiet);
        assert_eq!(status.generation(), generation);
        assert_eq!(yard.must("cat /etc/app/app.conf"), "greeting = hello\n");
        assert_eq!(yard.drift().0, 0);
    };
    // The agent and the activation, and no agent comes after.
    let yard = fleet.host("yard");
    yard.wait_status("asks for health", EVENTUALLY, is_probing);
    yard.cut_network();
    yard.must("systemctl mask --runtime steadfast.service");
    yard.run("systemctl kill --signal=KILL steadfast.service steadfast-activation.service");
    is_back(yard);
    assert_eq!(cut_off_times(yard), 1);

    // The machine.
    yard.must("systemctl stop steadfast.service; systemctl unmask --runtime steadfast.service");
    yard.mend_network();
    yard.must("systemctl reset-failed steadfast.service; systemctl start steadfast.service");
    yard.wait_status("asks for health again", EVENTUALLY, is_probing);
    yard.cut_network();
    let host = fleet.host_mut("yard");
    host.kill();
    host.power_on();
    host.wait_booted();
    let yard = fleet.host("yard");
    is_back(yard);
    let boot = yard.must("journalctl --no-pager -b -o cat -u steadfast-boot.service");
    assert!(boot.contains(CUT_OFF), "the boot unit did it: {boot}");
    let order = yard.must(
        "systemctl show -P ActiveEnterTimestampMonotonic steadfast-boot.service
         systemctl show -P InactiveExitTimestampMonotonic systemd-networkd.service ssh.service | head -n1
         systemctl show -P ExecMainStartTimestampMonotonic ssh.service steadfast.service | tail -n1",
    );
    let order: Vec<u64> = order.lines().filter_map(|line| line.parse().ok()).collect();
    let agent = *order.last().unwrap();
    assert!(
        order[0] < agent,
        "before the agent, and all that comes after the network: {order:?}"
    );

    // Cut off twice, it is taken to be why.
    yard.mend_network();
    let why = yard.wait_rolled_back(&bad, EVENTUALLY);
    assert!(why.contains("twice"), "{why}");
}

pub fn a_new_program_that_ends_at_once_is_never_in_force_and_the_old_one_takes_it_back(
    world: &World,
    name: &str,
) {
    let mut slow = Slow::boot(world, name, "");
    let generation = slow.yard().status().unwrap().generation();
    let program = "sha256sum /usr/bin/steadfast";
    let good = slow.yard().must(program);
    slow.fleet.clone.edit(
        "hosts/yard/host.yml",
        "units:\n",
        "  /usr/bin/steadfast: { text: \"#!/bin/sh\\nexit 1\\n\", mode: \"0755\", on_conflict: backup }\nunits:\n",
    );
    let bad = slow.push();
    // Its activation is killed while the broken program is in place: the copy takes it back.
    slow.wait_for_the_middle();
    assert_ne!(slow.yard().must(program), good);
    assert_eq!(slow.yard().run("steadfast status").code, 1);
    slow.yard()
        .must("systemctl kill --signal=KILL steadfast-activation.service");
    let pid = slow
        .yard()
        .must("systemctl show -P MainPID steadfast.service");
    wait_until("the copy took it back", EVENTUALLY, || {
        slow.yard().quietly(program) == good
    });

    // So is its machine: tried once more, since once may be chance.
    slow.wait_for_the_middle();
    let host = slow.fleet.host_mut("yard");
    host.cut_network();
    host.kill();
    host.power_on();
    host.wait_booted();
    let yard = slow.yard();
    assert_eq!(yard.must(program), good);
    yard.wait_status("is back", EVENTUALLY, |status| {
        status.is_quiet() && status.0["agent"]["state"] == "running"
    });
    assert_eq!(yard.status().unwrap().generation(), generation);
    slow.assert_old();

    // Let alone, it comes to the agent's own start, which fails.
    slow.let_go();
    slow.yard().mend_network();
    slow.yard().wait_rolled_back(&bad, EVENTUALLY);
    // Whatever it says: the agent that it asks comes and goes meanwhile.
    slow.yard().run("reconcile retry");
    let yard = slow.yard();
    yard.wait_status("rolled back for its agent", EVENTUALLY, |status| {
        let why = status.failure(&bad).unwrap_or_default();
        why.contains("steadfast.service does not start") && status.is_quiet()
    });
    assert_eq!(yard.must(program), good);
    wait_until("the agent is there again", EVENTUALLY, || {
        yard.quietly("systemctl is-active steadfast.service") == "active\n"
    });
    assert_ne!(
        yard.must("systemctl show -P MainPID steadfast.service"),
        pid
    );
    assert_eq!(yard.status().unwrap().generation(), generation);
    slow.assert_old();
    assert_eq!(yard.drift().0, 0);
}
