//! The walk through the README: the demo host below a directory, as an ordinary user and as root.

#![expect(
    clippy::disallowed_methods,
    reason = "tests drive other programs and write their own files"
)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

const KEY: &str = "hosts/demo/DEMO-KEY-NOT-SECRET_ssh_host_ed25519_key";
const PASSWORD: &str = "correct-horse-battery-staple";
/// An ordinary user, where the tests run as root.
const SOMEBODY: u32 = 54_321;

/// Who walks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Who {
    /// Whoever runs the tests.
    Runner,
    /// An account without any privilege.
    Somebody,
}

/// A clone of the demo fleet and the directory that becomes the host.
struct Walk {
    dir: TempDir,
    who: Who,
}

struct Said {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Walk {
    fn begin(who: Who) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let walk = Self { dir, who };
        let checkout = Path::new(env!("CARGO_MANIFEST_DIR"));
        for part in ["hosts", "secrets", ".sops.yaml"] {
            copy(&checkout.join(part), &walk.clone_dir().join(part));
        }
        fs::create_dir(walk.path("home")).unwrap();
        // The build may lie where somebody else cannot look.
        fs::copy(env!("CARGO_BIN_EXE_steadfast"), walk.path("steadfast")).unwrap();
        if who == Who::Somebody {
            give_away(walk.dir.path());
        }
        walk.git(&["init", "-q", "-b", "main"]);
        walk.commit("the demo");
        walk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn clone_dir(&self) -> PathBuf {
        self.path("clone")
    }

    /// A path of the host.
    fn host(&self, path: &str) -> PathBuf {
        self.clone_dir().join(".demo").join(path)
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.host(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Said {
        let mut command = match self.who {
            Who::Runner => Command::new(program),
            Who::Somebody => {
                let mut command = Command::new("setpriv");
                let id = SOMEBODY.to_string();
                command.args([
                    "--reuid",
                    &id,
                    "--regid",
                    &id,
                    "--clear-groups",
                    "--",
                    program,
                ]);
                command
            }
        };
        let output = command
            .args(arguments)
            .current_dir(self.clone_dir())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.path("home"))
            .env("LANG", "C.UTF-8")
            .env(
                "SOPS_AGE_KEY_FILE",
                self.clone_dir()
                    .join("hosts/demo/DEMO-KEY-NOT-SECRET_operator.age"),
            )
            .env("GIT_AUTHOR_NAME", "Anna")
            .env("GIT_AUTHOR_EMAIL", "anna@example.org")
            .env("GIT_COMMITTER_NAME", "Anna")
            .env("GIT_COMMITTER_EMAIL", "anna@example.org")
            .output()
            .unwrap();
        Said {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    fn git(&self, arguments: &[&str]) {
        let said = self.run("git", arguments);
        assert_eq!(said.code, 0, "git {arguments:?}: {}", said.stderr);
    }

    fn commit(&self, message: &str) {
        self.git(&["add", "--all", ":!.demo"]);
        self.git(&["commit", "-q", "-m", message]);
    }

    fn edit(&self, path: &str, old: &str, new: &str) {
        let path = self.clone_dir().join(path);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(old), "{} has no {old:?}", path.display());
        fs::write(&path, text.replace(old, new)).unwrap();
    }

    /// A verb of the demo host.
    fn steadfast(&self, verb: &[&str]) -> Said {
        let program = self.path("steadfast");
        let host = [
            "--root",
            ".demo",
            "--repo",
            ".",
            "--host",
            "demo",
            "--identity",
            KEY,
        ];
        self.run(program.to_str().unwrap(), &[verb, &host].concat())
    }

    #[track_caller]
    fn must(&self, code: i32, verb: &[&str]) -> Said {
        let said = self.steadfast(verb);
        assert_eq!(
            said.code, code,
            "steadfast {verb:?} ended with {}, not {code}\n{}\n{}",
            said.code, said.stdout, said.stderr
        );
        let all = format!("{}{}", said.stdout, said.stderr);
        assert!(!all.contains(PASSWORD), "steadfast {verb:?} shows a secret");
        said
    }

    fn json(&self, verb: &[&str]) -> Value {
        let said = self.must(0, &[verb, &["--json"]].concat());
        serde_json::from_str(&said.stdout).unwrap()
    }

    /// Modification and change times of everything below the host, without the agent's own state.
    fn times(&self) -> BTreeMap<PathBuf, (i64, i64)> {
        walkdir::WalkDir::new(self.host(""))
            .into_iter()
            .map(Result::unwrap)
            .filter(|entry| !entry.path().starts_with(self.host("var/lib/steadfast")))
            .map(|entry| {
                let found = entry.metadata().unwrap();
                (
                    entry.path().to_owned(),
                    (found.mtime_nsec(), found.ctime_nsec()),
                )
            })
            .collect()
    }
}

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let name = entry.unwrap().file_name();
            copy(&from.join(&name), &to.join(&name));
        }
    } else {
        fs::copy(from, to).unwrap();
    }
}

