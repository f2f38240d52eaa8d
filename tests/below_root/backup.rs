//! Backups with the real restic, by the module of `repo-example/`. Without a restic every test here prints a SKIP line.

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::fixture::{CANARY, Fleet, Run};

const REPOSITORY: &str = "srv/backup/yard-restic-repo";

/// A host with something to back up and the module on; `options` are those of the module.
fn yard(test: &str, options: &str) -> Option<Fleet> {
    if Command::new("restic").arg("version").output().is_err() {
        println!("SKIP {test}: no restic; apt install restic");
        return None;
    }
    let fleet = Fleet::new();
    fleet.add_module("restic-backup");
    fleet.commit_host(&host(options));
    fleet.reconcile().ends_with(0);
    fs::create_dir_all(fleet.path("srv/backup")).unwrap();
    fleet.write("home/ketan/notes.txt", "first\n");
    fleet.write("home/ketan/.cache/big", "cached\n");
    fleet.write("home/ketan/app/node_modules/x.js", "module\n");
    fleet.write("home/ketan/Downloads/debian/netinst.iso", "image\n");
    fleet.write("home/ketan/Downloads/letter.pdf", "letter\n");
    Some(fleet)
}

fn host(options: &str) -> String {
    format!("modules:\n  restic-backup:\n    password_secret: db/password\n{options}")
}

/// Runs restic itself, as somebody would who has lost this program.
fn restic(fleet: &Fleet, arguments: &[&str]) -> Run {
    let output = Command::new("restic")
        .arg("--repo")
        .arg(fleet.path(REPOSITORY))
        .arg("--password-file")
        .arg(fleet.path("run/secrets/db/password"))
        .arg("--no-cache")
        .args(arguments)
        .output()
        .unwrap();
    Run::of(&output)
}

fn json(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap()
}

#[track_caller]
fn says(run: &Run, words: &[&str]) {
    for words in words {
        let all = format!("{}{}", run.stdout, run.stderr);
        assert!(all.contains(words), "no {words:?} in:\n{all}");
    }
}

#[test]
fn a_backup_is_made_and_a_single_file_comes_back_from_before_a_change() {
    let Some(fleet) = yard("restore", "") else {
        return;
    };
    let before = fleet.run(&["backup", "status"]);
    before.ends_with(3);
    says(&before, &["no snapshot yet"]);

    let first = fleet.run(&["backup", "run", "--json"]);
    first.ends_with(0);
    let report = json(&first)["backups"][0]["report"].clone();
    assert_eq!(
        (&report["files_new"], &report["removed"]),
        (&2.into(), &0.into())
    );
    let old = report["snapshot"].as_str().unwrap()[..8].to_owned();
    assert_eq!(fleet.mode(REPOSITORY), 0o700);
    fleet.run(&["backup", "status"]).ends_with(0);

    let listed = restic(&fleet, &["ls", "latest"]).stdout;
    for kept in ["/home/ketan/notes.txt", "/home/ketan/Downloads/letter.pdf"] {
        assert!(listed.contains(kept), "{listed}");
    }
    for excluded in [".cache", "node_modules", "netinst.iso"] {
        assert!(!listed.contains(excluded), "{listed}");
    }

    fleet.write("home/ketan/notes.txt", "second\n");
    fleet.run(&["backup", "run"]).ends_with(0);
    let snapshots = fleet.run(&["backup", "snapshots", "--json"]);
    let hosts: Vec<Value> = json(&snapshots)["snapshots"]
        .as_array()
        .unwrap()
        .iter()
        .map(|snapshot| snapshot["host"].clone())
        .collect();
    // Two on one day: only the last of a day is kept.
    assert_eq!(hosts, ["yard"]);

    let to = fleet.path("tmp/restored");
    let to_text = to.to_str().unwrap();
    let notes = "/home/ketan/notes.txt";
    let restored = fleet.path(&format!(
        "tmp/restored{}",
        fleet.path(&notes[1..]).display()
    ));
    fleet
        .run(&["backup", "restore", notes, "--to", to_text])
        .ends_with(0);
    assert_eq!(fs::read_to_string(&restored).unwrap(), "second\n");
    let beside = restored.parent().unwrap().join("Downloads");
    assert!(!beside.exists(), "only what was asked for comes back");

    let again = fleet.run(&["backup", "restore", notes, "--to", to_text]);
    again.ends_with(1);
    says(&again, &["is there already", "--in-place"]);
    let gone = fleet.run(&["backup", "restore", &old, notes, "--in-place"]);
    gone.ends_with(1);
    says(&gone, &[&format!("there is no snapshot {old}")]);
    fleet.write("home/ketan/notes.txt", "spoilt\n");
    fleet
        .run(&["backup", "restore", notes, "--in-place"])
        .ends_with(0);
    assert_eq!(fleet.read("home/ketan/notes.txt"), "second\n");
    let absent = fleet.run(&["backup", "restore", "/home/ketan/no*", "--to", "/nowhere"]);
    absent.ends_with(1);
    says(&absent, &["is not in snapshot"]);
    fleet.run(&["backup", "restore", "--in-place"]).ends_with(1);

    let sound = fleet.run(&["backup", "check", "--read-data-subset", "100%", "--json"]);
    sound.ends_with(0);
    assert_eq!(json(&sound)["sound"], true);
    assert_eq!(
        fleet.files_containing(CANARY),
        ["run/secrets.d/1/db/password"]
    );
}

