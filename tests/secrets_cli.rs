//! `secrets` as people use it: a repository, an editor, other people's keys.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of a test fail the test, which is what they are for"
)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use assert_cmd::assert::Assert;

/// Nothing but the answer of a verb that prints it may show this.
const CANARY: &str = "canary-9c1f0a7e";

const ALICE: [&str; 2] = [
    "age1ng0fdfkz7kyqkdhu8quts5gm7j4yjudzmw2z0utl06sne5vqd5lqnyp9ga",
    "AGE-SECRET-KEY-1RX5LUG58PX54NJZJE8DF0967VCAT4G20SVX93KGF6VWXFWK6CUYQL7PAP9",
];
const BOB: [&str; 2] = [
    "age1wngts0hzghfwf90yt6fcaegx3qy7frfka7c4ath89x6ufe4n0p7sunzey0",
    "AGE-SECRET-KEY-1A2UR88AS0VTJL27A0S3GDU9M4XPWCU0N4MM3WUV0NKJN2J7Q8MWS9443PV",
];

/// A clone of a config repository, with a home and a temporary directory of its own.
struct World {
    directory: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let world = Self {
            directory: tempfile::tempdir().unwrap(),
        };
        for name in ["repo/secrets", "home", "tmp"] {
            fs::create_dir_all(world.at(name)).unwrap();
        }
        world.rules("*alice, *bob");
        world
    }

    fn at(&self, path: &str) -> PathBuf {
        self.directory.path().join(path)
    }

    fn repo(&self, path: &str) -> PathBuf {
        self.at("repo").join(path)
    }

    fn write(&self, path: &str, content: &str) {
        let mut file = fs::File::create(self.repo(path)).unwrap();
        std::io::Write::write_all(&mut file, content.as_bytes()).unwrap();
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.repo(path)).unwrap()
    }

    fn rules(&self, recipients: &str) {
        self.write(
            ".sops.yaml",
            &format!(
                "keys:\n  - &alice {}\n  - &bob {}\ncreation_rules:\n  - path_regex: ^secrets/.*\\.ya?ml$\n    age: [{recipients}]\n",
                ALICE[0], BOB[0]
            ),
        );
    }

    /// An editor: a shell script that gets the file as `$1`.
    fn editor(&self, script: &str) -> String {
        let path = self.at("editor");
        let mut file = fs::File::create(&path).unwrap();
        std::io::Write::write_all(
            &mut file,
            format!("#!/bin/sh\nset -e\n{script}\n").as_bytes(),
        )
        .unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path.display().to_string()
    }

    fn secrets(&self, args: &[&str], key: &str) -> Command {
        let mut command = Command::cargo_bin("steadfast").unwrap();
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", self.at("home"))
            .env("TMPDIR", self.at("tmp"))
            .env("SOPS_AGE_KEY", key)
            .current_dir(self.at("repo"))
            .arg("secrets")
            .args(args);
        command
    }

    fn alice(&self, args: &[&str]) -> Command {
        self.secrets(args, ALICE[1])
    }

    fn set(&self, file: &str, key: &str, value: &str) {
        self.alice(&["set", file, key])
            .write_stdin(value)
            .assert()
            .success();
    }

    fn get(&self, file: &str, key: &str, identity: &str) -> String {
        let output = self
            .secrets(&["get", file, key], identity)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// Nothing of a secret or a key is on disk or in what was said.
    fn assert_silent(&self, said: &Assert) {
        let output = said.get_output();
        for stream in [&output.stdout, &output.stderr] {
            let text = String::from_utf8_lossy(stream);
            assert!(!text.contains(CANARY), "{text}");
            assert!(!text.contains("AGE-SECRET-KEY"), "{text}");
        }
        for place in ["repo", "home", "tmp"] {
            for entry in walkdir::WalkDir::new(self.at(place)) {
                let entry = entry.unwrap();
                if entry.file_type().is_file() {
                    let bytes = fs::read(entry.path()).unwrap();
                    let text = String::from_utf8_lossy(&bytes);
                    assert!(!text.contains(CANARY), "{}", entry.path().display());
                }
            }
        }
        assert_eq!(fs::read_dir(self.at("tmp")).unwrap().count(), 0);
    }
}

