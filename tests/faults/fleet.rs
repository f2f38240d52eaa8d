//! A repository with two generations of a host in which everything changes, and a directory that is that host.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use steadfast::identity::{HostKey, Recipient};
use steadfast::sops::{Format, NewFile, OpenedFile};
use tempfile::TempDir;

use crate::bed::Bed;
use crate::tree::Tree;

const UNIT: &str =
    "[Service]\nExecStart=/bin/sleep VERSION\n[Install]\nWantedBy=multi-user.target\n";

const OLD: &str = r#"
directories:
  /etc/app: { mode: "0750" }
  /etc/goes: {}
files:
  /etc/motd: { text: "old\n", on_conflict: backup }
  /etc/app/changes: { text: "old\n" }
  /etc/app/mode: { text: "same\n", mode: "0600" }
  /etc/app/stays: { text: "same\n", mode: "0640" }
  /etc/app/turns: { text: "a file\n" }
  /etc/goes/deep/file: { text: "old\n" }
symlinks:
  /etc/link: app/changes
  /etc/link-goes: app/stays
users:
  ketan: { description: Old, groups: [sudo], shell: /bin/bash }
  lena: {}
groups: { sudo: { system: true } }
units:
  app.service: { file: app.service, enable: true }
  goes.service: { file: goes.service, enable: true }
  extended.service: { drop_ins: { limits.conf: { text: "[Service]\nNice=1\n" } } }
  masked.timer: { mask: true }
secrets:
  db/password: {}
  goes: {}
templates:
  app.env: { text: "PASSWORD={{ secret(\"db/password\") }}\n" }
"#;

const NEW: &str = r#"
hostname: yard
directories:
  /etc/app: { mode: "0755" }
  /etc/comes: {}
files:
  /etc/issue: { text: "new\n", on_conflict: backup }
  /etc/app/changes: { text: "new\n" }
  /etc/app/mode: { text: "same\n", mode: "0644" }
  /etc/app/stays: { text: "same\n", mode: "0640" }
  /etc/app/turns/file: { text: "in a directory\n" }
  /etc/comes/deep/file: { text: "new\n" }
symlinks:
  /etc/link: app/stays
  /etc/link-comes: app/stays
users:
  ketan: { description: New, shell: /bin/sh }
  dave: { groups: [sudo] }
groups: { sudo: { system: true } }
units:
  app.service: { file: app.service, enable: true }
  comes.service: { file: comes.service, enable: true }
  extended.service: { drop_ins: { limits.conf: { text: "[Service]\nNice=2\n" } } }
  app.timer: { mask: true }
secrets:
  db/password: {}
  comes: {}
templates:
  app.env: { text: "SECRET={{ secret(\"db/password\") }}\n" }
"#;

/// What all tests begin with. Made once, copied for each.
pub(crate) struct Fleet {
    directory: TempDir,
    /// The host before and after an activation that nothing disturbs.
    pub(crate) old: Tree,
    pub(crate) new: Tree,
}

impl Fleet {
    pub(crate) fn get() -> &'static Self {
        static FLEET: OnceLock<Fleet> = OnceLock::new();
        FLEET.get_or_init(Self::make)
    }

    fn make() -> Self {
        // In memory where there is such a place: thousands of syncs are not what is to be measured.
        let memory = Path::new("/dev/shm");
        let directory =
            tempfile::tempdir_in(memory).unwrap_or_else(|_| tempfile::tempdir().unwrap());
        let mut fleet = Self {
            directory,
            old: Tree::default(),
            new: Tree::default(),
        };
        run(Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-C", "yard", "-f"])
            .arg(fleet.key()));
        fs::create_dir_all(fleet.repository().join("hosts/yard")).unwrap();
        fs::create_dir_all(fleet.repository().join("secrets")).unwrap();
        fleet.git(&["init", "-q", "-b", "main"]);
        fleet.write_version(OLD, "old");
        fleet.commit();

        let root = fleet.template();
        fs::create_dir_all(root.join("etc")).unwrap();
        for name in ["motd", "issue", "hosts"] {
            fs::write(root.join("etc").join(name), format!("Debian's {name}\n")).unwrap();
        }
        // The plan changes who is an administrator; to be healthy for ten seconds on end is shown elsewhere.
        let settings = root.join("etc/steadfast");
        fs::create_dir_all(&settings).unwrap();
        fs::write(settings.join("agent.yml"), "health: { passes: 1 }\n").unwrap();
        let template = Bed::at(&fleet, root);
        template.reconcile().ends_with(0);
        let old = Tree::of(&template.root);
        drop(template);
        fleet.old = old;
        fleet.write_version(NEW, "new");
        fleet.commit();
        let undisturbed = Bed::copy(&fleet);
        undisturbed.reconcile().ends_with(0);
        let new = Tree::of(&undisturbed.root);
        drop(undisturbed);
        fleet.new = new;
        fleet
    }

    fn write_version(&self, host: &str, version: &str) {
        self.put("hosts/yard/host.yml", host);
        for unit in ["app", "goes", "comes"] {
            let text = UNIT.replace("VERSION", if version == "old" { "1" } else { "2" });
            self.put(&format!("hosts/yard/{unit}.service"), &text);
        }
        let mut plain = format!("db:\n    password: {version} password\n");
        for secret in ["goes", "comes"] {
            writeln!(plain, "{secret}: {version} {secret}").unwrap();
        }
        let recipient = HostKey::read(&self.key()).unwrap().age_recipient();
        let keys = Recipient::parse(&recipient).unwrap().into();
        let file = "secrets/default.yml";
        let opened = OpenedFile::create(
            plain.as_bytes(),
            &NewFile::new(Format::of_path(file), &keys),
        );
        self.put(file, &opened.unwrap().seal("2026-01-02T03:04:05Z").unwrap());
    }

    /// A repository of one's own, to commit to.
    pub(crate) fn clone_repository(&self) -> Clone {
        let directory = tempfile::tempdir().unwrap();
        let to = directory.path().join("fleet");
        run(Command::new("cp").arg("-a").arg(self.repository()).arg(&to));
        Clone(directory)
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.directory.path().join("host_key")
    }

    pub(crate) fn repository(&self) -> PathBuf {
        self.directory.path().join("fleet")
    }

    /// The host at the old generation.
    pub(crate) fn template(&self) -> PathBuf {
        self.directory.path().join("template")
    }

    /// Where copies are made.
    pub(crate) fn scratch(&self) -> &Path {
        self.directory.path()
    }

    fn put(&self, file: &str, content: &str) {
        fs::write(self.repository().join(file), content).unwrap();
    }

    fn commit(&self) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", "change"]);
    }

    fn git(&self, arguments: &[&str]) {
        git(&self.repository(), arguments);
    }
}

/// A copy of the repository.
pub(crate) struct Clone(TempDir);

impl Clone {
    pub(crate) fn path(&self) -> PathBuf {
        self.0.path().join("fleet")
    }

    /// Commits the host file with `from` become `to`.
    pub(crate) fn commit(&self, from: &str, to: &str) {
        let host = self.path().join("hosts/yard/host.yml");
        let text = fs::read_to_string(&host).unwrap();
        assert!(text.contains(from));
        fs::write(&host, text.replace(from, to)).unwrap();
        git(&self.path(), &["commit", "-q", "-a", "-m", "change"]);
    }
}

fn git(repository: &Path, arguments: &[&str]) {
    run(Command::new("git")
        .args(["-c", "user.name=Test", "-c", "user.email=test@example.org"])
        .args(arguments)
        .current_dir(repository)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null"));
}

pub(crate) fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}
