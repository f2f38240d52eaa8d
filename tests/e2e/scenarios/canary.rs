//! A secret that must be found nowhere but where it belongs.

use std::fs;
use std::path::Path;

use base64::Engine as _;

use super::fixture::{EVENTUALLY, application};
use crate::harness::{Fleet, World};

const CANARY: &str = "c4n4ry-Tw33t-8f2b6e0d51";

pub fn a_canary_secret_is_found_nowhere_but_at_its_destination(world: &World, name: &str) {
    let fleet = Fleet::boot(world, name, &["yard"]);
    let yard = fleet.host("yard");
    fleet.set_up_agents("drift_interval: 2s\n");
    yard.write(
        "/etc/systemd/system/steadfast.service.d/trace.conf",
        "[Service]\nEnvironment=STEADFAST_LOG=trace\n",
    );
    yard.write(
        "/etc/systemd/journald.conf.d/all.conf",
        "[Journal]\nRateLimitBurst=0\nMaxLevelStore=debug\n",
    );
    yard.must("systemctl daemon-reload; systemctl restart systemd-journald");
    fleet.share_secrets_with(&["yard"]);
    fleet
        .clone
        .seal("secrets/default.yml", "app:\n  token: begin\n");
    fleet
        .clone
        .set_secret("secrets/default.yml", "app/token", CANARY);
    fleet
        .clone
        .write("hosts/yard/host.yml", &application(&fleet.clone, ""));
    // This service reads the secret, and keeps it to itself.
    fleet.clone.write(
        "hosts/yard/app.service",
        "[Service]\nUser=ketan\nExecStart=/bin/sh -c 'read x </run/secrets/app/token; exec sleep infinity'\n\n\
         [Install]\nWantedBy=multi-user.target\n",
    );
    let first = fleet.clone.commit("a canary");
    fleet.clone.push();
    fleet.start_agents();
    yard.wait_converged(&first, EVENTUALLY);
    assert_eq!(yard.quietly("cat /run/secrets/app/token"), CANARY);
    assert_eq!(
        yard.quietly("cat /run/secrets/rendered/app.env"),
        format!("TOKEN={CANARY}\n")
    );

    go_every_way(&fleet, &first);

    // A crash must leave no core file.
    let pid = yard.must("systemctl show -P MainPID steadfast.service");
    let limit = yard.must(&format!("grep 'core file' /proc/{}/limits", pid.trim()));
    assert!(limit.contains(" 0 "), "{limit}");
    yard.must(&format!("kill -SEGV {}", pid.trim()));

    // The search itself finds what is there to be found.
    yard.write("/root/pattern", CANARY);
    let there = yard.quietly("grep -rlaFf /root/pattern /run | grep ^/run/secrets | wc -l");
    assert_ne!(there.trim(), "0", "the search finds nothing at all");

    let found = search_everywhere(&fleet);
    assert_eq!(found, Vec::<String>::new(), "the canary was found");
    let lines = yard.must("journalctl --no-pager -u steadfast.service | wc -l");
    assert!(
        lines.trim().parse::<usize>().unwrap() > 50,
        "the journal has the trace: {lines} lines"
    );
}

/// Does everything that reads, compares, rewrites, fails and goes back.
fn go_every_way(fleet: &Fleet, first: &str) {
    let yard = fleet.host("yard");
    yard.run("STEADFAST_LOG=trace steadfast plan");
    yard.must("echo x >>\"$(realpath /run/secrets/app/token)\"; echo x >>\"$(realpath /run/secrets/rendered/app.env)\"");
    yard.run("STEADFAST_LOG=trace steadfast drift");
    yard.run("STEADFAST_LOG=trace steadfast drift --json");
    yard.run("reconcile now");
    fleet
        .clone
        .edit("hosts/yard/app.service", "exec sleep infinity", "exit 1");
    let bad = fleet.clone.commit("crashes");
    fleet.clone.push();
    yard.wait_rolled_back(&bad, EVENTUALLY);
    fleet
        .clone
        .edit("hosts/yard/app.service", "exit 1", "exec sleep infinity");
    fleet.clone.edit(
        "secrets/default.yml",
        "ENC[AES256_GCM,data:",
        "ENC[AES256_GCM,data:AAAA",
    );
    fleet.clone.commit("a damaged value");
    fleet.clone.push();
    yard.wait_problem("failed", "secrets/default.yml", EVENTUALLY);
    for verb in [
        "status",
        "status --json",
        "generations list",
        "generations show --json",
        "reconcile now --json",
    ] {
        yard.run(&format!("STEADFAST_LOG=trace steadfast {verb}"));
    }
    yard.run("STEADFAST_LOG=trace steadfast reconcile now --no-agent");
    fleet.clone.git(&["checkout", "-q", first, "--", "secrets"]);
    fleet.clone.must(&["secrets", "rekey"], b"");
}

/// Where the canary is, in any of its spellings, but for where it belongs.
fn search_everywhere(fleet: &Fleet) -> Vec<String> {
    let yard = fleet.host("yard");
    let mut found = Vec::new();
    for text in [
        CANARY.to_owned(),
        base64::engine::general_purpose::STANDARD_NO_PAD.encode(CANARY),
        hex::encode(CANARY),
    ] {
        // The pattern is read from a file of its own: an argument would be found in /proc.
        yard.write("/root/pattern", &text);
        let script = "journalctl --no-pager -o export | grep -acFf /root/pattern | sed '/^0$/d; s/^/journal lines: /'
             grep -rlaFf /root/pattern /run /tmp /var /etc /home /root /usr/local /srv /dev/shm 2>/dev/null \
               | grep -vE '^/root/pattern$|^/run/secrets'
             grep -laFf /root/pattern /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null
             find / -xdev -name 'core*' -type f -size +1M -path '*core*' 2>/dev/null | grep -vE '^/(usr|var/lib/apt)/'";
        found.extend(yard.quietly(script).lines().map(str::to_owned));
        // Everything that was ever answered, and the developer's clone.
        for place in [fleet.transcript.path(), &fleet.clone.dir] {
            search(place, text.as_bytes(), &mut found);
        }
    }
    found
}

fn search(place: &Path, text: &[u8], found: &mut Vec<String>) {
    if place.is_dir() {
        for entry in fs::read_dir(place).unwrap() {
            search(&entry.unwrap().path(), text, found);
        }
        return;
    }
    let content = fs::read(place).unwrap();
    if content.windows(text.len()).any(|window| window == text) {
        found.push(place.display().to_string());
    }
}