fn stderr(assert: &Assert) -> String {
    String::from_utf8_lossy(&assert.get_output().stderr).into_owned()
}

fn stdout(assert: &Assert) -> String {
    String::from_utf8_lossy(&assert.get_output().stdout).into_owned()
}

#[test]
fn a_new_file_is_edited_and_both_recipients_can_read_it() {
    let world = World::new();
    let script = format!(
        "echo \"$1\" > seen\nstat -c '%a %n' \"$1\" >> seen\nstat -c %a \"$(dirname \"$1\")\" >> seen\nprintf 'db:\\n    password: {CANARY}\\n' > \"$1\""
    );
    let edited = world
        .alice(&["edit", "secrets/default.yml"])
        .env("EDITOR", world.editor(&script))
        .assert()
        .success();
    assert_eq!(
        stderr(&edited),
        "secrets/default.yml is made, for alice, bob\n"
    );
    world.assert_silent(&edited);
    let seen = world.read("seen");
    let file = seen.lines().next().unwrap();
    assert!(file.starts_with("/dev/shm/steadfast-edit-"), "{seen}");
    assert!(file.ends_with("/default.yml"), "{seen}");
    assert!(seen.contains("600 /dev/shm"), "{seen}");
    assert!(seen.ends_with("\n700\n"), "{seen}");
    assert!(!Path::new(file).parent().unwrap().exists());
    for key in [ALICE[1], BOB[1]] {
        assert_eq!(world.get("secrets/default.yml", "db/password", key), CANARY);
    }
}

