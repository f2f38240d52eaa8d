//! At chosen records of the journal the activator is killed (yard) or the whole host loses its power (dock).
//!
//! `STEADFAST_KILLS=all` takes every record instead of those of three phases; `STEADFAST_KILLS=40..60` takes those.

mod freeze;
mod version;

use std::thread;
use std::time::{Duration, Instant};

use super::fixture::EVENTUALLY;
use crate::harness::{Fleet, Host, World, wait_until};
use freeze::{Fault, Trap};
use version::{Packages, Version, facts, wholly};

/// After this no new round begins: the gate has others to run.
const PATIENCE: Duration = Duration::from_secs(150);

/// A record of the journal: its place, counted from 1, and what it says.
struct Place {
    number: usize,
    text: String,
}

pub fn kills_at_chosen_records_leave_a_host_wholly_old_or_wholly_new(world: &World, name: &str) {
    let mut fleet = Fleet::boot(world, name, &["yard", "dock"]);
    fleet.set_up_agents("");
    for host in fleet.hosts() {
        let settings = host.read("/etc/steadfast/agent.yml").unwrap();
        let settings = settings.replace("settle: 3s", "settle: 1s");
        host.write("/etc/steadfast/agent.yml", &settings);
    }
    fleet.share_secrets_with(&["yard", "dock"]);
    let first = Version::new(0, Packages::Absent);
    let commit = first.commit_to(&fleet);
    fleet.start_agents();
    for host in fleet.hosts() {
        host.wait_converged(&commit, EVENTUALLY);
        assert_eq!(facts(host), wholly(first));
    }
    // An activation that nobody disturbs shows where there is something to kill.
    let mut last = Version::new(1, Packages::Present);
    let commit = last.commit_to(&fleet);
    for host in fleet.hosts() {
        host.wait_converged(&commit, EVENTUALLY);
        assert_eq!(facts(host), wholly(last));
    }
    let places = places(fleet.host("yard"));
    let (chosen, patience) = chosen(&places);
    fleet.transcript.note(&format!(
        "{} of {} records are chosen",
        chosen.len(),
        places.len()
    ));

    let begun = Instant::now();
    let mut done = 0;
    for place in chosen {
        if patience.is_some_and(|patience| begun.elapsed() > patience) {
            break;
        }
        for host in fleet.hosts() {
            host.cut_network();
        }
        // Only what is about packages takes the time that packages take.
        let packages = if place.text.contains("package") {
            last.packages.turned()
        } else {
            last.packages
        };
        let next = Version::new(last.number + 1, packages);
        let commit = next.commit_to(&fleet);
        let before = last;
        thread::scope(|scope| {
            for host in fleet.hosts_mut() {
                let commit = commit.as_str();
                scope.spawn(move || kill_at(host, place, before, next, commit));
            }
        });
        last = next;
        done += 1;
    }
    fleet
        .transcript
        .note(&format!("{done} rounds on two hosts"));
    assert!(done >= 1, "no round in {:?}", begun.elapsed());
}

/// Kills at `place` of the activation of `next`, lets the host recover alone, and then arrive.
fn kill_at(host: &mut Host, place: &Place, before: Version, next: Version, commit: &str) {
    let fault = if host.name == "yard" {
        Fault::Kill
    } else {
        Fault::Freeze
    };
    let trap = Trap::set(host, place.number, fault);
    host.mend_network();
    let mut pass = host.start("reconcile now");
    let sprung = trap.wait_sprung(host, &mut pass);
    // Without a network, what follows is recovery alone: a new pass cannot hide a bad one.
    host.cut_network();
    if fault == Fault::Freeze {
        host.kill();
        drop(trap);
        host.power_on();
        host.wait_booted();
    } else {
        drop(trap);
    }
    drop(pass.wait());
    wait_until("the agent runs", EVENTUALLY, || {
        host.quietly("systemctl is-active steadfast.service").trim() == "active"
    });
    host.wait_status("recovered", EVENTUALLY, |status| {
        status.is_quiet() && status.0["agent"]["state"] == "running"
    });
    let found = facts(host);
    let is_whole = found == wholly(before) || found == wholly(next);
    host.transcript.note(&format!(
        "{} {fault:?} at record {} ({sprung}): {}",
        host.name,
        place.number,
        if found == wholly(next) { "new" } else { "old" }
    ));
    assert!(
        is_whole,
        "{} is neither old nor new after {fault:?} at record {}, {}:\n{found:#?}\nold is\n{:#?}",
        host.name,
        place.number,
        place.text,
        wholly(before)
    );
    let (code, items) = host.drift();
    assert_eq!(code, 0, "{} has drifted: {items:#?}", host.name);
    recovering_again_does_nothing(host);
    host.mend_network();
    host.run("reconcile retry");
    host.wait_converged(commit, EVENTUALLY);
    assert_eq!(facts(host), wholly(next));
}

fn recovering_again_does_nothing(host: &Host) {
    let look = "find /etc /home /srv /run/secrets/ /var/lib/steadfast/transactions -printf '%p %T@ %C@\\n' | sort";
    let (files, units) = (host.quietly(look), host.invocations());
    host.run("reconcile now");
    assert_eq!(
        host.quietly(look),
        files,
        "a second recovery wrote something"
    );
    let changed = crate::harness::changed(&units, &host.invocations());
    let ours: Vec<&String> = changed
        .iter()
        .filter(|unit| unit.starts_with("ka-"))
        .collect();
    assert!(ours.is_empty(), "a second recovery moved {ours:?}");
}

/// The records of the newest transaction of `host`.
fn places(host: &Host) -> Vec<Place> {
    let text = host.must("cat $(ls -d /var/lib/steadfast/transactions/0* | tail -1)/journal");
    let plan = host.must("cat $(ls -d /var/lib/steadfast/transactions/0* | tail -1)/plan.json");
    let plan: serde_json::Value = serde_json::from_str(&plan).unwrap();
    let places = text.lines().enumerate().map(|(index, line)| {
        let record: serde_json::Value =
            serde_json::from_str(line.split_once(' ').unwrap().1).unwrap();
        let entry = record["entry"].as_str().unwrap();
        let what = match (record["phase"].as_str(), record["index"].as_u64()) {
            (Some(phase), _) => phase.to_owned(),
            (None, Some(step)) => {
                let step = usize::try_from(step).unwrap();
                plan["plan"]["steps"][step]["step"]
                    .as_str()
                    .unwrap_or("step")
                    .to_owned()
            }
            _ => String::new(),
        };
        Place {
            number: index + 1,
            text: format!("{entry} {what}"),
        }
    });
    places.collect()
}

/// Those that are asked for, or the phases in which something is done; and how long it may take.
fn chosen(places: &[Place]) -> (Vec<&Place>, Option<Duration>) {
    // The first two are on disk before there is a transaction.
    let all = || places.iter().skip(2);
    match std::env::var("STEADFAST_KILLS").ok().as_deref() {
        Some("all") => return (all().collect(), None),
        Some(range) => {
            if let Some((from, to)) = range.split_once("..") {
                let (from, to): (usize, usize) = (from.parse().unwrap(), to.parse().unwrap());
                let within = all().filter(|place| (from..to).contains(&place.number));
                return (within.collect(), None);
            }
        }
        None => {}
    }
    let phases = ["applying", "settling", "probing"];
    let is_phase = |place: &&Place| {
        phases
            .iter()
            .any(|phase| place.text == format!("phase {phase}"))
    };
    (all().filter(is_phase).collect(), Some(PATIENCE))
}
