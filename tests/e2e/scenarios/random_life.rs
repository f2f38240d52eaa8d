//! A life of a booted host, drawn by lot: versions come, people change files, units and accounts by hand, activations are killed.
//! After every event the host is wholly the version that it is to be, and nothing has drifted; in the end, without any entry, it is what
//! it was before.
//!
//! The gate lives six events of one seed. `STEADFAST_LIFE=200` lives as many, `STEADFAST_E2E_SEED` says which.

use std::thread;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};

use super::example::before::Before;
use super::fixture::EVENTUALLY;
use super::kill_anywhere::version::{Packages, Version, facts, wholly};
use crate::harness::{Fleet, Host, World, wait_until};

const EVENTS: u64 = 6;
const SEED: u64 = 1;

/// What people do; each by itself leaves something that is not as it is to be.
const EDITS: [&str; 16] = [
    "echo edited >> /etc/ka/03.conf",
    "rm /etc/ka/04.conf",
    "chmod 0777 /etc/ka/05.conf",
    "chown daemon /etc/ka/06.conf",
    "ln -sf /etc/hostname /etc/ka/07.conf",
    "rm -r /etc/ka",
    "systemctl stop ka-main.service",
    "systemctl stop ka-sock.socket ka-tick.timer",
    "systemctl disable ka-reads.service",
    "systemctl kill --signal=KILL ka-reads.service",
    "umount /srv/ka",
    "rm /etc/systemd/system/ka-watch.path",
    "echo '# edited' >> /etc/systemd/system/ka-many@.service && systemctl daemon-reload",
    "rm -r /etc/systemd/system/ka-main.service.d && systemctl daemon-reload",
    "usermod --comment Somebody ketan",
    "rm /run/secrets/s1",
];

pub fn a_life_drawn_by_lot_leaves_a_host_wholly_what_it_is_to_be_and_in_the_end_what_it_was(
    world: &World,
    name: &str,
) {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let seed: u64 = number("STEADFAST_E2E_SEED").unwrap_or(SEED);
    let events: u64 = number("STEADFAST_LIFE").unwrap_or(EVENTS);
    let mut life = Life::boot(world, name);
    life.fleet.transcript.note(&format!(
        "STEADFAST_LIFE={events} STEADFAST_E2E_SEED={seed}"
    ));
    let mut lot = StdRng::seed_from_u64(seed);
    for _ in 0..events {
        match lot.gen_range(0..4) {
            0 | 1 => life.is_edited(&mut lot),
            2 => life.goes_on(&mut lot),
            _ => life.is_killed(&mut lot),
        }
    }
    life.ends();
}

struct Life {
    fleet: Fleet,
    before: Before,
    now: Version,
}

impl Life {
    fn boot(world: &World, name: &str) -> Self {
        let fleet = Fleet::boot(world, name, &["yard"]);
        fleet.set_up_agents("settle: 1s\npoll_interval: 10s\n");
        let yard = fleet.host("yard");
        fleet.share_secrets_with(&["yard"]);
        let nothing = say_nothing(&fleet);
        fleet.start_agents();
        yard.wait_converged(&nothing, EVENTUALLY);
        let before = Before::of(yard);
        let now = Version::new(0, Packages::Absent);
        let commit = now.commit_to(&fleet);
        let life = Self { fleet, before, now };
        life.arrives(&commit);
        life
    }

    fn yard(&self) -> &Host {
        self.fleet.host("yard")
    }

    /// Another version than the one in force.
    fn next(&self, lot: &mut StdRng) -> Version {
        let packages = match lot.gen_range(0..4) {
            0 => self.now.packages.turned(),
            _ => self.now.packages,
        };
        self.now.next(packages)
    }

    fn goes_on(&mut self, lot: &mut StdRng) {
        self.now = self.next(lot);
        self.note(&format!("goes to {:?}", self.now));
        let commit = self.now.commit_to(&self.fleet);
        self.arrives(&commit);
    }

    fn is_edited(&self, lot: &mut StdRng) {
        let count = lot.gen_range(1..4);
        for edit in EDITS.choose_multiple(lot, count) {
            self.note(edit);
            // An edit before it, or the agent, may have left nothing to change.
            self.yard().run(edit);
        }
        self.passes();
    }

    /// The activation and its agent are killed on the way to the next version.
    fn is_killed(&mut self, lot: &mut StdRng) {
        let next = self.next(lot);
        let moment = Duration::from_millis(lot.gen_range(0..3000));
        self.note(&format!("killed after {moment:?} on the way to {next:?}"));
        let commit = next.commit_to(&self.fleet);
        let yard = self.yard();
        let mut pass = yard.start("reconcile now");
        thread::sleep(moment);
        // Without a network, what follows is recovery alone.
        yard.cut_network();
        let agent = yard.must("systemctl show -P MainPID steadfast.service");
        yard.run("systemctl kill --signal=KILL steadfast.service steadfast-activation.service");
        wait_until("another agent runs", EVENTUALLY, || {
            let now = yard.quietly("systemctl show -P MainPID steadfast.service");
            now != agent && now.trim() != "0"
        });
        drop(pass.wait());
        yard.wait_status("recovered", EVENTUALLY, |status| {
            status.is_quiet() && status.0["agent"]["state"] == "running"
        });
        let found = facts(yard);
        let (old, new) = (wholly(self.now), wholly(next));
        assert!(
            found == old || found == new,
            "neither old nor new: {found:#?}\nold is\n{old:#?}\nnew is\n{new:#?}"
        );
        yard.mend_network();
        self.now = next;
        self.arrives(&commit);
    }

    /// The host passes until it is what `commit` says.
    fn arrives(&self, commit: &str) {
        self.passes();
        self.yard().wait_converged(commit, EVENTUALLY);
    }

    /// Somebody lets the host pass; it is whole after it.
    fn passes(&self) {
        let yard = self.yard();
        wait_until("a pass goes well", EVENTUALLY, || {
            yard.run("reconcile now").code == 0
        });
        assert_eq!(facts(yard), wholly(self.now));
        let (code, items) = yard.drift();
        assert_eq!(code, 0, "{items:#?}");
    }

    /// Without any entry the host is what it was before the first.
    fn ends(self) {
        let Self { fleet, before, .. } = self;
        let nothing = say_nothing(&fleet);
        let yard = fleet.host("yard");
        yard.wait_converged(&nothing, EVENTUALLY);
        // systemd makes the place that a unit mounts at, and leaves it.
        yard.must("rmdir /srv/ka");
        before.is_back(yard);
        let units = yard.must("systemctl list-units --all --plain --no-legend 'ka-*' srv-ka.mount");
        assert_eq!(units, "");
    }

    fn note(&self, text: &str) {
        self.fleet.transcript.note(text);
    }
}

/// A commit in which the host has no entry; gives it.
fn say_nothing(fleet: &Fleet) -> String {
    let nothing = "description: nothing\n";
    fleet.clone.write("hosts/yard/host.yml", nothing);
    let commit = fleet.clone.commit("nothing");
    fleet.clone.push();
    commit
}
