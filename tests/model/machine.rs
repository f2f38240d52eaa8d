//! One host below a root, its repository, and the program as people run it.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use steadfast::agent::{Mode, Needs, Overrides, Pass, Pausing, Reconciler, Retry, Settings};
use steadfast::config::HostName;
use steadfast::host;
use steadfast::identity::{HostKey, Recipient};
use steadfast::report::{Outcome, Trigger};
use steadfast::sops::{Format, NewFile, OpenedFile};
use tempfile::TempDir;

use crate::tree::{self, Tree};
use crate::wanted::{HEALTH, Host, secret_content};

/// Where the program is killed: as it enters this system call for the `nth` time. No clock has a say in it, so a life that is
/// lived again dies in the same places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kill {
    pub(crate) call: &'static str,
    pub(crate) nth: u16,
}

/// A process that ended.
#[derive(Debug)]
pub(crate) struct Run {
    /// `None` if it was killed.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The keys of the host and of nobody else, and sealed files; made once.
pub(crate) struct Keys {
    directory: TempDir,
    recipient: String,
}

pub(crate) struct Machine<'a> {
    keys: &'a Keys,
    directory: TempDir,
}

impl Keys {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let key = directory.path().join("host_key");
        run(Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-C", "yard", "-f"])
            .arg(&key));
        let recipient = HostKey::read(&key).unwrap().age_recipient();
        Self {
            directory,
            recipient,
        }
    }

    fn identity(&self) -> PathBuf {
        self.directory.path().join("host_key")
    }

    /// The secret file of one version: always the same bytes, as in a repository.
    fn sealed(&self, name: &str, version: u8) -> Vec<u8> {
        let file = self.directory.path().join(format!("{name}-{version}"));
        if let Ok(sealed) = fs::read(&file) {
            return sealed;
        }
        let keys = Recipient::parse(&self.recipient).unwrap().into();
        let plain = format!("value: {}\n", secret_content(name, version));
        let opened =
            OpenedFile::create(plain.as_bytes(), &NewFile::new(Format::Yaml, &keys)).unwrap();
        let sealed = opened.seal("2026-01-02T03:04:05Z").unwrap();
        // Another thread may do the same: whoever is first is right.
        let own = tempfile::NamedTempFile::new_in(self.directory.path()).unwrap();
        fs::write(own.path(), sealed).unwrap();
        let _ = own.persist_noclobber(&file);
        fs::read(&file).unwrap()
    }
}

impl<'a> Machine<'a> {
    /// A host as it is after its installation, with things of its own.
    pub(crate) fn new(keys: &'a Keys) -> Self {
        // Most of the time is spent waiting for disks; what is shown here does not depend on one.
        let memory = Path::new("/dev/shm");
        let directory = tempfile::tempdir_in(memory).or_else(|_| tempfile::tempdir());
        let machine = Self {
            keys,
            directory: directory.unwrap(),
        };
        fs::create_dir_all(machine.repository().join("hosts/yard")).unwrap();
        fs::create_dir_all(machine.repository().join("secrets")).unwrap();
        machine.git(&["init", "-q", "-b", "main"]);
        for directory in [
            "etc/systemd/system/multi-user.target.wants",
            "etc/steadfast",
            "usr/lib/systemd/system",
            "srv/decoy/1",
            "srv/decoy/2",
            "opt",
            "home",
            "run",
            "var/lib",
        ] {
            machine.make_directory(directory);
        }
        machine.write("etc/passwd", PASSWD, 0o644);
        machine.write("etc/group", GROUP, 0o644);
        machine.write("etc/shadow", SHADOW, 0o600);
        machine.write("usr/lib/systemd/system/vendor.service", VENDOR, 0o644);
        machine.write(HEALTH, "well\n", 0o644);
        machine.write("etc/steadfast/agent.yml", SETTINGS, 0o644);
        machine.write("srv/decoy/1/b.conf", "not ours\n", 0o600);
        machine.write(
            "etc/systemd/system/multi-user.target.wants/README",
            "not ours\n",
            0o644,
        );
        symlink("/srv/decoy", machine.path("/etc/elsewhere")).unwrap();
        machine
    }

    fn make_directory(&self, path: &str) {
        let mut at = self.root();
        for part in [""].into_iter().chain(path.split('/')) {
            at.push(part);
            if !at.exists() {
                fs::create_dir(&at).unwrap();
            }
            fs::set_permissions(&at, PermissionsExt::from_mode(0o755)).unwrap();
        }
    }

    pub(crate) fn write(&self, path: &str, content: &str, mode: u32) {
        let path = self.path(path);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_default()
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.directory.path().join("root")
    }

    fn repository(&self) -> PathBuf {
        self.directory.path().join("fleet")
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.root().join(path.trim_start_matches('/'))
    }

