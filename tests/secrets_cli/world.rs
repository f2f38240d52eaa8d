//! A clone of a config repository for each test, and what must never show up in it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use assert_cmd::Command;
use assert_cmd::assert::Assert;

/// Nothing but the answer of a verb that prints it may show this.
pub(crate) const CANARY: &str = "canary-9c1f0a7e";

pub(crate) const ALICE: [&str; 2] = [
    "age1ng0fdfkz7kyqkdhu8quts5gm7j4yjudzmw2z0utl06sne5vqd5lqnyp9ga",
    "AGE-SECRET-KEY-1RX5LUG58PX54NJZJE8DF0967VCAT4G20SVX93KGF6VWXFWK6CUYQL7PAP9",
];
pub(crate) const BOB: [&str; 2] = [
    "age1wngts0hzghfwf90yt6fcaegx3qy7frfka7c4ath89x6ufe4n0p7sunzey0",
    "AGE-SECRET-KEY-1A2UR88AS0VTJL27A0S3GDU9M4XPWCU0N4MM3WUV0NKJN2J7Q8MWS9443PV",
];

/// A clone of a config repository, with a home and a temporary directory of its own.
pub(crate) struct World {
    directory: tempfile::TempDir,
}

impl World {
    pub(crate) fn new() -> Self {
        let world = Self {
            directory: tempfile::tempdir().unwrap(),
        };
        for name in ["repo/secrets", "home", "tmp"] {
            fs::create_dir_all(world.at(name)).unwrap();
        }
        world.rules("*alice, *bob");
        world
    }

    pub(crate) fn directory(&self) -> &std::path::Path {
        self.directory.path()
    }

    pub(crate) fn at(&self, path: &str) -> PathBuf {
        self.directory.path().join(path)
    }

    pub(crate) fn repo(&self, path: &str) -> PathBuf {
        self.at("repo").join(path)
    }

    pub(crate) fn write(&self, path: &str, content: &str) {
        let mut file = fs::File::create(self.repo(path)).unwrap();
        std::io::Write::write_all(&mut file, content.as_bytes()).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.repo(path)).unwrap()
    }

    pub(crate) fn rules(&self, recipients: &str) {
        self.write(
            ".sops.yaml",
            &format!(
                "keys:\n  - &alice {}\n  - &bob {}\ncreation_rules:\n  - path_regex: ^secrets/.*\\.ya?ml$\n    age: [{recipients}]\n",
                ALICE[0], BOB[0]
            ),
        );
    }

    /// An editor: a shell script that gets the file as `$1`.
    pub(crate) fn editor(&self, script: &str) -> String {
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

    pub(crate) fn secrets(&self, args: &[&str], key: &str) -> Command {
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

    pub(crate) fn alice(&self, args: &[&str]) -> Command {
        self.secrets(args, ALICE[1])
    }

    pub(crate) fn set(&self, file: &str, key: &str, value: &str) {
        self.alice(&["set", file, key])
            .write_stdin(value)
            .assert()
            .success();
    }

    pub(crate) fn get(&self, file: &str, key: &str, identity: &str) -> String {
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

    /// The file in which what was typed is kept, as a message names it.
    pub(crate) fn kept(said: &str) -> Option<PathBuf> {
        let word = said
            .split(|c: char| c.is_whitespace() || c == '`')
            .find(|word| word.starts_with("/dev/shm/steadfast-kept-"))?;
        Some(PathBuf::from(word))
    }

    /// Removes what was kept.
    pub(crate) fn forget(kept: &str) {
        let directory = PathBuf::from(kept);
        fs::remove_dir_all(directory.parent().unwrap()).unwrap();
    }

    /// Nothing of a secret or a key is on disk or in what was said.
    pub(crate) fn assert_silent(&self, said: &Assert) {
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

pub(crate) fn stderr(assert: &Assert) -> String {
    String::from_utf8_lossy(&assert.get_output().stderr).into_owned()
}

pub(crate) fn stdout(assert: &Assert) -> String {
    String::from_utf8_lossy(&assert.get_output().stdout).into_owned()
}