fn give_away(path: &Path) {
    for entry in walkdir::WalkDir::new(path) {
        chown(entry.unwrap().path(), Some(SOMEBODY), Some(SOMEBODY)).unwrap();
    }
}

#[test]
fn the_demo_walks_as_the_readme_says() {
    walk(&Walk::begin(Who::Runner));
}

#[test]
fn the_demo_needs_no_privilege() {
    if !rustix::process::geteuid().is_root() {
        // Whoever runs the tests has none: the other test is this one.
        return;
    }
    walk(&Walk::begin(Who::Somebody));
}

fn walk(walk: &Walk) {
    first_run_builds_the_host(walk);
    second_run_has_nothing_to_do(walk);
    hand_edits_are_shown_and_put_right(walk);
    a_new_secret_arrives(walk);
    a_broken_health_check_rolls_back(walk);
    reading_verbs_answer(walk);
    assert_eq!(
        fs::read_dir(walk.path("home")).unwrap().count(),
        0,
        "nothing outside is touched"
    );
}

fn first_run_builds_the_host(walk: &Walk) {
    let preview = walk.must(0, &["reconcile", "now", "--dry-run"]);
    assert!(preview.stdout.contains("/etc/motd"), "{}", preview.stdout);
    assert!(!walk.host("etc/motd").exists(), "a dry run changes nothing");

    let said = walk.must(0, &["reconcile", "now"]);
    let all = format!("{}{}", said.stdout, said.stderr);
    for word in ["/etc/motd", "database/password", "shop.service"] {
        assert!(all.contains(word), "no {word:?} in:\n{all}");
    }
    assert!(walk.read("etc/motd").starts_with("This is demo."));
    assert_eq!(walk.read("run/secrets/database/password"), PASSWORD);
    assert_eq!(
        walk.read("run/secrets/rendered/shop.env"),
        format!(
            "DATABASE_URL=postgres://shop:{PASSWORD}@localhost/shop\nMAIL_KEY=demo-0a1b2c3d4e5f\n"
        )
    );
    let mode = |path: &str| walk.host(path).metadata().unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode("run/secrets/database/password"), 0o400);
    assert_eq!(mode("run/secrets/mail/api_key"), 0o440);
    assert_eq!(mode("var/lib/shop"), 0o750);
    let link = |path: &str| fs::read_link(walk.host(path)).unwrap();
    assert_eq!(link("etc/shop/current.conf"), Path::new("shop.conf"));
    assert!(
        walk.read("etc/systemd/system/shop.service")
            .contains("The shop")
    );
    link("etc/systemd/system/multi-user.target.wants/shop.service");
    assert!(walk.read("etc/passwd").contains("shop:"));
    walk.must(0, &["drift"]);
}

fn second_run_has_nothing_to_do(walk: &Walk) {
    let before = walk.times();
    let said = walk.must(0, &["reconcile", "now"]);
    let all = format!("{}{}", said.stdout, said.stderr);
    assert!(all.to_lowercase().contains("nothing to do"), "{all}");
    assert_eq!(walk.times(), before, "no file was touched");
}