#[test]
fn what_is_in_the_way_of_a_backup_is_said_with_its_fix_and_makes_no_second_repository() {
    let Some(fleet) = yard("failures", "") else {
        return;
    };
    fleet.run(&["backup", "run"]).ends_with(0);
    let repository = fleet.path(REPOSITORY);
    let away = fleet.path("srv/away");
    let fails = |words: &[&str]| {
        let run = fleet.run(&["backup", "run"]);
        run.ends_with(1);
        says(&run, words);
        assert!(run.stderr.contains("fix:"), "{}", run.stderr);
        let status = fleet.run(&["backup", "status", "--json"]);
        status.ends_with(3);
        let failure = &json(&status)["backups"][0]["failure"]["reason"];
        assert!(failure.as_str().unwrap().contains(words[0]), "{failure}");
        // The last success is not forgotten for that.
        assert_eq!(json(&status)["backups"][0]["overdue"], false);
    };

    fleet.write("run/secrets/db/password", "wrong");
    fails(&["does not open", "secrets set"]);
    fs::remove_file(fleet.path("run/secrets/db/password")).unwrap();
    fails(&["there is no password", "reconcile now"]);
    fleet.write("run/secrets/db/password", CANARY);

    fs::rename(&repository, &away).unwrap();
    fails(&["is gone", "--new-repository"]);
    assert!(!repository.exists(), "no other repository was made");
    for verb in [
        &["snapshots"][..],
        &["check"],
        &["restore", "/home", "--to", "/nowhere"],
    ] {
        let run = fleet.run(&[&["backup"], verb].concat());
        run.ends_with(1);
        says(&run, &["there is no repository at"]);
    }
    fleet.write("srv/backup/yard-restic-repo/leftover", "");
    fails(&["is neither empty nor a repository"]);
    fs::remove_dir_all(&repository).unwrap();
    fs::remove_dir(fleet.path("srv/backup")).unwrap();
    fails(&["is not there, so no repository can be in it"]);
    fs::create_dir(fleet.path("srv/backup")).unwrap();

    let anew = fleet.run(&["backup", "run", "--new-repository"]);
    anew.ends_with(0);
    says(&anew, &["made a new repository"]);
    fleet.run(&["backup", "status"]).ends_with(0);
    assert!(away.join("config").exists());
}

#[test]
fn a_share_that_is_not_mounted_gets_no_repository_below_its_mount_point() {
    let Some(fleet) = yard("mount", "") else {
        return;
    };
    let definition = fleet.read("etc/steadfast/backups/home.yml");
    fleet.write(
        "etc/steadfast/backups/home.yml",
        &format!("{definition}mount: /srv/backup\n"),
    );
    for verb in ["run", "snapshots", "check"] {
        let run = fleet.run(&["backup", verb]);
        run.ends_with(1);
        says(&run, &["/srv/backup is not mounted", "findmnt /srv/backup"]);
    }
    assert_eq!(fs::read_dir(fleet.path("srv/backup")).unwrap().count(), 0);
}

