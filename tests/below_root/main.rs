//! The whole way below `--root`: no privilege, no systemd, no package manager; what people try first.

#![expect(
    clippy::disallowed_methods,
    reason = "tests drive other programs and write their own files"
)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod agent;
mod backup;
mod drift;
mod fixture;
mod hold;
mod modes;
mod network;
mod quiet;

use std::os::unix::fs::PermissionsExt;

use fixture::{CANARY, Fleet};
use serde_json::Value;

#[test]
fn a_host_becomes_what_the_repository_says_and_the_second_run_touches_nothing() {
    let fleet = Fleet::new();
    let first = fleet.reconcile();
    first.ends_with(0);
    assert_eq!(fleet.read("etc/motd"), "yard: hello\n");
    assert_eq!(fleet.read("run/secrets/db/password"), CANARY);
    assert_eq!(fleet.mode("run/secrets/db/password"), 0o400);
    assert_eq!(
        fleet.read("run/secrets/rendered/app.env"),
        format!("PASSWORD={CANARY}\n")
    );
    assert_eq!(
        fleet.link("etc/systemd/system/multi-user.target.wants/app.service"),
        "../app.service"
    );

    let before = fleet.times();
    let second = fleet.reconcile();
    second.ends_with(0);
    assert!(second.stdout.contains("nothing to do"), "{}", second.stdout);
    assert_eq!(
        before,
        fleet.times(),
        "a run with nothing to do changed the time of a file"
    );
}

#[test]
fn the_machine_as_a_whole_is_files_and_accounts_and_comes_back_as_it_was() {
    let fleet = Fleet::new();
    fleet.write("etc/hosts", "127.0.0.1 localhost\n10.0.0.9 old\n");
    std::os::unix::fs::symlink("../run/stub-resolv.conf", fleet.path("etc/resolv.conf")).unwrap();
    fleet.commit_host(
        "hostname: yard
locale: { lang: en_US.UTF-8, settings: { LC_TIME: de_DE.UTF-8 } }
keymap: us
kernel_modules: [no_such_module]
hosts: { 10.0.0.2: [nas] }
resolv: { nameservers: [10.0.0.1] }
packages: [{ name: no-such-package, hold: true }]
groups: { sudo: { system: true } }
users:
  ketan: { admin: true, linger: true, expires: 2099-12-31, subids: { start: 100000 } }
",
    );
    fleet.reconcile().ends_with(0);
    let hosts = fleet.read("etc/hosts");
    assert!(
        hosts.contains("127.0.1.1 yard\n") && hosts.contains("10.0.0.2 nas\n"),
        "{hosts}"
    );
    assert!(
        fleet
            .read("etc/resolv.conf")
            .ends_with("nameserver 10.0.0.1\n")
    );
    assert!(
        fleet
            .read("etc/locale.gen")
            .ends_with("de_DE.UTF-8 UTF-8\nen_US.UTF-8 UTF-8\n")
    );
    assert!(
        fleet.read("etc/shadow").contains("ketan:!::::::47481:"),
        "{}",
        fleet.read("etc/shadow")
    );
    assert_eq!(fleet.read("etc/subuid"), "ketan:100000:65536\n");
    assert_eq!(fleet.read("var/lib/systemd/linger/ketan"), "");
    assert!(fleet.read("etc/group").contains(":ketan\n"));
    fleet.drift().ends_with(0);

    fleet.commit_host("groups: { sudo: { system: true } }\nusers: { ketan: }\n");
    fleet.reconcile().ends_with(0);
    assert_eq!(
        fleet.read("etc/hosts"),
        "127.0.0.1 localhost\n10.0.0.9 old\n"
    );
    assert_eq!(fleet.link("etc/resolv.conf"), "../run/stub-resolv.conf");
    assert!(!fleet.path("etc/locale.gen").exists());
    assert!(!fleet.path("var/lib/systemd").exists());
    assert!(
        !fleet.read("etc/group").contains(":ketan\n"),
        "{}",
        fleet.read("etc/group")
    );
    assert!(fleet.read("etc/shadow").contains("ketan:!:::::::"));
    assert_eq!(fleet.read("etc/subuid"), "ketan:100000:65536\n");
}

