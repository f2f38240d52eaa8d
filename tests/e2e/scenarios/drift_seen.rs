//! How soon drift is seen, how often it is fought, and what looking costs.

use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::fixture::EVENTUALLY;
use crate::harness::{Fleet, Host, World, wait_until};

/// The ids of `drift found`, `drift put right` and `repairs contended`, see `docs/events.md`.
const FOUND: &str = "06aebc88d88843c7ad1270f7cdd4f1ec";
const REPAIRED: &str = "964421808979425eae746584f591987f";
const CONTENDED: &str = "f072e9824c7548eda32721be47821587";

/// Far more than a test lasts: what is seen is seen because somebody changed something.
const HOURS: &str = "drift_interval: 6h\n";
const MANY: usize = 10_000;

fn many_files(policy: &str) -> String {
    let mut host = format!("drift: {policy}\nfiles:\n");
    for number in 0..MANY {
        let line = format!(
            "  /srv/many/{}/{number:05}.conf: {{ text: \"file {number}\\n\" }}\n",
            number % 40
        );
        host.push_str(&line);
    }
    host
}

/// An entry of the journal.
struct Told {
    at_us: u64,
    reason: String,
}

fn told(host: &Host, id: &str) -> Vec<Told> {
    // Without --all, long fields are left out.
    let text = host.quietly(&format!("journalctl -q --all -o json MESSAGE_ID={id}"));
    let entries = text
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let entry = |entry: Value| Told {
        at_us: entry["__REALTIME_TIMESTAMP"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap(),
        reason: entry["STEADFAST_REASON"]
            .as_str()
            .unwrap_or_default()
            .to_owned(),
    };
    entries.map(entry).collect()
}

/// Edits `path` and waits until the journal tells of it; how long after the write that was, by the journal's own clock.
fn seen_after(host: &Host, path: &str) -> Duration {
    let before = told(host, FOUND).len();
    host.must(&format!("echo 'by hand' >>{path}"));
    let written: f64 = host
        .must(&format!("stat -c %.6Y {path}"))
        .trim()
        .parse()
        .unwrap();
    let mut found = Vec::new();
    wait_until("the edit is told", EVENTUALLY, || {
        found = told(host, FOUND);
        found.len() > before
    });
    let last = found.last().unwrap();
    assert!(last.reason.contains(path), "{}", last.reason);
    let written_us = Duration::from_secs_f64(written).as_micros();
    let after_us = u128::from(last.at_us).saturating_sub(written_us);
    Duration::from_micros(u64::try_from(after_us).unwrap())
}

/// Processor time of the agent, in seconds.
fn agent_seconds(host: &Host) -> f64 {
    let ticks = host.must(
        "pid=$(systemctl show -p MainPID --value steadfast.service)
         awk '{ print $14 + $15 }' /proc/$pid/stat; getconf CLK_TCK",
    );
    let mut numbers = ticks
        .split_whitespace()
        .map(|number| number.parse::<f64>().unwrap());
    numbers.next().unwrap() / numbers.next().unwrap()
}

pub fn one_edit_among_ten_thousand_files_is_told_though_nobody_scans_and_a_hundred_at_once_are_all_told(
    world: &World,
    name: &str,
) {
    let fleet = Fleet::boot(world, name, &["yard"]);
    fleet.set_up_agents(HOURS);
    fleet
        .clone
        .write("hosts/yard/host.yml", &many_files("report"));
    let commit = fleet.clone.commit("ten thousand files");
    fleet.clone.push();
    fleet.start_agents();
    let yard = fleet.host("yard");
    yard.wait_converged(&commit, EVENTUALLY);

    // The first look reads every file; those that follow do not.
    seen_after(yard, "/srv/many/0/00000.conf");
    for number in 1..3 {
        // A few looks are made at once, then one in five seconds.
        thread::sleep(Duration::from_secs(6));
        let after = seen_after(yard, &format!("/srv/many/{number}/{number:05}.conf"));
        // How long it takes is measured by bench/drift.sh.
        fleet
            .transcript
            .note(&format!("told {after:?} after the write"));
    }

    thread::sleep(Duration::from_secs(6));
    yard.must(
        "for n in $(seq 100 199); do echo x >>/srv/many/$((n % 40))/$(printf %05d $n).conf; done",
    );
    wait_until("all hundred are told", EVENTUALLY, || {
        let last = told(yard, FOUND).pop().unwrap().reason;
        (100..200).all(|n| last.contains(&format!("/srv/many/{}/{n:05}.conf", n % 40)))
    });

    // No poll, no scan: what is left is waiting.
    yard.must("sed -i 's/^poll_interval: .*/poll_interval: 6h/' /etc/steadfast/agent.yml; systemctl restart steadfast.service");
    wait_until("the agent waits", EVENTUALLY, || {
        yard.status()
            .is_some_and(|status| status.0["agent"]["phase"] == "idle")
    });
    thread::sleep(Duration::from_secs(3));
    let before = agent_seconds(yard);
    thread::sleep(Duration::from_secs(10));
    let used = agent_seconds(yard) - before;
    // One scan of these files takes as much.
    assert!(used < 0.5, "{used} s of processor time in 10 s of waiting");
}

pub fn an_editor_that_fights_back_trips_the_flap_guard_and_is_named(world: &World, name: &str) {
    let fleet = Fleet::boot(world, name, &["yard"]);
    fleet.set_up_agents(HOURS);
    fleet.clone.write(
        "hosts/yard/host.yml",
        "drift: enforce\nfiles:\n  /etc/app.conf: { text: \"ours\\n\" }\n  /etc/other.conf: { text: \"ours\\n\" }\n",
    );
    let commit = fleet.clone.commit("two files");
    fleet.clone.push();
    fleet.start_agents();
    let yard = fleet.host("yard");
    yard.wait_converged(&commit, EVENTUALLY);

    yard.write(
        "/usr/local/bin/fighter",
        "#!/bin/bash\nwhile :; do\n  [ \"$(cat /etc/app.conf)\" = theirs ] || echo theirs >/etc/app.conf\n  sleep 0.5\ndone\n",
    );
    yard.must("chmod +x /usr/local/bin/fighter; systemd-run --unit=fighter /usr/local/bin/fighter");
    wait_until("the guard trips", EVENTUALLY * 2, || {
        !told(yard, CONTENDED).is_empty()
    });
    assert_eq!(
        told(yard, REPAIRED).len(),
        3,
        "the fourth repair is not made"
    );
    let reason = told(yard, CONTENDED).pop().unwrap().reason;
    assert!(
        reason.contains("/etc/app.conf") && reason.contains("contended with fighter (process "),
        "{reason}"
    );
    assert!(reason.ends_with("of fighter.service)"), "{reason}");

    let (code, items) = yard.drift();
    assert_eq!(code, 3, "it is reported all the same");
    assert!(
        items[0]["contended"]["by"]
            .as_str()
            .unwrap()
            .contains("fighter.service"),
        "{items:?}"
    );
    let status = yard.status().unwrap();
    assert_eq!(status.0["contended"][0]["subject"], "/etc/app.conf");

    // The other entry is none of the fighter's, and is put right as ever; so it is after a restart of the agent.
    yard.must("systemctl restart steadfast.service; echo edited >/etc/other.conf");
    wait_until("the other one is put right", EVENTUALLY, || {
        yard.must("cat /etc/other.conf") == "ours\n"
    });
    assert_eq!(
        yard.must("cat /etc/app.conf"),
        "theirs\n",
        "a restart does not begin the fight anew"
    );

    yard.must("systemctl stop fighter.service");
    wait_until("the wait of a minute is over", EVENTUALLY * 3, || {
        yard.must("echo x >>/etc/other.conf; sleep 2; cat /etc/app.conf") == "ours\n"
    });
}

pub fn every_kind_of_edit_is_put_right_at_once_but_not_while_it_is_held_or_the_host_paused(
    world: &World,
    name: &str,
) {
    let fleet = Fleet::boot(world, name, &["yard"]);
    fleet.set_up_agents(HOURS);
    fleet.clone.write(
        "hosts/yard/host.yml",
        "drift: enforce\nfiles:\n  /etc/app/content: { text: \"a\\n\" }\n  /etc/app/mode: { text: \"a\\n\" }\n  \
         /etc/app/owner: { text: \"a\\n\" }\n  /etc/app/xattr: { text: \"a\\n\" }\n  /etc/app/missing: { text: \"a\\n\" }\n  \
         /etc/app/swapped: { text: \"a\\n\" }\n  /etc/app/held: { text: \"a\\n\" }\n",
    );
    let commit = fleet.clone.commit("files");
    fleet.clone.push();
    fleet.start_agents();
    let yard = fleet.host("yard");
    yard.wait_converged(&commit, EVENTUALLY);
    let listing = "cd /etc/app; for f in content mode owner missing swapped; do stat -c '%n %F %a %U' $f; cat $f; done";
    let right = yard.must(listing);

    let edit = "cd /etc/app; echo b >content; chmod 0600 mode; chown games owner; rm missing; ln -sf /etc/hostname swapped";
    yard.must(edit);
    let file = yard.path("/etc/app/xattr");
    rustix::fs::setxattr(
        &file,
        "user.note",
        b"by hand",
        rustix::fs::XattrFlags::empty(),
    )
    .unwrap();
    wait_until("all is put right", EVENTUALLY, || {
        yard.must(listing) == right
    });
    wait_until("the note is gone", EVENTUALLY, || {
        let mut names = [0_u8; 256];
        rustix::fs::listxattr(&file, &mut names[..]).unwrap() == 0
    });

    yard.must("steadfast drift hold /etc/app/held --for 20s; echo b >/etc/app/held; echo b >/etc/app/content");
    wait_until("the other one is put right", EVENTUALLY, || {
        yard.must("cat /etc/app/content") == "a\n"
    });
    assert_eq!(yard.must("cat /etc/app/held"), "b\n", "held");
    wait_until("the hold is over", EVENTUALLY, || {
        yard.must("touch /etc/app/mode; sleep 1; cat /etc/app/held") == "a\n"
    });

    yard.must("steadfast reconcile pause --for 20s; echo c >/etc/app/mode");
    wait_until("it is told", EVENTUALLY, || yard.drift().0 == 3);
    assert_eq!(yard.must("cat /etc/app/mode"), "c\n", "paused");
    wait_until("the pause is over", EVENTUALLY, || {
        yard.must("touch /etc/app/owner; sleep 1; cat /etc/app/mode") == "a\n"
    });
}
