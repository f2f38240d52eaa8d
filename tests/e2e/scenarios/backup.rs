//! Backups with the module of `repo-example/` and the restic that apt installs.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::fixture::EVENTUALLY;
use crate::harness::{Clone, Fleet, Host, Said, World, wait_until};

const PASSWORD: &str = "restic-p4ssw0rd-5b1d";
const REPOSITORY: &str = "/srv/backup/yard-restic-repo";

/// Boots a host with the module on, as `options` say, and lets its agent bring it there.
fn yard(world: &World, name: &str, more: &str) -> Fleet {
    let fleet = Fleet::boot(world, name, &["yard"]);
    fleet.set_up_agents("");
    fleet.share_secrets_with(&["yard"]);
    let secrets = format!("backups:\n  restic:\n    password: {PASSWORD}\n");
    fleet.clone.seal("secrets/default.yml", &secrets);
    copy_module(&fleet.clone);
    let yard = fleet.host("yard");
    yard.write("/home/ketan/notes.txt", "first\n");
    yard.write("/home/ketan/.ssh/config", "Host nas\n");
    for excluded in [
        "/home/ketan/.cache/mozilla/x",
        "/home/ketan/.local/share/Trash/files/old",
        "/home/ketan/app/node_modules/left-pad/index.js",
        "/home/ketan/app/.venv/bin/python",
        "/home/ketan/app/__pycache__/a.pyc",
        "/home/ketan/.npm/a",
        "/home/ketan/.cargo/registry/a",
        "/home/ketan/.rustup/toolchains/a",
        "/home/ketan/.thumbnails/a.png",
        "/home/ketan/Downloads/debian/netinst.iso",
        "/home/ketan/Downloads/disk.qcow2",
    ] {
        yard.write(excluded, "again from elsewhere\n");
    }
    fleet.clone.write("hosts/yard/host.yml", more);
    let commit = fleet.clone.commit("backups");
    fleet.clone.push();
    fleet.start_agents();
    yard.wait_converged(&commit, EVENTUALLY);
    fleet
}

fn copy_module(clone: &Clone) {
    let module = "modules/restic-backup";
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("repo-example");
    for entry in fs::read_dir(example.join(module)).unwrap() {
        let entry = entry.unwrap();
        let content = fs::read_to_string(entry.path()).unwrap();
        let file = entry.file_name().into_string().unwrap();
        clone.write(&format!("{module}/{file}"), &content);
    }
}

/// Commits `host` and waits until it is in force.
fn becomes(fleet: &Fleet, host: &str) {
    fleet.clone.write("hosts/yard/host.yml", host);
    let commit = fleet.clone.commit("another wish");
    fleet.clone.push();
    fleet.host("yard").wait_converged(&commit, EVENTUALLY);
}

fn json(said: &Said) -> Value {
    serde_json::from_str(&said.stdout).unwrap_or_else(|_| panic!("{}", said.all()))
}

fn status(host: &Host) -> (i32, Value) {
    let said = host.run("steadfast backup status --json");
    (said.code, json(&said)["backups"][0].clone())
}

fn restic(host: &Host, arguments: &str) -> String {
    host.must(&format!(
        "restic --no-cache -r {REPOSITORY} -p /run/secrets/backups/restic/password {arguments}"
    ))
}

fn show(yard: &Host, unit: &str, property: &str) -> String {
    let command = format!("systemctl show -P {property} restic-backups-home.{unit}");
    yard.must(&command).trim().to_owned()
}

fn the_timer_is_as_the_module_says(yard: &Host) {
    let calendar = show(yard, "timer", "TimersCalendar");
    for time in ["*-*-* 02:00:00", "*-*-* 14:00:00"] {
        assert!(calendar.contains(time), "{calendar}");
    }
    assert_eq!(show(yard, "timer", "Persistent"), "yes");
    assert_eq!(show(yard, "timer", "RandomizedDelayUSec"), "15min");
    assert_eq!(show(yard, "timer", "UnitFileState"), "enabled");
    let verified = yard.run(
        "systemd-analyze verify --man=no restic-backups-home.service restic-backups-home.timer",
    );
    assert_eq!(
        (verified.code, verified.all().trim()),
        (0, ""),
        "{}",
        verified.all()
    );
}

