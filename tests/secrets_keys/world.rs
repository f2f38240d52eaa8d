//! A clone of a config repository, with a home and a `PATH` of its own.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

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
        let mut rules = "keys:\n".to_owned();
        for (name, recipient) in recipients {
            rules.push_str(&format!("  - &{name} {recipient}\n"));
        }
        let names: Vec<String> = recipients.iter().map(|(it, _)| format!("*{it}")).collect();
        rules.push_str(&format!(
            "creation_rules:\n  - path_regex: ^secrets/\n    age: [{}]\n",
            names.join(", ")
        ));
        world.write("repo/.sops.yaml", &rules);
        world
    }

    pub(super) fn at(&self, path: &str) -> PathBuf {
        self.directory.path().join(path)
    }

    pub(super) fn write(&self, path: &str, content: &str) -> PathBuf {
        let path = self.at(path);
        let mut file = fs::File::create(&path).unwrap();
        std::io::Write::write_all(&mut file, content.as_bytes()).unwrap();
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

pub(super) fn stdout(assert: &Assert) -> String {
    String::from_utf8_lossy(&assert.get_output().stdout).into_owned()
}

pub(super) fn stderr(assert: &Assert) -> String {
    String::from_utf8_lossy(&assert.get_output().stderr).into_owned()
}
