//! A disk that cannot be written in the middle of an activation, or not any more: EIO at calls of the activator, and of the
//! programs that it runs. strace on process 1 of the host lets them fail.
//!
//! An activation that nobody disturbed shows which calls there are: about 150 by kind of step, name and path. The gate takes some of
//! them, as long as its patience lasts. `STEADFAST_IO_ERRORS=all cargo test --test e2e -- disk_that_fails` takes all, which is
//! about twenty minutes; `STEADFAST_IO_ERRORS=40..60` takes those that the transcript lists as the 40th to the 59th,
//! `STEADFAST_IO_ERRORS=40..60/5` every fifth of them.

mod calls;

use std::time::{Duration, Instant};

use super::fixture::EVENTUALLY;
use super::kill_anywhere::freeze::{Strace, next_journal};
use super::kill_anywhere::places::within;
use super::kill_anywhere::recovering_again_does_nothing;
use super::kill_anywhere::version::{Packages, Version, facts, wholly};
use crate::harness::{Fleet, Host, Said, World};
use calls::{CALLS, Call, Often, Way};

/// After this no new round begins in the gate.
const PATIENCE: Duration = Duration::from_secs(12);
/// How many rounds the gate has, if it is fast enough.
const ROUNDS: usize = 3;
/// How the system calls it.
const EIO: &str = "Input/output error";

/// A fleet of one host, and the versions that it goes through.
struct Life {
    fleet: Fleet,
    /// What is in force.
    now: Version,
    /// The last that was tried.
    tried: usize,
}

pub fn a_disk_that_fails_at_chosen_calls_leaves_a_host_wholly_old_or_wholly_new_and_it_says_so(
    world: &World,
    name: &str,
) {
    let mut life = Life::boot(world, name);
    let asked = std::env::var("STEADFAST_IO_ERRORS").unwrap_or_default();
    let mut calls = Vec::new();
    if asked.is_empty() {
        calls.extend(life.undisturbed(Packages::Absent));
    } else {
        calls.extend(life.undisturbed(Packages::Present));
        let removal = life.undisturbed(Packages::Absent);
        calls.extend(removal.into_iter().filter(Call::is_about_removed_packages));
    }
    for (index, call) in calls.iter().enumerate() {
        let note = format!("{}: {call}", index + 1);
        life.fleet.transcript.note(&note);
    }
    let (chosen, patience): (Vec<&Call>, _) = match within(&calls, &asked) {
        Some(chosen) => (chosen.collect(), None),
        None if !asked.is_empty() => (calls.iter().collect(), None),
        None => {
            let every = calls.len().div_ceil(ROUNDS);
            let some = calls.iter().skip(every / 2).step_by(every);
            (some.collect(), Some(PATIENCE))
        }
    };
    let begun = Instant::now();
    let mut ends = Vec::new();
    for call in chosen {
        if patience.is_some_and(|patience| begun.elapsed() > patience) {
            break;
        }
        ends.push(life.fails_once(call));
    }
    let count = |end| ends.iter().filter(|other| **other == end).count();
    let note = format!(
        "{} calls failed: {} old, {} new; {} were not made",
        ends.len(),
        count(End::Old),
        count(End::New),
        count(End::Untouched)
    );
    life.fleet.transcript.note(&note);
    assert!(count(End::Old) > 0, "{note}");
    // Which thread makes which file is chance.
    assert!(count(End::Untouched) <= 1 + ends.len() / 4, "{note}");

    let file = calls.iter().find(|call| call.puts_files_in_place());
    life.fails_for_good(file.unwrap());
}

/// Where a host is after a call of its activation failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Old,
    New,
    /// The call was not made this time.
    Untouched,
}

impl Life {
    fn boot(world: &World, name: &str) -> Self {
        let fleet = Fleet::boot(world, name, &["yard"]);
        fleet.set_up_agents("settle: 1s\npoll_interval: 4s\n");
        let yard = fleet.host("yard");
        fleet.share_secrets_with(&["yard"]);
        let now = Version::new(0, Packages::Absent);
        let commit = now.commit_to(&fleet);
        fleet.start_agents();
        yard.wait_converged(&commit, EVENTUALLY);
        let tried = now.number;
        Self { fleet, now, tried }
    }

    fn yard(&self) -> &Host {
        self.fleet.host("yard")
    }

    /// Another version than the last that was tried, in which everything differs from what is in force.
    fn next(&mut self, packages: Packages) -> Version {
        let tried = self.tried.max(self.now.number);
        // Neighbours differ most.
        let number = if (tried + 1 - self.now.number).is_multiple_of(2) {
            tried + 2
        } else {
            tried + 1
        };
        self.tried = number;
        Version::new(number, packages)
    }

    /// Goes to another version, and gives what calls that took.
    fn undisturbed(&mut self, packages: Packages) -> Vec<Call> {
        let next = self.next(packages);
        let yard = self.yard();
        let strace = Strace::attach(yard, &[format!("-etrace={CALLS}")]);
        let commit = next.commit_to(&self.fleet);
        yard.must("reconcile now");
        yard.wait_converged(&commit, EVENTUALLY);
        assert_eq!(facts(yard), wholly(next));
        let way = Way {
            from: self.now.packages,
            to: packages,
        };
        let calls = calls::of(yard, &strace, way);
        self.now = next;
        calls
    }