pub fn a_host_is_backed_up_by_its_timer_and_a_file_comes_back(world: &World, name: &str) {
    const PLAIN: &str = "modules:\n  restic-backup:\n";
    let fleet = yard(world, name, PLAIN);
    let yard = fleet.host("yard");
    the_timer_is_as_the_module_says(yard);
    let (code, before) = status(yard);
    assert_eq!((code, &before["success"]), (3, &Value::Null));
    assert!(before["next_secs"].is_i64(), "{before}");

    // By hand, from the service's own file.
    let first = json(&yard.run("steadfast backup run --json"))["backups"][0]["report"].clone();
    let first = first["snapshot"].as_str().unwrap()[..8].to_owned();
    assert_eq!(
        yard.must(&format!("stat -c '%a %U' /srv/backup {REPOSITORY}")),
        "700 root\n700 root\n"
    );
    let listed = restic(yard, "ls latest");
    let files: Vec<&str> = listed
        .lines()
        .filter(|line| line.contains("/home/"))
        .collect();
    let kept = ["/home/ketan/.ssh/config", "/home/ketan/notes.txt"];
    for excluded in [
        ".cache",
        "Trash",
        "node_modules",
        ".venv",
        "__pycache__",
        ".npm",
        "registry",
        ".rustup",
        "thumbnails",
        "iso",
        "qcow2",
    ] {
        assert!(!listed.contains(excluded), "{excluded} in {files:?}");
    }
    assert!(kept.iter().all(|path| files.contains(path)), "{files:?}");

    // By the timer, soon.
    yard.must("printf 'second\\n' >/home/ketan/notes.txt");
    let often = "    schedule: [\"*-*-* *:*:0/5\"]\n    random_delay: 1s\n    keep: { last: 5 }\n";
    becomes(&fleet, &format!("{PLAIN}{often}"));
    wait_until("the timer made a snapshot", EVENTUALLY, || {
        let said = yard.quietly("steadfast backup status --json");
        let status: Value = serde_json::from_str(&said).unwrap_or_default();
        let snapshot = status["backups"][0]["success"]["snapshot"].as_str();
        snapshot.is_some_and(|snapshot| !snapshot.starts_with(&first))
    });
    becomes(&fleet, &format!("{PLAIN}    keep: {{ last: 5 }}\n"));
    wait_until("the last run is over", EVENTUALLY, || {
        yard.quietly("systemctl is-active restic-backups-home.service")
            .trim()
            == "inactive"
    });
    assert_eq!(show(yard, "service", "Result"), "success");
    let journal = yard.must("journalctl --no-pager -o cat -u restic-backups-home.service");
    assert!(journal.contains("home        snapshot "), "{journal}");
    let (code, after) = status(yard);
    assert_eq!(
        (code, &after["overdue"], &after["failure"]),
        (0, &false.into(), &Value::Null)
    );

    // A single file, from before and after; not over what is there.
    let notes = "/home/ketan/notes.txt";
    yard.must(&format!(
        "steadfast backup restore {first} {notes} --to /root/old"
    ));
    assert_eq!(yard.must(&format!("cat /root/old{notes}")), "first\n");
    assert_eq!(yard.must("find /root/old -type f | wc -l").trim(), "1");
    yard.must(&format!("printf 'spoilt\\n' >{notes}; chown 0:7 {notes}"));
    let refused = yard.run(&format!("steadfast backup restore {notes} --to /"));
    assert_eq!(refused.code, 1, "{}", refused.all());
    yard.must(&format!("steadfast backup restore {notes} --in-place"));
    assert_eq!(
        yard.must(&format!("cat {notes}; stat -c %g {notes}")),
        "second\n0\n"
    );
    yard.must("steadfast backup check --read-data-subset 100%");
    // As the second timer does it, once a month.
    yard.must("systemctl start restic-check-home.service");
    let journal = yard.must("journalctl --no-pager -o cat -u restic-check-home.service");
    assert!(journal.contains("sound, 5% of the data read"), "{journal}");
    let timer = yard.must("systemctl show -P TimersCalendar restic-check-home.timer");
    assert!(timer.contains("*-*-01 00:00:00"), "{timer}");

    let said = yard.must("systemd-analyze security --no-pager restic-backups-home.service");
    let line = said
        .lines()
        .rfind(|line| line.contains("Overall exposure level"))
        .unwrap();
    let level = line
        .split_whitespace()
        .find_map(|word| word.parse::<f32>().ok());
    assert!(level.is_some_and(|level| level <= 2.5), "{line}");
    let leaked = yard.run(&format!(
        "journalctl --no-pager | grep -c {PASSWORD}; grep -rl {PASSWORD} /etc /var/lib /var/log /var/cache /srv"
    ));
    assert_eq!(leaked.stdout, "0\n", "{}", leaked.all());

    // Off again: nothing of it is left but what it made.
    becomes(&fleet, "description: no backups\n");
    assert_eq!(yard.run("systemctl cat restic-backups-home.timer").code, 1);
    assert_eq!(yard.run("ls /etc/steadfast/backups").code, 2);
    yard.must(&format!("test -e {REPOSITORY}/config"));
}

