//! A clone of a config repository, with people and hosts.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

pub(super) const ALICE: [&str; 2] = [
    "age1ng0fdfkz7kyqkdhu8quts5gm7j4yjudzmw2z0utl06sne5vqd5lqnyp9ga",
    "AGE-SECRET-KEY-1RX5LUG58PX54NJZJE8DF0967VCAT4G20SVX93KGF6VWXFWK6CUYQL7PAP9",
];
pub(super) const BOB: [&str; 2] = [
    "age1wngts0hzghfwf90yt6fcaegx3qy7frfka7c4ath89x6ufe4n0p7sunzey0",
    "AGE-SECRET-KEY-1A2UR88AS0VTJL27A0S3GDU9M4XPWCU0N4MM3WUV0NKJN2J7Q8MWS9443PV",
];

pub(super) struct World {
    pub(super) directory: tempfile::TempDir,
    root: PathBuf,
}

/// What a command said.
pub(super) struct Said {
    pub(super) code: i32,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl Said {
    #[track_caller]
    pub(super) fn ends_with(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}\n{}", self.stdout, self.stderr);
        self
    }

    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap()
    }
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl World {
    /// Alice and Bob, three secret files, and the host dallas, which uses two of them and has no key yet; committed.
    pub(super) fn new() -> Self {
        let world = Self::empty();
        world.init();
        world.commit("first");
        world
    }

    /// The same without git.
    pub(super) fn without_git() -> Self {
        let world = Self::empty();
        world.fill();
        world
    }

    pub(super) fn empty() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("repo");
        Self::at(directory, root)
    }

    pub(super) fn at(directory: tempfile::TempDir, root: PathBuf) -> Self {
        fs::create_dir_all(&root).unwrap();
        fs::create_dir_all(directory.path().join("home")).unwrap();
        Self { directory, root }
    }

    pub(super) fn init(&self) {
        self.git(&["init", "-q", "-b", "main"]);
        self.fill();
    }

    pub(super) fn fill(&self) {
        self.write(
            ".sops.yaml",
            &format!(
                "# who\nkeys:\n  - &alice {} # me\n  - &bob {}\ncreation_rules:\n  # all\n  - path_regex: ^secrets/.*\\.ya?ml$\n    age: [*alice, *bob]\n",
                ALICE[0], BOB[0]
            ),
        );
        self.write(
            "hosts/dallas/host.yml",
            "secrets:\n  db/password: {}\n  tls: { file: /secrets/tls.yml, key: web/key }\n",
        );
        self.set("secrets/default.yml", "db/password", "one");
        self.set("secrets/tls.yml", "web/key", "two");
        self.set("secrets/other.yml", "x", "three");
    }

    pub(super) fn repo(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    pub(super) fn write(&self, path: &str, text: &str) {
        let path = self.repo(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut file = fs::File::create(path).unwrap();
        std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
    }

    pub(super) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.repo(path)).unwrap()
    }

    /// Every file but git's own, with its text.
    pub(super) fn files(&self) -> Vec<(String, String)> {
        let mut files: Vec<(String, String)> = walkdir::WalkDir::new(&self.root)
            .into_iter()
            .filter_entry(|entry| entry.file_name() != ".git")
            .map(Result::unwrap)
            .filter(|entry| entry.file_type().is_file())
            .map(|entry| {
                let name = entry.path().strip_prefix(&self.root).unwrap();
                let text = fs::read_to_string(entry.path()).unwrap();
                (name.to_str().unwrap().to_owned(), text)
            })
            .collect();
        files.sort();
        files
    }

    pub(super) fn command(&self, args: &[&str], key: &str) -> Command {
        let mut command = command(env!("CARGO_BIN_EXE_steadfast"));
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", self.directory.path().join("home"))
            .env("SOPS_AGE_KEY", key)
            .current_dir(&self.root)
            .arg("secrets")
            .args(args);
        command
    }

    pub(super) fn alice(&self, args: &[&str]) -> Said {
        self.command(args, ALICE[1]).output().unwrap().into()
    }

    /// Somebody without any key.
    pub(super) fn ci(&self, args: &[&str]) -> Said {
        self.command(args, "")
            .env_remove("SOPS_AGE_KEY")
            .output()
            .unwrap()
            .into()
    }

    pub(super) fn set(&self, file: &str, key: &str, value: &str) {
        let path = self.directory.path().join("value");
        let mut written = fs::File::create(&path).unwrap();
        std::io::Write::write_all(&mut written, value.as_bytes()).unwrap();
        let path = path.display().to_string();
        self.alice(&["set", file, key, "--file", &path])
            .ends_with(0);
    }

    pub(super) fn get(&self, file: &str, key: &str, identity: &str) -> Said {
        self.command(&["get", file, key], identity)
            .output()
            .unwrap()
            .into()
    }

    pub(super) fn git(&self, args: &[&str]) -> String {
        let output = command("git")
            .current_dir(&self.root)
            .args(["-c", "user.name=a", "-c", "user.email=a@example.org"])
            .args(["-c", "protocol.file.allow=always"])
            .args(args)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    pub(super) fn commit(&self, message: &str) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", message]);
    }

    /// A new SSH key; its private half as well as the public one lie outside of the repository.
    pub(super) fn ssh_key(&self, name: &str) -> PathBuf {
        let path = self.directory.path().join(name);
        let made = command("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-f"])
            .arg(&path)
            .status()
            .unwrap();
        assert!(made.success());
        path
    }

    /// Onboards `host` with the key at `key`.
    pub(super) fn onboard(&self, host: &str, key: &Path) -> Said {
        let file = public(key);
        self.alice(&["onboard", host, "--file", &file])
    }

    /// Whether the private key at `key` opens `file`.
    pub(super) fn opens(&self, key: &Path, file: &str) -> bool {
        let key = key.display().to_string();
        let said = self.ci(&["view", file, "--identity", &key]);
        said.code == 0
    }
}

pub(super) fn public(key: &Path) -> String {
    format!("{}.pub", key.display())
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test runs the program itself, git and ssh-keygen"
)]
pub(super) fn command(program: &str) -> Command {
    Command::new(program)
}