#[test]
fn an_administrator_who_is_no_longer_named_is_locked_and_no_administrator() {
    let fleet = Fleet::new();
    fleet.commit_host("groups: { sudo: { system: true } }\nusers: { ketan: { admin: true } }\n");
    fleet.reconcile().ends_with(0);
    assert!(fleet.read("etc/group").contains(":ketan\n"));
    fleet.commit_host("groups: { sudo: { system: true } }\n");
    fleet.reconcile().ends_with(0);
    let group = fleet.read("etc/group");
    assert!(!group.contains(":ketan\n"), "{group}");
    assert!(fleet.read("etc/shadow").contains("ketan:!::::::1:"));
    assert!(fleet.read("etc/passwd").contains("ketan:x:"));

    fleet.run(&["generations", "rollback"]).ends_with(0);
    let group = fleet.read("etc/group");
    assert!(
        group.contains(":ketan\n"),
        "the way back names him: {group}"
    );
    assert!(!fleet.read("etc/shadow").contains("ketan:!::::::1:"));
}

#[test]
fn a_hand_edit_is_drift_with_a_diff_and_reconcile_now_puts_it_right() {
    let fleet = Fleet::new();
    fleet.reconcile().ends_with(0);
    fleet.drift().ends_with(0);
    fleet.write("etc/motd", "hacked\n");
    let drift = fleet.drift();
    drift.ends_with(3);
    for line in ["-yard: hello", "+hacked"] {
        assert!(
            drift.stdout.contains(line),
            "no {line:?} in:\n{}",
            drift.stdout
        );
    }
    fleet.reconcile().ends_with(0);
    assert_eq!(fleet.read("etc/motd"), "yard: hello\n");
    fleet.drift().ends_with(0);
}

#[test]
fn a_missing_file_a_changed_mode_and_a_changed_secret_are_drift_of_their_own_class() {
    let fleet = Fleet::new();
    fleet.reconcile().ends_with(0);
    std::fs::remove_file(fleet.path("etc/motd")).unwrap();
    std::fs::set_permissions(fleet.path("etc/app.conf"), PermissionsExt::from_mode(0o600)).unwrap();
    std::fs::remove_file(fleet.path("run/secrets/db/password")).unwrap();
    let drift = fleet.run(&["drift", "--json"]);
    drift.ends_with(3);
    let report: Value = serde_json::from_str(&drift.stdout).unwrap();
    let mut found: Vec<(String, String)> = report["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| {
            (
                item["class"].as_str().unwrap().to_owned(),
                item["subject"].as_str().unwrap().to_owned(),
            )
        })
        .collect();
    found.sort();
    let expected = [
        ("metadata", "/etc/app.conf"),
        ("missing", "/etc/motd"),
        ("secret", "db/password"),
    ];
    assert_eq!(
        found,
        expected.map(|(class, subject)| (class.to_owned(), subject.to_owned()))
    );
    assert!(!drift.stdout.contains(CANARY));
    fleet.reconcile().ends_with(0);
    fleet.drift().ends_with(0);
}

#[test]
fn a_broken_check_rolls_back_is_remembered_and_the_next_good_commit_is_taken() {
    let fleet = Fleet::new();
    fleet.reconcile().ends_with(0);
    fleet.commit_host(&fixture::HOST.replace("text: \"yard: hello", "text: \"yard: broken"));
    let broken = fleet.reconcile();
    broken.ends_with(4);
    assert_eq!(
        fleet.read("etc/motd"),
        "yard: hello\n",
        "the old generation is not back"
    );
    let again = fleet.reconcile();
    again.ends_with(4);
    assert!(
        again.stdout.contains("held back") || again.stderr.contains("held back"),
        "{again:?}"
    );
    let status: Value = serde_json::from_str(&fleet.run(&["status", "--json"]).stdout).unwrap();
    assert!(
        status["failed"][0]["reason"]
            .as_str()
            .unwrap()
            .contains("/etc/motd"),
        "{status}"
    );

    fleet.commit_host(&fixture::HOST.replace("yard: hello", "yard: hello again"));
    fleet.reconcile().ends_with(0);
    assert_eq!(fleet.read("etc/motd"), "yard: hello again\n");
    fleet.drift().ends_with(0);
}