pub fn a_backup_that_cannot_be_made_says_why_and_spoils_nothing(world: &World, name: &str) {
    let host = "mounts:\n  /srv/backup: { type: tmpfs, nofail: true, automount: true }\n\
                modules:\n  restic-backup: { mount: /srv/backup }\n";
    let fleet = yard(world, name, host);
    let yard = fleet.host("yard");
    // A tmpfs stands for the share, which not every kernel can mount: mounted when it is used, by the service, which has a mount namespace of its own.
    assert_eq!(
        yard.must("systemctl show -P ActiveState srv-backup.mount"),
        "inactive\n"
    );
    yard.must("systemctl start restic-backups-home.service");
    assert_eq!(
        yard.must("systemctl show -P ActiveState srv-backup.mount"),
        "active\n"
    );
    assert_eq!(status(yard).0, 0);
    let fails = |words: &[&str]| {
        yard.must("journalctl --rotate --vacuum-time=1s -u restic-backups-home.service; sleep 1");
        assert_eq!(
            yard.run("systemctl start restic-backups-home.service").code,
            1
        );
        let journal =
            yard.must("journalctl --no-pager -o cat -u restic-backups-home.service -n 12");
        for words in words {
            assert!(journal.contains(words), "no {words:?} in {journal}");
        }
        assert!(journal.contains("fix:"), "{journal}");
        let (code, now) = status(yard);
        assert_eq!((code, &now["overdue"]), (3, &false.into()));
        let reason = now["failure"]["reason"].as_str().unwrap();
        assert!(reason.contains(words[0]), "{reason}");
    };

    // The disk is not there: its mount point stays empty.
    yard.must("systemctl stop srv-backup.automount srv-backup.mount");
    fails(&["/srv/backup is not mounted", "findmnt"]);
    assert_eq!(yard.must("find /srv/backup"), "/srv/backup\n");

    // Another, empty disk is there.
    yard.must("systemctl start srv-backup.automount");
    fails(&["is gone", "--new-repository"]);
    assert_eq!(yard.must("find /srv/backup"), "/srv/backup\n");
    yard.must("steadfast backup run --new-repository");
    assert_eq!(status(yard).0, 0);

    // The password is changed in the repository of the configuration alone.
    let set = |password: &str| {
        fleet
            .clone
            .set_secret("secrets/default.yml", "backups/restic/password", password);
        let commit = fleet.clone.commit("another password");
        fleet.clone.push();
        yard.wait_converged(&commit, EVENTUALLY);
    };
    set("another");
    fails(&["does not open", "secrets set"]);
    set(PASSWORD);

    // No room.
    yard.must("mount -o remount,size=1M /srv/backup && head -c 4M /dev/urandom >/home/ketan/big");
    fails(&["no room left"]);
    yard.must("mount -o remount,size=50M /srv/backup");
    yard.must("systemctl start restic-backups-home.service");
    assert_eq!(status(yard).0, 0);

    // Power is cut in the middle of a run: the lock that it leaves is in nobody's way.
    yard.must(&format!(
        "restic -r {REPOSITORY} -p /run/secrets/backups/restic/password --limit-upload 50 --no-cache \
         backup /usr/bin >/dev/null 2>&1 & pid=$!; \
         while [ -z \"$(ls {REPOSITORY}/locks)\" ]; do sleep 0.1; done; kill -9 $pid"
    ));
    yard.must("steadfast backup run");
    assert_eq!(yard.must(&format!("ls {REPOSITORY}/locks")), "");
}
