//! At records of the journal the activator is killed before it is written (yard), or the whole host loses its power after it (dock).
//!
//! Each round begins at a version without the package and is killed on the way to one with it, or the other way round, so that
//! all rounds have the same records. Then the host recovers alone, without a network, and arrives at the version after.
//!
//! The gate takes a record of every kind of step and of the phases, each on one of the hosts. With `STEADFAST_KILLS=all` both hosts
//! are killed at every record, with `STEADFAST_KILLS=40..60` at those that the transcript lists as the 40th to the 59th, with
//! `STEADFAST_KILLS=40..60/5` at every fifth of them.

pub(super) mod freeze;
pub(super) mod places;
pub(super) mod version;

use std::thread;
use std::time::{Duration, Instant};

use super::fixture::EVENTUALLY;
use crate::harness::{Fleet, Host, World, wait_until};
use freeze::{Fault, Trap};
use places::{Place, rounds};
use version::{Packages, Version, facts, wholly};

/// After this no new round begins in the gate, which has other scenarios to run.
const PATIENCE: Duration = Duration::from_mins(2);

/// How long a host may take to recover; it may have to take a package away.
const RECOVERED: Duration = Duration::from_mins(3);

pub fn kills_at_chosen_records_leave_a_host_wholly_old_or_wholly_new(world: &World, name: &str) {
    let mut fleet = Fleet::boot(world, name, &["yard", "dock"]);
    fleet.set_up_agents("settle: 1s\npoll_interval: 10s\n");
    fleet.share_secrets_with(&["yard", "dock"]);
    let first = Version::new(0, Packages::Absent);
    first.commit_to(&fleet);
    fleet.start_agents();
    arrive(&mut fleet, first);
    // Activations that nobody disturbs show where there is something to kill.
    let installs = first.next(Packages::Present);
    arrive(&mut fleet, installs);
    let mut places = places::of(fleet.host("yard"), Packages::Present);
    let mut last = installs.next(Packages::Absent);
    arrive(&mut fleet, last);
    let removal = places::of(fleet.host("yard"), Packages::Absent);
    places.extend(removal.into_iter().filter(Place::is_about_packages));
    for (index, place) in places.iter().enumerate() {
        fleet.transcript.note(&format!("{}: {place}", index + 1));
    }

    let (rounds, patience) = rounds(&places, PATIENCE);
    let begun = Instant::now();
    let mut done = 0;
    for round in &rounds {
        if patience.is_some_and(|patience| begun.elapsed() > patience) {
            break;
        }
        // After a round one host may be where it was and the other one where it went to.
        let are_there = done == 0 && last.packages != round.packages();
        if !are_there {
            last = last.next(round.packages().turned());
            arrive(&mut fleet, last);
        }
        for host in fleet.hosts() {
            host.cut_network();
        }
        let next = last.next(round.packages());
        next.commit_to(&fleet);
        let before = last;
        each(&mut fleet, |host| {
            kill_at(host, round.at(&host.name), before, next);
        });
        last = next;
        done += 1;
    }
    fleet.transcript.note(&format!(
        "{done} of {} rounds on two hosts, {} kills",
        rounds.len(),
        2 * done
    ));
    assert!(done >= 1, "no round in {:?}", begun.elapsed());
}

/// Commits `version` and lets every host arrive at it.
fn arrive(fleet: &mut Fleet, version: Version) {
    let commit = version.commit_to(fleet);
    each(fleet, |host| {
        host.mend_network();
        wait_until(&format!("{} passes", host.name), EVENTUALLY, || {
            host.run("reconcile now").code == 0
        });
        host.wait_converged(&commit, EVENTUALLY);
        assert_eq!(facts(host), wholly(version));
    });
}

fn each(fleet: &mut Fleet, act: impl Fn(&mut Host) + Sync) {
    let act = &act;
    thread::scope(|scope| {
        for host in fleet.hosts_mut() {
            scope.spawn(move || act(host));
        }
    });
}

/// Kills at `place` on the way from `before` to `next`, and lets the host recover alone.
fn kill_at(host: &mut Host, place: &Place, before: Version, next: Version) {
    let fault = if host.name == "yard" {
        Fault::Kill
    } else {
        Fault::Freeze
    };
    let trap = Trap::set(host, place.number, fault);
    host.mend_network();
    let mut pass = host.start("reconcile now");
    let sprung = trap.wait_sprung(host);
    assert!(
        place.is_said_by(&sprung),
        "{} was caught at another record than {place}: {sprung}",
        host.name
    );
    // Without a network, what follows is recovery alone: a new pass cannot hide a bad one.
    host.cut_network();
    if fault == Fault::Freeze {
        host.kill();
        drop(trap);
        host.power_on();
        host.wait_booted();
    } else {
        // The rescue writes records as well, and is not to be killed.
        drop(trap);
    }
    drop(pass.wait());
    host.wait_status("recovered", RECOVERED, |status| {
        status.is_quiet() && status.0["agent"]["state"] == "running"
    });
    let found = facts(host);
    let (old, new) = (wholly(before), wholly(next));
    let end = match () {
        () if found == old => "old",
        () if found == new => "new",
        () => panic!(
            "{} is neither old nor new after {fault:?} at {place}:\n{found:#?}\nold is\n{old:#?}\nnew is\n{new:#?}",
            host.name
        ),
    };
    let said = format!("{} {fault:?} at {place}: {end}", host.name);
    host.transcript.note(&said);
    let (code, items) = host.drift();
    assert_eq!(code, 0, "{said}, but it has drifted: {items:#?}");
    recovering_again_does_nothing(host, &said);
}

/// A second recovery leaves files and units of `host` as they are, after what was `said`.
pub(super) fn recovering_again_does_nothing(host: &Host, said: &str) {
    let look = "find /etc /home /srv /run/secrets/ /var/lib/dpkg /var/lib/steadfast/transactions /var/lib/steadfast/current \
                -printf '%p %T@ %C@\\n' | sort";
    let (files, units) = (host.quietly(look), host.invocations());
    let second = host.run("steadfast recover");
    assert_eq!(
        second.code,
        0,
        "{said}; a second recovery: {}",
        second.all()
    );
    assert_eq!(
        host.quietly(look),
        files,
        "{said}; a second recovery wrote something"
    );
    let changed = crate::harness::changed(&units, &host.invocations());
    let ours: Vec<&String> = changed
        .iter()
        .filter(|unit| unit.starts_with("ka-") || unit.starts_with("srv-ka"))
        .collect();
    assert!(ours.is_empty(), "{said}; a second recovery moved {ours:?}");
}