#[test]
fn a_conflict_is_reported_before_anything_changes_and_a_backup_comes_back() {
    let fleet = Fleet::new();
    fleet.write("etc/motd", "from before\n");
    let refused = fleet.reconcile();
    refused.ends_with(1);
    assert!(refused.stderr.contains("/etc/motd"), "{}", refused.stderr);
    assert_eq!(fleet.read("etc/motd"), "from before\n");
    assert!(
        !fleet.path("etc/app.conf").exists(),
        "something was changed"
    );

    fleet.commit_host(&fixture::HOST.replace(
        "text: \"yard: hello",
        "on_conflict: backup, text: \"yard: hello",
    ));
    fleet.reconcile().ends_with(0);
    assert_eq!(fleet.read("etc/motd"), "yard: hello\n");
    fleet.commit_host("description: nothing left\n");
    fleet.reconcile().ends_with(0);
    assert_eq!(fleet.read("etc/motd"), "from before\n");
    assert!(!fleet.path("etc/app.conf").exists());
    assert!(!fleet.path("run/secrets/db").exists());
}

#[test]
fn bad_input_leaves_the_host_as_it_is_and_points_at_the_line() {
    let fleet = Fleet::new();
    fleet.reconcile().ends_with(0);
    let before = fleet.tree();
    for (host, expected) in [
        ("filse: {}\n", "files"),
        (
            "files: { /etc/motd: { text: x, mode: \"0999\" } }\n",
            "host.yml:1",
        ),
        ("secrets: { db/nothing: {} }\n", "db/nothing"),
        ("files: [\n", "host.yml:"),
        (
            "templates: { a: { text: '{{ secret(\"nope\") }}' } }\n",
            "nope",
        ),
    ] {
        fleet.commit_host(host);
        let failed = fleet.reconcile();
        failed.ends_with(1);
        assert!(
            failed.stderr.contains(expected),
            "{host:?} gave:\n{}",
            failed.stderr
        );
        assert_eq!(before, fleet.tree(), "{host:?} changed the host");
    }
}

#[test]
fn what_cannot_be_opened_is_named_with_the_recipient_to_add_and_changes_nothing() {
    let fleet = Fleet::new();
    fleet.reconcile().ends_with(0);
    let before = fleet.tree();
    fleet.seal_for_a_stranger("secrets/other.yml");
    fleet.commit_host(&format!(
        "{}  other/thing: {{ file: /secrets/other.yml, key: thing }}\n",
        fixture::HOST
    ));
    let failed = fleet.reconcile();
    failed.ends_with(1);
    for part in [
        "other/thing",
        "secrets/other.yml",
        &fleet.recipient,
        "rekey",
    ] {
        assert!(
            failed.stderr.contains(part),
            "no {part:?} in:\n{}",
            failed.stderr
        );
    }
    assert_eq!(before, fleet.tree());

    fleet.commit_host(
        &format!(
            "{}  other/thing: {{ file: /secrets/other.yml, key: thing, optional: true }}\n",
            fixture::HOST.replace("hello", "hello again")
        )
        .replace("contains: \"yard: hello\"", "contains: \"yard: hello\""),
    );
    fleet.reconcile().ends_with(0);
    assert_eq!(fleet.read("run/secrets/db/password"), CANARY);
}

#[test]
fn an_older_commit_is_refused_with_5_even_when_the_state_file_is_lost() {
    let fleet = Fleet::new();
    fleet.reconcile().ends_with(0);
    fleet.commit_host(&fixture::HOST.replace("yard: hello", "yard: hello 2"));
    fleet.reconcile().ends_with(0);
    fleet.git(&["reset", "-q", "--hard", "HEAD~1"]);
    std::fs::remove_file(fleet.path("var/lib/steadfast/state.json")).unwrap();
    let refused = fleet.reconcile();
    refused.ends_with(5);
    assert_eq!(fleet.read("etc/motd"), "yard: hello 2\n");
}

