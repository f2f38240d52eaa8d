//! Drift turned round: the change to the repository that would make it the truth. And what may differ.

use std::io::Write as _;
use std::process::{Command, Stdio};

use steadfast::agent::{Mode, Needs, Overrides, Pass, Pausing, Reconciler, Retry, Settings};
use steadfast::config::HostName;
use steadfast::host;
use steadfast::report::{Outcome, Trigger};

use crate::fixture::{CANARY, Fleet, HOST, Run};

/// What is adopted stands apart here, so that one change does not touch the lines around another.
const MANY_FORMS: &str = "\
description: the yard
files:
  # Greets whoever logs in.
  /etc/motd:
    text: |
      hello

      there
    mode: \"0644\"
  /etc/made: { text: \"{{ host.name }}\\n\" }
  /etc/filled: { file: /filled.conf, template: true }
  # The first,
  # the second,
  # the third.
  /etc/short: { text: \"short\\n\" }
  /etc/app.conf: { file: app.conf, mode: \"0640\" }
secrets:
  db/password: {}
# The first,
# the second.
directories:
  /srv/app:
# The first,
# the second,
# the third,
# the fourth.
symlinks:
  /etc/link: motd
";

impl Fleet {
    fn adopt(&self, path: &str) -> Run {
        self.run(&["drift", "adopt", path])
    }

    /// One scan of the agent, and what it repairs.
    fn scan(&self) -> Outcome {
        let host = host::Host::below(&self.path("")).unwrap();
        let overrides = Overrides {
            remote: Some(self.repository().to_str().unwrap().to_owned()),
            host: Some(HostName::new("yard").unwrap()),
            identity: Some(self.repository().with_file_name("host_key")),
            needs: Needs::Repository,
            ..Overrides::default()
        };
        let settings = Settings::load(&host, &overrides).unwrap();
        let pass = Pass {
            trigger: Trigger::Drift,
            retry: Retry::No,
            pausing: Pausing::Obeyed,
            mode: Mode::Switch,
        };
        let (report, _) = Reconciler::new(host, settings).pass_blocking(pass, &|_| ());
        report.outcome
    }

    /// What `git apply` says to `diff` in the repository.
    fn apply(&self, diff: &str) {
        let mut git = Command::new("git")
            .args(["apply", "-"])
            .current_dir(self.repository())
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        git.stdin
            .take()
            .unwrap()
            .write_all(diff.as_bytes())
            .unwrap();
        assert!(git.wait().unwrap().success(), "{diff}");
    }
}

#[test]
fn adopted_drift_applies_with_git_and_is_none_any_more() {
    let fleet = Fleet::new();
    std::fs::write(
        fleet.repository().join("filled.conf"),
        "on {{ host.name }}\n",
    )
    .unwrap();
    fleet.commit_host(MANY_FORMS);
    fleet.reconcile().ends_with(0);
    let nothing = fleet.adopt("/etc/motd");
    nothing.ends_with(0);
    assert_eq!(nothing.stdout, "");

    fleet.write("etc/motd", "hello\n\n  you: \"all\" # there\n");
    fleet.set_mode("etc/motd", 0o600);
    fleet.write("etc/short", "longer\nthan before");
    fleet.write("etc/app.conf", "color = blue\n");
    fleet.set_mode("srv/app", 0o700);
    std::fs::remove_file(fleet.path("etc/link")).unwrap();
    std::os::unix::fs::symlink("app.conf", fleet.path("etc/link")).unwrap();
    for path in [
        "/etc/motd",
        "/etc/short",
        "/etc/app.conf",
        "/srv/app",
        "/etc/link",
    ] {
        let adopted = fleet.adopt(path);
        adopted.ends_with(0);
        // Each is made against the commit in force; together they apply one after the other.
        fleet.apply(&adopted.stdout);
    }
    let host = std::fs::read_to_string(fleet.repository().join("hosts/yard/host.yml")).unwrap();
    assert!(host.contains("  # Greets whoever logs in.\n"), "{host}");
    fleet.git(&["add", "-A"]);
    fleet.git(&["commit", "-q", "-m", "as it is"]);
    let now = fleet.reconcile();
    now.ends_with(0);
    fleet.drift().ends_with(0);
    assert_eq!(fleet.read("etc/motd"), "hello\n\n  you: \"all\" # there\n");
    assert_eq!(fleet.mode("etc/motd"), 0o600);
    assert_eq!(fleet.mode("srv/app"), 0o700);
    assert_eq!(fleet.link("etc/link"), "app.conf");
}

#[test]
fn what_the_repository_cannot_say_is_refused_with_what_to_do_instead() {
    let fleet = Fleet::new();
    std::fs::write(
        fleet.repository().join("filled.conf"),
        "on {{ host.name }}\n",
    )
    .unwrap();
    fleet.commit_host(MANY_FORMS);
    fleet.reconcile().ends_with(0);
    fleet.write("etc/filled", "other\n");
    fleet.write("etc/made", "other\n");
    fleet.write("etc/short", "a {{ b }}\n");
    fleet.set_mode("etc/motd", 0o644);
    std::fs::remove_file(fleet.path("etc/motd")).unwrap();
    for (path, why, fix) in [
        ("/etc/filled", "with its expressions filled in", "by hand"),
        ("/etc/made", "an expression makes its text", "by hand"),
        ("/etc/short", "would be an expression", "`file:`"),
        (
            "/etc/motd",
            "it is gone",
            "remove its entry, hosts/yard/host.yml:4:3",
        ),
        (
            "/run/secrets/db/password",
            "holds a secret",
            "steadfast secrets edit",
        ),
        ("/etc/nothing", "says nothing about it", "generations show"),
    ] {
        let refused = fleet.adopt(path);
        refused.ends_with(1);
        assert!(refused.stderr.contains(why), "{path}: {}", refused.stderr);
        assert!(refused.stderr.contains(fix), "{path}: {}", refused.stderr);
        assert_eq!(refused.stdout, "");
    }
}

#[test]
fn the_verbs_below_drift_print_json_where_it_is_asked_for() {
    let fleet = Fleet::new();
    fleet.reconcile().ends_with(0);
    fleet.write("etc/motd", "edited\n");
    let adoption = fleet.json(&["drift", "adopt", "/etc/motd", "--json"]);
    assert_eq!(adoption["files"][0], "hosts/yard/host.yml");
    let held = fleet.json(&["drift", "--json", "hold", "/etc/motd"]);
    assert_eq!(held["path"], "/etc/motd");
    let released = fleet.json(&["drift", "release", "/etc/motd", "--json"]);
    assert_eq!(released["path"], "/etc/motd");
    let again = fleet.json(&["drift", "--json", "release", "/etc/motd"]);
    assert!(again.is_null());
}

#[test]
fn what_changes_a_host_prints_json_where_it_is_asked_for() {
    let fleet = Fleet::new();
    fleet.reconcile().ends_with(0);
    let paused = fleet.json(&["reconcile", "pause", "--json"]);
    assert!(paused["path"].is_null() && paused["until_secs"].is_number());
    let resumed = fleet.json(&["reconcile", "resume", "--json"]);
    assert_eq!(resumed["since_secs"], paused["since_secs"]);
    assert!(fleet.json(&["reconcile", "resume", "--json"]).is_null());
    for (verb, pinned) in [("pin", true), ("unpin", false)] {
        let answer = fleet.json(&["generations", verb, "1", "--json"]);
        assert_eq!(answer["generations"][0]["pinned"], pinned);
    }
}

#[test]
fn what_is_ignored_may_differ_and_what_is_put_right_keeps_it() {
    let fleet = Fleet::new();
    let host = "\
files:
  /etc/mode: { text: \"a\\n\", ignore: [mode] }
  /etc/seed: { text: \"a\\n\", ignore: [content] }
  /etc/lines: { text: \"# made\\na\\n\", ignore: [{ lines: '^# ' }] }
  /etc/adopted: { text: \"a\\n\", drift: adopt }
directories:
  /srv/app: { ignore: [mode] }
";
    fleet.commit_host(host);
    fleet.reconcile().ends_with(0);
    fleet.set_mode("etc/mode", 0o600);
    fleet.set_mode("srv/app", 0o700);
    fleet.write("etc/seed", "grown\n");
    fleet.write("etc/lines", "# made again\na\n# and again\n");
    fleet.write("etc/adopted", "theirs\n");
    fleet.set_mode("etc/adopted", 0o600);
    let none = fleet.drift();
    none.ends_with(0);
    fleet.reconcile().ends_with(0);
    assert_eq!(fleet.read("etc/adopted"), "theirs\n");

    fleet.write("etc/mode", "b\n");
    fleet.set_mode("etc/seed", 0o600);
    fleet.write("etc/lines", "# made\nb\n");
    std::fs::remove_file(fleet.path("etc/adopted")).unwrap();
    let found = fleet.json(&["drift", "--json"]);
    let of = |n: usize, what: &str| {
        found["items"][n][what]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let found: Vec<_> = (0..5).map(|n| (of(n, "class"), of(n, "subject"))).collect();
    let expected = [
        ("missing", "/etc/adopted"),
        ("content", "/etc/lines"),
        ("content", "/etc/mode"),
        ("metadata", "/etc/seed"),
        ("", ""),
    ];
    assert_eq!(
        found,
        expected.map(|(class, subject)| (class.to_owned(), subject.to_owned()))
    );
    fleet.reconcile().ends_with(0);
    assert_eq!(
        (fleet.read("etc/mode").as_str(), fleet.mode("etc/mode")),
        ("a\n", 0o600)
    );
    assert_eq!(
        (fleet.read("etc/seed").as_str(), fleet.mode("etc/seed")),
        ("grown\n", 0o644)
    );
    assert_eq!(fleet.read("etc/lines"), "# made\na\n");
    assert_eq!(fleet.read("etc/adopted"), "a\n");

    // A commit that changes the entry is applied, also where drift is adopted.
    fleet.write("etc/adopted", "theirs\n");
    fleet.commit_host(&host.replace("\"a\\n\", drift: adopt", "\"new\\n\", drift: adopt"));
    fleet.reconcile().ends_with(0);
    assert_eq!(fleet.read("etc/adopted"), "new\n");
}

#[test]
fn an_agent_tells_of_an_edit_at_once_and_puts_it_right() {
    let fleet = Fleet::new();
    fleet.commit_host(&format!("drift: enforce\n{HOST}"));
    let _agent = fleet.start_agent();
    let is = |text: &str| {
        std::fs::read_to_string(fleet.path("etc/motd")).is_ok_and(|found| found == text)
    };
    crate::agent::wait_until("the first pass", || is("yard: hello\n"));
    crate::agent::wait_until("the agent waits", || {
        let status = fleet.run(&["status", "--json"]).stdout;
        serde_json::from_str::<serde_json::Value>(&status)
            .is_ok_and(|status| status["agent"]["phase"] == "idle")
    });
    for edit in ["one\n", "two\n", "three\n"] {
        fleet.write("etc/motd", edit);
        crate::agent::wait_until("the edit is put right", || is("yard: hello\n"));
    }
    fleet.write("etc/motd", "four\n");
    crate::agent::wait_until("the guard trips", || {
        let status = fleet.run(&["status", "--json"]).stdout;
        serde_json::from_str::<serde_json::Value>(&status)
            .is_ok_and(|status| status["contended"][0]["subject"] == "/etc/motd")
    });
    assert!(
        is("four\n"),
        "the fourth repair within ten minutes is not made"
    );
    let drift = fleet.drift();
    drift.ends_with(3);
    assert!(
        drift.stdout.contains("left alone until 20"),
        "{}",
        drift.stdout
    );
    fleet.reconcile().ends_with(0);
    assert!(is("yard: hello\n"), "a person may");
}

#[test]
fn a_scan_installs_a_secret_that_is_gone_and_removes_a_stray_whatever_the_policy() {
    let secret = "run/secrets/db/password";
    for policy in ["report", "enforce"] {
        let fleet = Fleet::new();
        fleet.commit_host(&format!("drift: {policy}\n{HOST}"));
        fleet.reconcile().ends_with(0);
        assert_eq!(fleet.scan(), Outcome::NothingToDo);

        std::fs::remove_file(fleet.path(secret)).unwrap();
        let drift = fleet.drift();
        drift.ends_with(3);
        assert!(drift.stdout.contains("db/password"), "{drift:?}");
        assert_eq!(fleet.scan(), Outcome::Repaired);
        assert_eq!(fleet.read(secret), CANARY);

        fleet.write("run/secrets/stray", "not ours");
        fleet.drift().ends_with(3);
        assert_eq!(fleet.scan(), Outcome::Repaired);
        assert!(!fleet.path("run/secrets/stray").exists());
        fleet.drift().ends_with(0);

        // A value that somebody wrote is an edit, and those have a policy.
        fleet.write(secret, "by hand");
        let (outcome, left) = match policy {
            "report" => (Outcome::NothingToDo, "by hand"),
            _ => (Outcome::Repaired, CANARY),
        };
        assert_eq!(fleet.scan(), outcome);
        assert_eq!(fleet.read(secret), left);
    }
}