#[test]
fn what_is_damaged_or_cannot_be_read_is_found_and_sets_the_exit_code() {
    let Some(fleet) = yard("damage", "    paths: [/home, /gone]\n") else {
        return;
    };
    fleet.write("home/ketan/random", &random_text(1 << 20));
    let incomplete = fleet.run(&["backup", "run"]);
    incomplete.ends_with(1);
    says(&incomplete, &["incomplete snapshot", "/gone"]);

    // The biggest pack has the contents of files, which only reading them finds damaged.
    let data = fleet.path(&format!("{REPOSITORY}/data"));
    let packs = walkdir::WalkDir::new(data).into_iter().map(Result::unwrap);
    let pack = packs
        .filter(|entry| entry.file_type().is_file())
        .max_by_key(|entry| entry.metadata().unwrap().len())
        .unwrap();
    let mut content = fs::read(pack.path()).unwrap();
    let middle = content.len() / 2;
    content[middle] ^= 1;
    fs::set_permissions(pack.path(), fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(pack.path(), content).unwrap();
    fleet.run(&["backup", "check"]).ends_with(0);
    let damaged = fleet.run(&["backup", "check", "--read-data-subset", "100%", "--json"]);
    damaged.ends_with(3);
    let report = json(&damaged);
    assert_eq!(report["sound"], false);
    assert_ne!(report["problems"].as_array().unwrap().len(), 0);
    let status = fleet.run(&["backup", "status"]);
    status.ends_with(3);
    says(&status, &["damaged"]);
}

#[test]
fn snapshots_are_kept_as_keep_says_and_those_of_others_are_left_alone() {
    let keep = "    keep: { daily: 2, weekly: 0, monthly: 2, yearly: 0 }\n";
    let Some(fleet) = yard("retention", keep) else {
        return;
    };
    fleet.run(&["backup", "run"]).ends_with(0);
    let notes = fleet.path("home/ketan/notes.txt");
    let notes = notes.to_str().unwrap();
    let old = |time: &str, tag: &str| {
        let time = format!("--time={time} 12:00:00");
        restic(
            &fleet,
            &["backup", &time, "--host=yard", "--tag", tag, notes],
        )
        .ends_with(0);
    };
    for day in [
        "2020-01-01",
        "2020-01-31",
        "2020-02-01",
        "2020-02-02",
        "2020-02-03",
    ] {
        old(day, "home");
    }
    old("2020-01-01", "other");
    let run = fleet.run(&["backup", "run", "--json"]);
    run.ends_with(0);
    let report = &json(&run)["backups"][0]["report"];
    // Today's and the day before it; today's month and the month before it.
    assert_eq!(
        (&report["snapshots"], &report["removed"]),
        (&2.into(), &5.into())
    );
    let all = json(&fleet.run(&["backup", "snapshots", "--all", "--json"]));
    let kept: Vec<&str> = all["snapshots"]
        .as_array()
        .unwrap()
        .iter()
        .map(|snapshot| snapshot["tags"][0].as_str().unwrap())
        .collect();
    assert_eq!(kept, ["other", "home", "home"]);
}

#[test]
fn two_runs_are_never_at_the_same_time_and_an_interrupted_one_leaves_no_lock() {
    let slow = "    options: [\"--limit-upload=200\"]\n";
    let Some(fleet) = yard("interrupt", slow) else {
        return;
    };
    fleet.run(&["backup", "run"]).ends_with(0);
    fleet.write("home/ketan/random", &random_text(8 << 20));

    let mut first = fleet.command(&["backup", "run"]);
    let first = first
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let locks = fleet.path(&format!("{REPOSITORY}/locks"));
    wait_until("restic works", || entries(&locks) > 0);
    let second = fleet.run(&["backup", "run"]);
    second.ends_with(1);
    says(
        &second,
        &[
            "another process of this host works with",
            &first.id().to_string(),
        ],
    );
    let mut waiting = fleet.command(&["backup", "check", "--wait"]);
    let waiting = waiting
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();

    let stopped = Command::new("kill")
        .args(["-INT", &first.id().to_string()])
        .status();
    assert!(stopped.unwrap().success());
    let first = Run::of(&first.wait_with_output().unwrap());
    first.ends_with(1);
    says(&first, &["Ctrl-C", "run it again"]);
    Run::of(&waiting.wait_with_output().unwrap()).ends_with(0);
    assert_eq!(entries(&locks), 0);
}

/// Text that cannot be compressed much.
fn random_text(bytes: u64) -> String {
    let mut random = Vec::new();
    let source = fs::File::open("/dev/urandom").unwrap();
    source.take(bytes / 2).read_to_end(&mut random).unwrap();
    hex::encode(random)
}

fn entries(directory: &Path) -> usize {
    fs::read_dir(directory).unwrap().count()
}

fn wait_until(what: &str, mut question: impl FnMut() -> bool) {
    let began = Instant::now();
    while !question() {
        assert!(
            began.elapsed() < Duration::from_mins(1),
            "not within a minute: {what}"
        );
        thread::sleep(Duration::from_millis(20));
    }
}