#[test]
fn an_edit_keeps_comments_order_mode_and_every_unchanged_ciphertext() {
    let world = World::new();
    world.write(
        "secrets/a.yml",
        "# first\nzebra: one\n\nalpha: # beside\n    inner: two\nlast: three\n",
    );
    world
        .alice(&["encrypt", "secrets/a.yml"])
        .assert()
        .success();
    fs::set_permissions(
        world.repo("secrets/a.yml"),
        fs::Permissions::from_mode(0o640),
    )
    .unwrap();
    let before = world.read("secrets/a.yml");
    world
        .alice(&["edit", "secrets/a.yml"])
        .env("EDITOR", world.editor("sed -i 's/two/2/' \"$1\""))
        .assert()
        .success();
    let after = world.read("secrets/a.yml");
    let changed: Vec<&str> = after
        .lines()
        .zip(before.lines())
        .filter(|(new, old)| new != old)
        .map(|(new, _)| new.trim().split(':').next().unwrap())
        .collect();
    let changed: Vec<&str> = changed
        .into_iter()
        // The same when both happen within a second.
        .filter(|key| *key != "lastmodified")
        .collect();
    assert_eq!(changed, ["inner", "mac"]);
    let mode = fs::metadata(world.repo("secrets/a.yml"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o640);
    let text = stdout(&world.alice(&["view", "secrets/a.yml"]).assert().success());
    assert_eq!(
        text,
        "# first\nzebra: one\n\nalpha: # beside\n    inner: 2\nlast: three\n"
    );
}

#[test]
fn an_unchanged_edit_says_so_and_writes_nothing() {
    let world = World::new();
    let new = world
        .alice(&["edit", "secrets/a.yml"])
        .env("EDITOR", "true")
        .assert()
        .code(200);
    assert_eq!(stderr(&new), "secrets/a.yml is unchanged\n");
    assert!(!world.repo("secrets/a.yml").exists());
    world.set("secrets/a.yml", "a", "1");
    let before = world.read("secrets/a.yml");
    world
        .alice(&["edit", "secrets/a.yml"])
        .env("EDITOR", "true")
        .assert()
        .code(200);
    assert_eq!(world.read("secrets/a.yml"), before);
}

#[test]
fn a_failed_edit_leaves_the_file_alone() {
    let world = World::new();
    world.set("secrets/a.yml", "a", CANARY);
    let before = world.read("secrets/a.yml");
    for (script, expected) in [
        ("exit 3", "failed (exit status: 3)"),
        ("echo 'a: [' > \"$1\"", "the edited text is not taken"),
        ("echo 'sops: {}' > \"$1\"", "the key `sops` is reserved"),
        (": > \"$1\"", "the edited text is not taken"),
    ] {
        let failed = world
            .alice(&["edit", "secrets/a.yml"])
            .env("EDITOR", world.editor(script))
            .assert()
            .code(1);
        assert!(
            stderr(&failed).contains(expected),
            "{script}: {}",
            stderr(&failed)
        );
        world.assert_silent(&failed);
        assert_eq!(world.read("secrets/a.yml"), before);
    }
    let failed = world
        .alice(&["edit", "secrets/a.yml"])
        .env("EDITOR", "/nonexistent/editor")
        .assert()
        .code(1);
    assert!(stderr(&failed).contains("cannot start the editor"));
}

#[test]
fn a_change_underneath_is_not_overwritten_and_nothing_typed_is_lost() {
    let world = World::new();
    world.set("secrets/a.yml", "a", "1");
    world.set("secrets/b.yml", "a", "other");
    let script = "cp secrets/b.yml secrets/a.yml\necho 'a: typed' > \"$1\"";
    let refused = world
        .alice(&["edit", "secrets/a.yml"])
        .env("EDITOR", world.editor(script))
        .assert()
        .code(1);
    let said = stderr(&refused);
    assert!(
        said.contains("changed by somebody else meanwhile"),
        "{said}"
    );
    let kept = said
        .split_whitespace()
        .find(|word| word.starts_with("/dev/shm/"))
        .unwrap();
    assert_eq!(fs::read_to_string(kept).unwrap(), "a: typed\n");
    fs::remove_dir_all(Path::new(kept).parent().unwrap()).unwrap();
    assert_eq!(world.get("secrets/a.yml", "a", ALICE[1]), "other");
}

#[test]
fn a_second_editor_is_told_about_the_first() {
    let world = World::new();
    world.set("secrets/a.yml", "a", "1");
    let program = assert_cmd::cargo::cargo_bin("steadfast");
    let script = format!(
        "if \"{}\" secrets set secrets/a.yml b < /dev/null 2> second; then exit 9; fi\necho 'c: 3' >> \"$1\"",
        program.display()
    );
    world
        .alice(&["edit", "secrets/a.yml"])
        .env("EDITOR", world.editor(&script))
        .assert()
        .success();
    assert!(
        world
            .read("second")
            .contains("somebody else is changing secrets/a.yml")
    );
    assert_eq!(world.get("secrets/a.yml", "c", ALICE[1]), "3");
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a signal needs a child of its own"
)]
fn a_signal_wipes_the_plaintext_before_the_process_goes() {
    for (signal, code) in [("TERM", 143), ("INT", 130), ("HUP", 129)] {
        let world = World::new();
        world.set("secrets/a.yml", "a", CANARY);
        let editor = world.editor("echo \"$1\" > seen.new\nmv seen.new seen\nexec sleep 30");
        let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin("steadfast"))
            .args(["secrets", "edit", "secrets/a.yml"])
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", world.at("home"))
            .env("SOPS_AGE_KEY", ALICE[1])
            .env("EDITOR", editor)
            .current_dir(world.at("repo"))
            .stdin(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
        while !world.repo("seen").exists() {
            assert!(
                std::time::Instant::now() < deadline,
                "the editor did not start"
            );
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        let file = world.read("seen").trim().to_owned();
        assert!(fs::read_to_string(&file).unwrap().contains(CANARY));
        let kill = Command::new("kill")
            .args([format!("-{signal}"), child.id().to_string()])
            .ok();
        assert!(kill.is_ok());
        assert_eq!(child.wait().unwrap().code(), Some(code), "{signal}");
        assert!(!Path::new(&file).parent().unwrap().exists(), "{signal}");
    }
}

#[test]
fn values_come_from_stdin_or_a_file() {
    let world = World::new();
    world.set("secrets/a.yml", "db/password", &format!("{CANARY}\n"));
    assert_eq!(world.get("secrets/a.yml", "db/password", BOB[1]), CANARY);
    let pem = "-----BEGIN-----\nabc\n-----END-----\n";
    world.set("secrets/a.yml", "tls/key", pem);
    assert_eq!(world.get("secrets/a.yml", "tls/key", BOB[1]), pem);
    world
        .alice(&["set", "secrets/a.yml", "raw", "--raw"])
        .write_stdin("x\n")
        .assert()
        .success();
    assert_eq!(world.get("secrets/a.yml", "raw", BOB[1]), "x\n");
    let before = world.read("secrets/a.yml");
    let again = world
        .alice(&["set", "secrets/a.yml", "db/password"])
        .write_stdin(CANARY)
        .assert()
        .success();
    assert!(stderr(&again).contains("has this value already"));
    world.assert_silent(&again);
    assert_eq!(world.read("secrets/a.yml"), before);
    world
        .alice(&["unset", "secrets/a.yml", "raw"])
        .assert()
        .success();
    let missing = world
        .alice(&["get", "secrets/a.yml", "raw"])
        .assert()
        .code(1);
    assert!(stderr(&missing).contains("there is no `raw` in it"));
    let missing = world
        .alice(&["get", "secrets/a.yml", "password"])
        .assert()
        .code(1);
    assert!(
        stderr(&missing).contains("there is `db/password`"),
        "{}",
        stderr(&missing)
    );
}

#[test]
fn a_rekey_makes_every_file_match_the_rules_at_once() {
    let world = World::new();
    world.rules("*alice");
    world.set("secrets/a.yml", "a", CANARY);
    world.set("secrets/b.yml", "b", "2");
    world.rules("*alice, *bob");
    world.set("secrets/c.yml", "c", "3");
    let untouched = world.read("secrets/c.yml");
    let value = |text: &str| {
        text.lines()
            .find(|line| line.starts_with("a:"))
            .unwrap()
            .to_owned()
    };
    let before = world.read("secrets/a.yml");

    let check = world.secrets(&["rekey", "--check"], "").assert().code(3);
    insta::assert_snapshot!(stdout(&check), @r"
    FILE           GAINED BY  LOST BY
    secrets/a.yml  +bob
    secrets/b.yml  +bob
    ");
    assert_eq!(world.read("secrets/a.yml"), before);

    let done = world.alice(&["rekey"]).assert().success();
    assert_eq!(stderr(&done), "2 files rekeyed, 1 file as before\n");
    world.assert_silent(&done);
    assert_eq!(world.read("secrets/c.yml"), untouched);
    assert_eq!(value(&world.read("secrets/a.yml")), value(&before));
    assert_eq!(world.get("secrets/a.yml", "a", BOB[1]), CANARY);
    world.secrets(&["rekey", "--check"], "").assert().code(0);

    world.rules("*bob");
    let json = world.alice(&["rekey", "--json"]).assert().success();
    let json: serde_json::Value = serde_json::from_str(&stdout(&json)).unwrap();
    assert_eq!(json["changes"][0]["lost"][0], "alice");
    assert_eq!(json["done"], true);
    let closed = world.alice(&["view", "secrets/a.yml"]).assert().code(1);
    assert!(
        stderr(&closed).contains("it is encrypted to bob"),
        "{}",
        stderr(&closed)
    );
}

#[test]
fn a_rekey_changes_all_files_or_none() {
    let world = World::new();
    world.rules("*alice");
    world.set("secrets/a.yml", "a", "1");
    world.rules("*bob");
    world
        .secrets(&["set", "secrets/b.yml", "b"], BOB[1])
        .write_stdin("2")
        .assert()
        .success();
    world.rules("*alice, *bob");
    let before = (world.read("secrets/a.yml"), world.read("secrets/b.yml"));
    let refused = world.alice(&["rekey"]).assert().code(1);
    let said = stderr(&refused);
    assert!(
        said.contains("nothing was rekeyed: one file stands in the way"),
        "{said}"
    );
    assert!(said.contains("secrets/b.yml"), "{said}");
    assert_eq!(
        (world.read("secrets/a.yml"), world.read("secrets/b.yml")),
        before
    );
}

#[test]
fn files_in_the_clear_are_pointed_out_and_can_be_encrypted() {
    let world = World::new();
    world.write("secrets/plain.yml", "token: abc\n");
    world.set("secrets/a.yml", "a", "1");
    let list = world.secrets(&["list"], "").assert().success();
    insta::assert_snapshot!(stdout(&list), @r"
    FILE           READABLE FOR
    secrets/a.yml  alice, bob
    ");
    assert!(stderr(&list).contains("secrets/plain.yml is not encrypted"));
    let view = world.alice(&["view", "secrets/plain.yml"]).assert().code(1);
    assert!(stderr(&view).contains("steadfast secrets encrypt secrets/plain.yml"));
    world
        .alice(&["encrypt", "secrets/plain.yml"])
        .assert()
        .success();
    assert!(!world.read("secrets/plain.yml").contains("abc"));
    assert_eq!(world.get("secrets/plain.yml", "token", BOB[1]), "abc");
}

#[test]
fn a_host_key_is_printed_as_sops_needs_it() {
    let world = World::new();
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/ssh-to-age");
    for name in ["vector1", "vector1.pub"] {
        let file = vectors.join(name);
        let output = world
            .secrets(
                &["host-key", "--json", "--file", file.to_str().unwrap()],
                "",
            )
            .assert()
            .success();
        let json: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
        assert_eq!(json["age"], ALICE[0], "{name}");
    }
    let scanned = format!(
        "# chicago:22\nchicago {}",
        fs::read_to_string(vectors.join("vector1.pub")).unwrap()
    );
    let output = world
        .secrets(&["host-key", "--file", "-"], "")
        .write_stdin(scanned)
        .assert()
        .success();
    insta::assert_snapshot!(stdout(&output), @r"
    age         age1ng0fdfkz7kyqkdhu8quts5gm7j4yjudzmw2z0utl06sne5vqd5lqnyp9ga
    ssh         ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBOCdSWjIMfzszdPo7IKIjJSHWCqqJzCc1q6X8BSXLQc
    fingerprint SHA256:vFeo7Itv7i9r7JgdDSJ21k6yeygQ4vZLwSBSe1FLwfA
    ");
    let root = world.at("root");
    fs::create_dir_all(root.join("etc/ssh")).unwrap();
    fs::copy(
        vectors.join("vector2"),
        root.join("etc/ssh/ssh_host_ed25519_key"),
    )
    .unwrap();
    let output = world
        .secrets(&["host-key", "--root", root.to_str().unwrap()], "")
        .assert()
        .success();
    assert!(stdout(&output).contains(BOB[0]));
}

#[test]
fn who_has_no_key_is_told_what_to_do() {
    let world = World::new();
    world.set("secrets/a.yml", "a", CANARY);
    let keyless = world
        .secrets(&["view", "secrets/a.yml"], "AGE-SECRET-KEY-1BROKEN")
        .assert()
        .code(1);
    insta::assert_snapshot!(stderr(&keyless), @r"
    error: cannot open secrets/a.yml
      cause: it is encrypted to alice, bob; none of these keys is here. Not usable: SOPS_AGE_KEY (line 1 is not an age identity)
      fix:   put an age key into ~/.config/sops/age/keys.txt, or name one with --identity FILE
    ");
    let outside = world
        .alice(&["rekey"])
        .current_dir(world.at("home"))
        .assert()
        .code(1);
    assert!(
        stderr(&outside).contains("there is no .sops.yaml in"),
        "{}",
        stderr(&outside)
    );
    // The host key that ssh-to-age knows as Alice's opens her files too.
    let vector = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/ssh-to-age/vector1");
    let named = world
        .secrets(
            &[
                "get",
                "secrets/a.yml",
                "a",
                "--identity",
                vector.to_str().unwrap(),
            ],
            "",
        )
        .assert()
        .success();
    assert_eq!(stdout(&named), CANARY);
}
