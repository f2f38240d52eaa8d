//! A clock that jumps in the middle of an activation that is watched, asked for its health and waits for a person.
//!
//! A host shares its clock with the machine underneath. So a small library is put before libc in all of its processes, systemd's
//! own among them, and tells another time of day. What the kernel stamps files with and the clock that counts since the boot
//! stay as they are.
//!
//! The gate has three activations: one in which the clock jumps at every twentieth record of the journal, forth and back, one
//! in which it jumps once and stays, and one that nobody confirms. `STEADFAST_JUMPS=all cargo test --test e2e -- clock_that_jumps`
//! lets it jump once at each record; `STEADFAST_JUMPS=40..60` at some of them, `STEADFAST_JUMPS=40..60/5` at every fifth of these.

use std::fs;
use std::io::Write as _;
use std::process::Command;

use serde_json::Value;

use super::fixture::EVENTUALLY;
use super::kill_anywhere::freeze::{Often, Stop};
use super::kill_anywhere::places::{self, Place, within};
use super::kill_anywhere::version::{Packages, Version, facts, wholly};
use crate::harness::{Fleet, Host, World};

const DAY_SECS: i64 = 24 * 3600;
/// Where the clock jumps to in turn, seconds from the real time: days forward, and from there more than a year back.
const JUMPS: [i64; 2] = [10 * DAY_SECS, -365 * DAY_SECS];
const OFF: &str = "/var/lib/clock-jump";
const SOURCE: &str = include_str!("../base/clock.c");

pub fn a_clock_that_jumps_at_any_record_changes_nothing_and_nothing_waits_for_it(
    world: &World,
    name: &str,
) {
    let mut life = Life::boot(world, name);
    let records = life.undisturbed();
    let asked = std::env::var("STEADFAST_JUMPS").unwrap_or_default();
    if asked.is_empty() {
        life.jumps(10, Often::Every(20));
        let settling = records.iter().find(|place| place.what() == "settling");
        life.jumps(settling.unwrap().number, Often::Once);
    } else {
        let some = within(&records, &asked).unwrap_or_else(|| records.iter().step_by(1));
        for place in some {
            life.fleet.transcript.note(&place.to_string());
            life.jumps(place.number, Often::Once);
        }
    }
    life.nobody_confirms();
    life.pauses_end();
}

/// A fleet of one host that has a clock of its own, and the version it is at.
struct Life {
    fleet: Fleet,
    now: Version,
    /// Which of [`JUMPS`] comes next.
    jump: usize,
}

impl Life {
    fn boot(world: &World, name: &str) -> Self {
        let fleet = Fleet::boot(world, name, &["yard"]);
        fleet.set_up_agents("settle: 1s\npoll_interval: 5s\nconfirm: always\nconfirm_within: 5m\n");
        let yard = fleet.host("yard");
        let keys = format!("{}\n", fleet.clone.public_key("developer"));
        yard.write_with_mode("/root/.ssh/authorized_keys", &keys, 0o600);
        yard.must("chmod 700 /root/.ssh");
        give_a_clock(yard);
        fleet.share_secrets_with(&["yard"]);
        let life = Self {
            fleet,
            now: Version::new(0, Packages::Absent),
            jump: 0,
        };
        let commit = life.now.commit_to(&life.fleet);
        life.fleet.start_agents();
        life.is_confirmed();
        life.yard().wait_converged(&commit, EVENTUALLY);
        life
    }

    fn yard(&self) -> &Host {
        self.fleet.host("yard")
    }

    /// Somebody confirms over a connection of their own what waits for it.
    fn is_confirmed(&self) {
        self.waits();
        let address = &self.yard().place.address;
        let confirm = "steadfast reconcile confirm";
        let said = self.fleet.clone.ssh("root", address, confirm);
        assert_eq!(said.code, 0, "{}", said.all());
    }

    fn waits(&self) {
        self.yard()
            .wait_status("waits for a person", EVENTUALLY, |status| {
                status.transaction() == Some("waits to be confirmed")
            });
    }

    /// The clock jumps to the next place in turn.
    fn jump(&mut self) {
        set_off(self.yard(), JUMPS[self.jump % JUMPS.len()]);
        self.jump += 1;
    }

    /// Goes to the next version, and gives the records of that.
    fn undisturbed(&mut self) -> Vec<Place> {
        let next = self.now.next(Packages::Absent);
        let commit = next.commit_to(&self.fleet);
        self.is_confirmed();
        self.yard().wait_converged(&commit, EVENTUALLY);
        self.now = next;
        places::of(self.yard(), Packages::Absent)
    }