#[test]
fn generations_can_be_listed_compared_rolled_back_and_collected() {
    let fleet = Fleet::new();
    fleet.reconcile().ends_with(0);
    fleet.commit_host(&fixture::HOST.replace("yard: hello", "yard: hello 2"));
    fleet.reconcile().ends_with(0);
    let list: Value =
        serde_json::from_str(&fleet.run(&["generations", "list", "--json"]).stdout).unwrap();
    assert_eq!(list["generations"].as_array().unwrap().len(), 2, "{list}");
    let diff = fleet.run(&["generations", "diff", "1", "2"]);
    assert!(diff.stdout.contains("/etc/motd"), "{diff:?}");
    let wrong = fleet.run(&["generations", "switch", "9"]);
    wrong.ends_with(1);
    let said = format!("{}{}", wrong.stdout, wrong.stderr);
    assert!(said.contains("generation 2 is in force"), "{said}");
    assert!(said.contains("generations list"), "{said}");
    for (verb, list) in [
        ("generations switch", "generations list"),
        ("reconcile log", "reconcile log"),
    ] {
        let words: Vec<&str> = verb.split(' ').chain(["one"]).collect();
        let wrong = fleet.run(&words);
        wrong.ends_with(2);
        let expected = format!("it is not a number; `steadfast {list}`");
        assert!(wrong.stderr.contains(&expected), "{}", wrong.stderr);
    }
    fleet.run(&["generations", "rollback"]).ends_with(0);
    assert_eq!(fleet.read("etc/motd"), "yard: hello\n");
    let held = fleet.reconcile();
    held.ends_with(4);
    assert_eq!(
        fleet.read("etc/motd"),
        "yard: hello\n",
        "the next pass undid the rollback: {held:?}"
    );
    fleet.run(&["generations", "gc"]).ends_with(0);
    fleet.drift().ends_with(0);
}

#[test]
fn a_dry_run_leaves_no_trace() {
    let fleet = Fleet::new();
    fleet.reconcile().ends_with(0);
    fleet.commit_host(&fixture::HOST.replace("yard: hello", "yard: hello 2"));
    let before = (fleet.tree(), fleet.times());
    let dry = fleet.run(&["reconcile", "now", "--dry-run"]);
    dry.ends_with(0);
    assert!(
        dry.stdout.contains("\n-yard: hello\n+yard: hello 2\n"),
        "{dry:?}"
    );
    assert_eq!(before, (fleet.tree(), fleet.times()));
}

#[test]
fn the_canary_is_nowhere_but_where_it_belongs() {
    let fleet = Fleet::new();
    let mut said = String::new();
    for words in [
        &["reconcile", "now"][..],
        &["reconcile", "now", "--json"],
        &["status"],
        &["status", "--json"],
        &["drift", "--json"],
        &["generations", "list", "--json"],
        &["plan"],
    ] {
        let run = fleet.run_tracing(words);
        said += &run.stdout;
        said += &run.stderr;
    }
    assert!(said.contains("TRACE"), "nothing was traced");
    assert!(!said.contains(CANARY), "the canary was said");
    let mut places: Vec<String> = fleet.files_containing(CANARY);
    places.sort();
    let set = std::fs::read_link(fleet.path("run/secrets")).unwrap();
    let set = set.to_str().unwrap();
    assert_eq!(
        places,
        [
            format!("run/{set}/db/password"),
            format!("run/{set}/rendered/app.env")
        ]
    );
}

#[test]
fn what_dpkg_left_beside_a_file_of_ours_is_drift_until_somebody_removes_it() {
    let fleet = Fleet::new();
    fleet.reconcile().ends_with(0);
    fleet.write("etc/app.conf.dpkg-dist", "color = blue\n");
    let drift = fleet.drift();
    drift.ends_with(3);
    assert!(
        drift.stdout.contains("/etc/app.conf.dpkg-dist"),
        "{}",
        drift.stdout
    );
    fleet.reconcile().ends_with(0);
    assert_eq!(fleet.read("etc/app.conf.dpkg-dist"), "color = blue\n");
    std::fs::remove_file(fleet.path("etc/app.conf.dpkg-dist")).unwrap();
    fleet.drift().ends_with(0);
}