fn hand_edits_are_shown_and_put_right(walk: &Walk) {
    fs::write(walk.host("etc/shop/shop.conf"), "workers = 99\n").unwrap();
    fs::set_permissions(walk.host("etc/motd"), fs::Permissions::from_mode(0o600)).unwrap();
    let said = walk.must(3, &["drift"]);
    for line in ["-workers = 2", "+workers = 99"] {
        assert!(
            said.stdout.contains(line),
            "no {line:?} in:\n{}",
            said.stdout
        );
    }
    let report: Value = serde_json::from_str(&walk.must(3, &["drift", "--json"]).stdout).unwrap();
    assert_eq!(report["items"].as_array().unwrap().len(), 2, "{report}");
    walk.must(0, &["reconcile", "now"]);
    assert!(walk.read("etc/shop/shop.conf").contains("workers = 2\n"));
    walk.must(0, &["drift"]);
}

fn a_new_secret_arrives(walk: &Walk) {
    let program = walk.path("steadfast");
    let program = program.to_str().unwrap();
    fs::write(
        walk.path("editor"),
        "#!/bin/sh\nsed -i 's/demo-0a1b2c3d4e5f/demo-new/' \"$1\"\n",
    )
    .unwrap();
    fs::set_permissions(walk.path("editor"), fs::Permissions::from_mode(0o755)).unwrap();
    let script = format!(
        "EDITOR={} {program} secrets edit secrets/default.yml",
        walk.path("editor").display()
    );
    let said = walk.run("sh", &["-c", &script]);
    assert_eq!(said.code, 0, "{}{}", said.stdout, said.stderr);
    let said = walk.run(program, &["secrets", "rekey"]);
    assert_eq!(said.code, 0, "{}{}", said.stdout, said.stderr);
    walk.commit("another key for the mail");
    let said = walk.must(0, &["reconcile", "now", "--json"]);
    assert!(said.stdout.contains("mail/api_key"), "{}", said.stdout);
    assert_eq!(walk.read("run/secrets/mail/api_key"), "demo-new");
    assert!(
        walk.read("run/secrets/rendered/shop.env")
            .ends_with("MAIL_KEY=demo-new\n")
    );
}

fn a_broken_health_check_rolls_back(walk: &Walk) {
    walk.edit(
        "hosts/demo/host.yml",
        "      greeting = hello\n",
        "      greeting = goodbye\n",
    );
    walk.commit("a greeting that the check does not like");
    let said = walk.must(4, &["reconcile", "now"]);
    let all = format!("{}{}", said.stdout, said.stderr);
    assert!(all.contains("/etc/shop/features.conf"), "{all}");
    assert_eq!(walk.read("etc/shop/features.conf"), "greeting = hello\n");
    walk.must(0, &["drift"]);
    let again = walk.must(4, &["reconcile", "now", "--json"]);
    assert!(again.stdout.contains("known_bad"), "{}", again.stdout);

    walk.edit(
        "hosts/demo/host.yml",
        "contains: \"greeting = hello\"",
        "contains: \"greeting = goodbye\"",
    );
    walk.commit("a check that likes it");
    walk.must(0, &["reconcile", "now"]);
    assert_eq!(walk.read("etc/shop/features.conf"), "greeting = goodbye\n");
}

fn reading_verbs_answer(walk: &Walk) {
    let status = walk.json(&["status"]);
    assert_eq!(status["host"], "demo");
    assert_eq!(status["last"]["outcome"], "activated");
    assert_eq!(status["failed"].as_array().unwrap().len(), 1);
    let list = walk.json(&["generations", "list"]);
    let numbers: Vec<u64> = list["generations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|generation| generation["number"].as_u64().unwrap())
        .collect();
    assert!(numbers.is_sorted() && numbers.len() >= 3, "{numbers:?}");
    let text = walk.must(0, &["status"]);
    assert!(text.stdout.contains("demo"), "{}", text.stdout);
    walk.must(0, &["generations", "rollback"]);
    assert_eq!(walk.read("etc/shop/features.conf"), "greeting = hello\n");
}