    /// Goes to the next version while the clock jumps at record `first`, once or also at those that follow.
    fn jumps(&mut self, first: usize, often: Often) {
        let next = self.now.next(Packages::Absent);
        let stop = Stop::set(self.yard(), first, often);
        let commit = next.commit_to(&self.fleet);
        let mut jumped = 0;
        while let Some(stopped) = stop.wait_stopped(self.yard(), jumped) {
            self.jump();
            stopped.goes_on();
            jumped += 1;
        }
        assert!(jumped > 0, "it did not come to record {first}");
        drop(stop);
        // It may have jumped at the very last record, when nobody is waited for any more.
        let status = self.yard().status().unwrap();
        if status.generation_commit() != commit {
            self.is_confirmed_after_a_jump();
        }
        let yard = self.yard();
        yard.wait_converged(&commit, EVENTUALLY);
        assert_eq!(
            facts(yard),
            wholly(next),
            "after {jumped} jumps from record {first}"
        );
        let (code, items) = yard.drift();
        assert_eq!(
            code, 0,
            "after {jumped} jumps from record {first}: {items:#?}"
        );
        assert!(
            years(yard).len() > 1,
            "the clock did not jump: {:?}",
            years(yard)
        );
        self.now = next;
    }

    /// The clock jumps while a person is waited for, who comes after that: it is neither too late nor too early.
    fn is_confirmed_after_a_jump(&mut self) {
        self.waits();
        self.jump();
        self.is_confirmed();
    }

    /// Where the clock is set back and nobody confirms, the time to do so is over all the same.
    fn nobody_confirms(&mut self) {
        let yard = self.yard();
        let settings = yard.read("/etc/steadfast/agent.yml").unwrap();
        let short = settings.replace("confirm_within: 5m", "confirm_within: 6s");
        yard.write("/etc/steadfast/agent.yml", &short);
        yard.must("systemctl restart steadfast.service");
        let next = self.now.next(Packages::Absent);
        set_off(yard, JUMPS[0]);
        let commit = next.commit_to(&self.fleet);
        self.waits();
        let yard = self.yard();
        set_off(yard, JUMPS[1]);
        let why = yard.wait_rolled_back(&commit, EVENTUALLY);
        assert!(why.contains("nobody confirmed it"), "{why}");
        assert_eq!(facts(yard), wholly(self.now));
        assert_eq!(yard.drift().0, 0);
    }

    /// A pause ends when the clock says so, and does not last for a year because the clock was set back.
    fn pauses_end(&self) {
        let yard = self.yard();
        for (from, to) in [(0, JUMPS[0]), (0, JUMPS[1])] {
            set_off(yard, from);
            yard.must("steadfast reconcile pause --for 30m");
            let is_paused = || {
                let status = yard.status().unwrap();
                !status.0["holds"].as_array().unwrap().is_empty()
            };
            assert!(is_paused());
            set_off(yard, to);
            assert!(!is_paused(), "paused still after a jump by {to} seconds");
        }
    }
}

/// Puts the clock of its own into every process of `host`.
fn give_a_clock(host: &Host) {
    let source = host.path("/var/lib/clock.c");
    fs::write(&source, SOURCE).unwrap();
    let library = "/usr/lib/clock-jump.so";
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-O1", "-o"]);
    let status = compiler.arg(host.path(library)).arg(&source).status();
    assert!(status.is_ok_and(|status| status.success()), "cc fails");
    fs::write(host.path(OFF), 0_i64.to_ne_bytes()).unwrap();
    host.write("/etc/ld.so.preload", &format!("{library}\n"));
    host.must("systemctl daemon-reexec");
    let year = |host: &Host| host.must("date +%Y").trim().parse::<i64>().unwrap();
    let now = year(host);
    set_off(host, 400 * DAY_SECS);
    assert_ne!(year(host), now, "the host has no clock of its own");
    set_off(host, 0);
}

/// Sets the clock of `host`, for all that runs: the file is mapped, and is never any other.
fn set_off(host: &Host, secs: i64) {
    let note = format!("{}: the clock is {secs} s off", host.name);
    host.transcript.note(&note);
    let mut file = fs::File::options()
        .write(true)
        .open(host.path(OFF))
        .unwrap();
    file.write_all(&secs.to_ne_bytes()).unwrap();
}

/// The half years that the newest journal was written in.
fn years(host: &Host) -> std::collections::BTreeSet<i64> {
    let journal = host.quietly("cat $(ls -d /var/lib/steadfast/transactions/0* | tail -1)/journal");
    let records = journal.lines().filter_map(|line| {
        let (_, record) = line.split_once(' ')?;
        record.parse::<Value>().ok()?["at_secs"].as_i64()
    });
    records.map(|secs| secs / (5 * DAY_SECS)).collect()
}