    /// Everything but the program's own state, accounts and secrets.
    pub(crate) fn tree(&self) -> Tree {
        tree::read(&self.root(), is_skipped)
    }

    fn git(&self, arguments: &[&str]) {
        run(Command::new("git")
            .args(["-c", "user.name=Test", "-c", "user.email=test@example.org"])
            .args(arguments)
            .current_dir(self.repository())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null")
            // Always the same commits.
            .env("GIT_AUTHOR_DATE", "2026-01-02T03:04:05Z")
            .env("GIT_COMMITTER_DATE", "2026-01-02T03:04:05Z"));
    }

    pub(crate) fn commit(&self, host: &Host) {
        for (name, secret) in &host.secrets {
            let file = format!("secrets/{name}-{}.yml", secret.version);
            let sealed = self.keys.sealed(name, secret.version);
            fs::write(self.repository().join(file), sealed).unwrap();
        }
        fs::write(self.repository().join("hosts/yard/host.yml"), host.text()).unwrap();
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", "change"]);
    }

    /// What somebody types.
    pub(crate) fn run(&self, words: &[&str]) -> Run {
        let mut command = Command::new(env!("CARGO_BIN_EXE_steadfast"));
        self.complete(&mut command, words)
    }

    /// What somebody types, killed on the way if it is long enough. strace counts the calls of each thread by itself, and
    /// all that changes the disk is done by the first.
    pub(crate) fn run_and_kill(&self, words: &[&str], kill: Kill) -> Run {
        let Kill { call, nth } = kill;
        let mut command = Command::new("strace");
        command
            .args(["-qq", "-f", "-o", "/dev/null", "-e"])
            .arg(format!("trace={call}"))
            .arg("-e")
            .arg(format!("inject={call}:signal=KILL:when={nth}"))
            .arg(env!("CARGO_BIN_EXE_steadfast"));
        self.complete(&mut command, words)
    }

    fn complete(&self, command: &mut Command, words: &[&str]) -> Run {
        command
            .args(words)
            .arg("--root")
            .arg(self.root())
            .arg("--repo")
            .arg(self.repository())
            .args(["--host", "yard", "--identity"])
            .arg(self.keys.identity())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default());
        Run::of(&command.output().unwrap())
    }

    /// What the agent does by itself.
    pub(crate) fn pass(&self, trigger: Trigger) -> (Outcome, String) {
        let host = host::Host::below(&self.root()).unwrap();
        let overrides = Overrides {
            remote: Some(self.repository().to_str().unwrap().to_owned()),
            host: Some(HostName::new("yard").unwrap()),
            identity: Some(self.keys.identity()),
            needs: Needs::Repository,
            ..Overrides::default()
        };
        let settings = Settings::load(&host, &overrides).unwrap();
        let pass = Pass {
            trigger,
            retry: Retry::Yes,
            pausing: Pausing::Obeyed,
            mode: Mode::Switch,
        };
        let (report, _) = Reconciler::new(host, settings).pass_blocking(pass, &|_| ());
        let problem = report
            .problem
            .map(|problem| problem.in_one_line())
            .unwrap_or_default();
        (report.outcome, problem)
    }

    /// The classes and subjects of all drift.
    pub(crate) fn drift(&self) -> Result<Vec<(String, String)>, String> {
        let run = self.run(&["drift", "--json"]);
        let Ok(report) = serde_json::from_str::<Value>(&run.stdout) else {
            return Err(format!("drift said {run:?}"));
        };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let items = report["items"].as_array().unwrap().iter();
        Ok(items
            .map(|item| (text(&item["class"]), text(&item["subject"])))
            .collect())
    }

    /// The number of the generation in force.
    pub(crate) fn generation(&self) -> Option<u64> {
        let run = self.run(&["status", "--json"]);
        let status: Value = serde_json::from_str(&run.stdout).unwrap();
        status["generation"]["number"].as_u64()
    }
}

impl Run {
    fn of(output: &Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

fn is_skipped(path: &str) -> bool {
    const OWN: [&str; 6] = [
        "/var/lib/steadfast",
        "/run/secrets",
        "/run/secrets.d",
        "/run/steadfast",
        "/etc/passwd",
        "/etc/group",
    ];
    const SHADOWS: [&str; 4] = ["/etc/shadow", "/etc/gshadow", "/etc/subuid", "/etc/subgid"];
    OWN.contains(&path) || SHADOWS.contains(&path)
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// No login is lost below a root: nothing is worth waiting for.
const SETTINGS: &str = "health: { window: 1s, lockout_window: 1s, passes: 1, every: 1s }\n";
const PASSWD: &str = "\
root:x:0:0:root:/root:/bin/bash
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
";
const GROUP: &str = "root:x:0:\ndaemon:x:1:\n";
const SHADOW: &str = "root:*:19000::::::\ndaemon:*:19000::::::\n";
const VENDOR: &str = "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n";
