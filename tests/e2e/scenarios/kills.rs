//! Power cuts and kills in the middle of large activations.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::thread;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::fixture::EVENTUALLY;
use crate::harness::{Fleet, Host, World, wait_until};

const FILES: usize = 220;
const SERVICES: usize = 4;
/// On each of two hosts: twenty kills.
const ROUNDS: usize = 10;

pub fn kills_at_any_moment_leave_a_host_wholly_old_or_wholly_new(world: &World, name: &str) {
    let mut fleet = Fleet::boot(world, name, &["yard", "dock"]);
    fleet.set_up_agents("settle: 1s\n");
    fleet.share_secrets_with(&["yard", "dock"]);
    fleet.clone.seal("secrets/default.yml", "version: \"0\"\n");
    let seed: u64 = std::env::var("STEADFAST_E2E_SEED")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or_else(rand::random);
    fleet.transcript.note(&format!("STEADFAST_E2E_SEED={seed}"));

    write_version(&fleet, 0);
    let first = fleet.clone.commit("version 0");
    fleet.clone.push();
    fleet.start_agents();
    for host in fleet.hosts() {
        host.wait_converged(&first, EVENTUALLY);
        assert_eq!(versions(host), wholly(0));
    }
    write_version(&fleet, 1);
    fleet.clone.commit("version 1");
    fleet.clone.push();
    let usual: Vec<Duration> = fleet
        .hosts()
        .iter()
        .map(|host| {
            let begun = Instant::now();
            host.must("reconcile now");
            begun.elapsed()
        })
        .collect();
    fleet.transcript.note(&format!(
        "an activation that is not disturbed takes {usual:?}"
    ));

    for round in 0..ROUNDS {
        let version = round + 2;
        write_version(&fleet, version);
        let commit = fleet.clone.commit(&format!("version {version}"));
        fleet.clone.push();
        thread::scope(|scope| {
            for (index, host) in fleet.hosts_mut().iter_mut().enumerate() {
                let mut random = StdRng::seed_from_u64(seed ^ (round * 2 + index) as u64);
                let moment = usual[index].mul_f32(random.gen_range(0.0..1.1));
                let commit = commit.as_str();
                scope.spawn(move || kill_once(host, version, commit, moment));
            }
        });
    }
    // Kills that all came too early or too late would show nothing.
    let cut_off = "journalctl --no-pager -o cat | grep -c 'an open transaction was found'";
    for host in fleet.hosts() {
        let found: usize = host.run(cut_off).stdout.trim().parse().unwrap();
        assert!(
            found >= 2,
            "only {found} of {ROUNDS} kills of {} hit a transaction",
            host.name
        );
    }
}

/// Kills the activation with its agent (yard) or the whole host (dock) at `moment` of the activation of `version`, then lets it go on.
fn kill_once(host: &mut Host, version: usize, commit: &str, moment: Duration) {
    let mut pass = host.start("reconcile now");
    thread::sleep(moment);
    // Without a network, what follows is recovery alone: a new pass cannot hide a bad one.
    host.cut_network();
    if host.name == "yard" {
        let before = host.must("systemctl show -P MainPID steadfast.service");
        let units = "steadfast.service steadfast-activation.service";
        host.run(&format!("systemctl kill --signal=KILL {units}"));
        wait_until("another agent runs", EVENTUALLY, || {
            let now = host.quietly("systemctl show -P MainPID steadfast.service");
            now != before && now.trim() != "0"
        });
    } else {
        host.kill();
        host.power_on();
        host.wait_booted();
    }
    // Its agent or its whole host is dead.
    drop(pass.wait());
    host.wait_status("recovered", EVENTUALLY, |status| {
        status.is_quiet() && status.0["agent"]["state"] == "running"
    });
    let found = versions(host);
    host.transcript.note(&format!(
        "{} killed {} ms into version {version}: {found:?}",
        host.name,
        moment.as_millis()
    ));
    assert!(
        found == wholly(version - 1) || found == wholly(version),
        "{} is neither old nor new, killed {} ms into version {version}: {found:?}",
        host.name,
        moment.as_millis()
    );
    let (code, items) = host.drift();
    assert_eq!(code, 0, "{} has drifted: {items:#?}", host.name);

    host.mend_network();
    host.wait_converged(commit, EVENTUALLY);
    assert_eq!(versions(host), wholly(version));
    assert_eq!(host.drift().0, 0);
}

fn write_version(fleet: &Fleet, version: usize) {
    let mut config = String::from("directories:\n  /etc/large: {}\nfiles:\n");
    for file in 0..FILES {
        writeln!(
            config,
            "  /etc/large/{file:03}.conf: {{ text: \"{version}\\n\" }}"
        )
        .unwrap();
    }
    config.push_str("units:\n");
    for service in 0..SERVICES {
        let name = format!("s{service}.service");
        writeln!(
            config,
            "  {name}: {{ file: {name}, enable: true, start: true }}"
        )
        .unwrap();
    }
    config.push_str("secrets:\n  version: { units: { restart: [s0.service] } }\n");
    for host in ["yard", "dock"] {
        fleet
            .clone
            .write(&format!("hosts/{host}/host.yml"), &config);
        for service in 0..SERVICES {
            fleet.clone.write(
                &format!("hosts/{host}/s{service}.service"),
                &format!(
                    "[Service]\nRuntimeDirectory=s{service}\n\
                     ExecStartPre=/bin/sh -c 'echo {version} >/run/s{service}/version'\n\
                     ExecStart=/bin/sleep infinity\n\n\
                     [Install]\nWantedBy=multi-user.target\n"
                ),
            );
        }
    }
    if version > 0 {
        fleet
            .clone
            .set_secret("secrets/default.yml", "version", &version.to_string());
    }
}

/// How many files, unit files, running services and secrets there are of each version.
fn versions(host: &Host) -> BTreeMap<String, usize> {
    let text = host.must(
        "cat /etc/large/*.conf | sed 's/^/file /'
         sed -n 's/.*echo \\([0-9]*\\) .*/unit \\1/p' /etc/systemd/system/s?.service
         cat /run/s?/version | sed 's/^/service /'
         echo secret $(cat /run/secrets/version)
         systemctl is-active s0 s1 s2 s3 | sed 's/^/is /'",
    );
    let mut counts = BTreeMap::new();
    for line in text.lines() {
        *counts.entry(line.to_owned()).or_default() += 1;
    }
    counts
}

fn wholly(version: usize) -> BTreeMap<String, usize> {
    BTreeMap::from([
        (format!("file {version}"), FILES),
        (format!("unit {version}"), SERVICES),
        (format!("service {version}"), SERVICES),
        (format!("secret {version}"), 1),
        ("is active".to_owned(), SERVICES),
    ])
}