    /// Goes to a version from which `call` is made on the way to the next.
    fn before(&mut self, call: &Call) {
        if self.now.packages != call.way.from {
            let other = self.next(call.way.from);
            let commit = other.commit_to(&self.fleet);
            self.yard().must("reconcile now");
            self.yard().wait_converged(&commit, EVENTUALLY);
            self.now = other;
        }
    }

    /// Lets `call` fail for once on the way to another version.
    fn fails_once(&mut self, call: &Call) -> End {
        self.before(call);
        let next = self.next(call.way.to);
        let yard = self.yard();
        let strace = Strace::attach(yard, &call.failing(&next_journal(yard), Often::Once));
        let commit = next.commit_to(&self.fleet);
        let pass = yard.run("reconcile now");
        // Without a network, what follows is recovery alone: a new pass cannot hide a bad one.
        yard.cut_network();
        let failed = strace.seen().contains("(INJECTED)");
        drop(strace);
        let status = yard.wait_status("recovered", EVENTUALLY, |status| {
            (status.is_quiet() || status.transaction() == Some("stuck"))
                && status.0["agent"]["state"] == "running"
        });
        // The rescue and the next pass are threads of their own, and may meet the error as well.
        if !status.is_quiet() {
            yard.run("reconcile retry");
        }
        let (is_new, said) = self.is_whole(call, next);
        let yard = self.yard();
        if failed && !call.is_about_the_commit() {
            assert_eq!(pass.code == 0, is_new, "{said}, and it says {}", pass.all());
        }
        if failed && !is_new {
            assert!(tells(yard, &commit, &pass, call), "{said}: {}", pass.all());
        }
        assert!(
            failed || is_new,
            "{said} though nothing failed: {}",
            pass.all()
        );
        recovering_again_does_nothing(yard, &said);
        yard.mend_network();
        match (failed, is_new) {
            (false, _) => End::Untouched,
            (true, false) => End::Old,
            (true, true) => End::New,
        }
    }

    /// Lets `call`, which both ways need, fail until somebody mends the disk.
    fn fails_for_good(&mut self, call: &Call) {
        self.before(call);
        let next = self.next(call.way.to);
        let yard = self.yard();
        let strace = Strace::attach(yard, &call.failing(&next_journal(yard), Often::AfterSome));
        let commit = next.commit_to(&self.fleet);
        let pass = yard.run("reconcile now");
        let status = yard.wait_status("stuck", EVENTUALLY, |status| {
            status.transaction() == Some("stuck")
        });
        assert_ne!(pass.code, 0, "{}", pass.all());
        let left = status.0["transaction"].to_string();
        assert!(left.contains("/etc/ka/") && left.contains(EIO), "{left}");
        // Nothing is tried any more before somebody says so.
        let again = yard.run("reconcile now");
        assert_ne!(again.code, 0, "{}", again.all());
        assert!(again.all().contains("reconcile retry"), "{}", again.all());
        yard.cut_network();
        drop(strace);
        let retried = yard.run("reconcile retry");
        yard.wait_status("recovered", EVENTUALLY, crate::harness::Status::is_quiet);
        let (is_new, said) = self.is_whole(call, next);
        assert!(!is_new, "{said}: {}", retried.all());
        let yard = self.yard();
        recovering_again_does_nothing(yard, &said);
        yard.mend_network();
        yard.must("reconcile retry");
        yard.wait_converged(&commit, EVENTUALLY);
        assert_eq!(facts(yard), wholly(next));
        self.now = next;
    }

    /// Whether the host is what it was going to; it is that or what it was, and nothing else.
    fn is_whole(&mut self, call: &Call, next: Version) -> (bool, String) {
        let yard = self.fleet.host("yard");
        let found = facts(yard);
        let (old, new) = (wholly(self.now), wholly(next));
        let is_new = found == new;
        let end = if is_new { "new" } else { "old" };
        assert!(
            is_new || found == old,
            "neither old nor new after {call}:\n{found:#?}\nold is\n{old:#?}\nnew is\n{new:#?}"
        );
        let said = format!("{end} after {EIO} at {call}");
        yard.transcript.note(&said);
        let (code, items) = yard.drift();
        assert_eq!(code, 0, "{said}, but it has drifted: {items:#?}");
        if is_new {
            self.now = next;
        }
        (is_new, said)
    }
}

/// Whether somebody who looks is told what went wrong: by the pass, by the status or by what `commit` is held back for.
fn tells(yard: &Host, commit: &str, pass: &Said, call: &Call) -> bool {
    let status = yard.status().unwrap();
    let held = status.failure(commit).unwrap_or_default().to_owned();
    let told = [pass.all(), status.problem(), held];
    told.iter().any(|text| {
        let by_a_program = call.is_of_a_program() && text.contains("failed with exit code");
        text.contains(EIO) || by_a_program
    })
}
