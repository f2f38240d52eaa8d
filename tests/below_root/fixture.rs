//! A config repository, a directory that is its host `yard`, and the program.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use steadfast::identity::{HostKey, Recipient};
use steadfast::sops::{Format, NewFile, OpenedFile};
use tempfile::TempDir;

/// A secret that must be found nowhere but at its destination.
pub(crate) const CANARY: &str = "canary-7f3b1c9e-d0a4";

pub(crate) const HOST: &str = "\
description: the yard
files:
  /etc/motd: { text: \"yard: hello\\n\" }
  /etc/app.conf: { file: app.conf, mode: \"0640\" }
units:
  app.service: { file: app.service, enable: true, start: true }
templates:
  app.env:
    text: |
      PASSWORD={{ secret(\"db/password\") }}
health:
  - { file: /etc/motd, contains: \"yard: hello\", within: 1s }
secrets:
  db/password: {}
";

pub(crate) struct Fleet {
    directory: TempDir,
    pub(crate) recipient: String,
}

/// What a run of the program said.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    pub(crate) fn of(output: &Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    #[track_caller]
    pub(crate) fn ends_with(&self, code: i32) {
        assert_eq!(
            self.code, code,
            "stdout:\n{}\nstderr:\n{}",
            self.stdout, self.stderr
        );
    }
}

impl Fleet {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let key = directory.path().join("host_key");
        run(Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-C", "yard", "-f"])
            .arg(&key));
        let recipient = HostKey::read(&key).unwrap().age_recipient();
        let fleet = Self {
            directory,
            recipient,
        };
        fs::create_dir_all(fleet.repository().join("hosts/yard")).unwrap();
        fs::create_dir_all(fleet.repository().join("secrets")).unwrap();
        fleet.git(&["init", "-q", "-b", "main"]);
        fleet.seal(
            "secrets/default.yml",
            &format!("db:\n    password: {CANARY}\n"),
            &fleet.recipient,
        );
        fleet.put("hosts/yard/app.conf", "color = green\n");
        let unit =
            "[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n";
        fleet.put("hosts/yard/app.service", unit);
        fleet.commit_host(HOST);
        fleet
    }

    pub(crate) fn repository(&self) -> PathBuf {
        self.directory.path().join("fleet")
    }

    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.directory.path().join("root").join(relative)
    }

    fn put(&self, file: &str, content: &str) {
        fs::write(self.repository().join(file), content).unwrap();
    }

    fn seal(&self, file: &str, plain: &str, recipient: &str) {
        let keys = Recipient::parse(recipient).unwrap().into();
        let new = NewFile::new(Format::of_path(file), &keys);
        let opened = OpenedFile::create(plain.as_bytes(), &new).unwrap();
        self.put(file, &opened.seal("2026-01-02T03:04:05Z").unwrap());
    }

    /// Adds a module of `repo-example/`.
    pub(crate) fn add_module(&self, name: &str) {
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("repo-example/modules");
        let module = format!("modules/{name}");
        fs::create_dir_all(self.repository().join(&module)).unwrap();
        for entry in fs::read_dir(example.join(name)).unwrap() {
            let entry = entry.unwrap();
            let content = fs::read_to_string(entry.path()).unwrap();
            let file = entry.file_name().into_string().unwrap();
            self.put(&format!("{module}/{file}"), &content);
        }
    }

    /// Makes a secret file that this host cannot open.
    pub(crate) fn seal_for_a_stranger(&self, file: &str) {
        let stranger = "age1ng0fdfkz7kyqkdhu8quts5gm7j4yjudzmw2z0utl06sne5vqd5lqnyp9ga";
        self.seal(file, "thing: unreachable\n", stranger);
    }

    pub(crate) fn git(&self, arguments: &[&str]) {
        run(Command::new("git")
            .args(["-c", "user.name=Test", "-c", "user.email=test@example.org"])
            .args(arguments)
            .current_dir(self.repository())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null"));
    }

    pub(crate) fn commit_host(&self, host: &str) {
        self.put("hosts/yard/host.yml", host);
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", "change"]);
    }

    pub(crate) fn reconcile(&self) -> Run {
        self.run(&["reconcile", "now"])
    }

    pub(crate) fn drift(&self) -> Run {
        self.run(&["drift"])
    }

    pub(crate) fn run(&self, words: &[&str]) -> Run {
        self.run_with(words, &[])
    }

    pub(crate) fn run_tracing(&self, words: &[&str]) -> Run {
        self.run_with(words, &[("STEADFAST_LOG", "trace")])
    }

    fn run_with(&self, words: &[&str], environment: &[(&str, &str)]) -> Run {
        let mut command = self.command(words);
        Run::of(&command.envs(environment.iter().copied()).output().unwrap())
    }

    /// The program with `words`, not started yet.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_steadfast"));
        command
            .args(words)
            .arg("--root")
            .arg(self.directory.path().join("root"))
            .arg("--repo")
            .arg(self.repository())
            .args(["--host", "yard", "--identity"])
            .arg(self.directory.path().join("host_key"))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command
    }

    pub(crate) fn read(&self, file: &str) -> String {
        fs::read_to_string(self.path(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
    }

    pub(crate) fn write(&self, file: &str, content: &str) {
        let path = self.path(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub(crate) fn set_mode(&self, file: &str, mode: u32) {
        fs::set_permissions(self.path(file), fs::Permissions::from_mode(mode)).unwrap();
    }

    pub(crate) fn mode(&self, file: &str) -> u32 {
        fs::metadata(self.path(file)).unwrap().permissions().mode() & 0o7777
    }

    pub(crate) fn link(&self, file: &str) -> String {
        fs::read_link(self.path(file))
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned()
    }

    /// Everything of the host but the program's own state: path to mode and content.
    pub(crate) fn tree(&self) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
        self.walk()
            .filter(|path| !path.starts_with(self.path("var/lib/steadfast")))
            .map(|path| {
                let metadata = fs::symlink_metadata(&path).unwrap();
                let content = if metadata.is_file() {
                    fs::read(&path).unwrap()
                } else {
                    Vec::new()
                };
                (path, (metadata.mode(), content))
            })
            .collect()
    }

    /// Times of change of everything below the root, the program's own state included.
    pub(crate) fn times(&self) -> BTreeMap<PathBuf, (i64, i64)> {
        self.walk()
            .map(|path| {
                let metadata = fs::symlink_metadata(&path).unwrap();
                (path, (metadata.mtime(), metadata.mtime_nsec()))
            })
            .collect()
    }

    pub(crate) fn files_containing(&self, text: &str) -> Vec<String> {
        let root = self.directory.path().join("root");
        self.walk()
            .filter(|path| fs::symlink_metadata(path).unwrap().is_file())
            .filter(|path| {
                fs::read(path)
                    .unwrap()
                    .windows(text.len())
                    .any(|window| window == text.as_bytes())
            })
            .map(|path| {
                path.strip_prefix(&root)
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned()
            })
            .collect()
    }

    fn walk(&self) -> impl Iterator<Item = PathBuf> + use<> {
        let root: &Path = &self.directory.path().join("root");
        walkdir::WalkDir::new(root)
            .into_iter()
            .map(|entry| entry.unwrap().into_path())
            .collect::<Vec<_>>()
            .into_iter()
    }
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}
