//! An activation runs in a unit of its own, and the host is brought back when nobody is left to do it.

use std::thread;
use std::time::{Duration, Instant};

use super::fixture::{EVENTUALLY, running_fleet};
use crate::harness::{Fleet, Host, Status, World, wait_until};

/// How long the service of a slow commit takes to start.
const SLOW_SECS: u64 = 6;
const CUT_OFF: &str = "an open transaction was found";
const COPY: &str = "/var/lib/steadfast/rescue/steadfast";

/// A host whose next commits are slow to activate: the file is written, then a unit takes its time to start.
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
        slow.yard().wait_converged(&commit, EVENTUALLY);
        slow
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
             ExecStart=sleep {SLOW_SECS}\n"
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
    slow.yard().wait_converged(&commit, EVENTUALLY);
    assert_eq!(slow.yard().status().unwrap().outcome(), "activated");
    assert_eq!(accepted(slow.yard()), commit);

    // Restarted: it does not wait for the activation. A person who asks meanwhile is told, and waits.
    let commit = slow.push();
    slow.wait_for_the_middle();
    let begun = Instant::now();
    slow.yard().must("systemctl restart steadfast.service");
    let took = begun.elapsed();
    assert!(
        took < Duration::from_secs(SLOW_SECS - 2),
        "restarted in {took:?}"
    );
    let asked = slow.yard().run("reconcile now --no-agent");
    assert_eq!(asked.code, 0, "{}", asked.all());
    assert!(
        asked.all().contains("an activation is under way"),
        "{}",
        asked.all()
    );
    slow.yard().wait_converged(&commit, EVENTUALLY);
    assert_eq!(accepted(slow.yard()), commit);

    // The terminal goes, and there is no agent at all.
    slow.yard().must("systemctl stop steadfast.service");
    let commit = slow.push();
    let mut typed = slow.yard().start("reconcile now --no-agent");
    slow.wait_for_the_middle();
    slow.yard().must("pkill -KILL -x reconcile");
    drop(typed.wait());
    let generation = slow.yard().status().unwrap().generation();
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
