//! A config repository with two hosts, a profile, modules, a person and secrets; every commit has its own author.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use steadfast::sops::{Format, NewFile, OpenedFile};
use tempfile::TempDir;

pub(crate) const FILES: [(&str, &str); 9] = [
    (
        "hosts/chicago/host.yml",
        "\
description: app server
profiles: [server]
modules:
  backup:
    schedule: [\"03:00\"]
hostname: chicago
sysctls:
  net.ipv4.ip_forward: 1
files:
  /etc/motd: { text: \"hello\\n\", mode: 0600 }
  /etc/app/app.conf:
    file: app.conf
    units: { restart: [app.service] }
symlinks: { /etc/app/current: app.conf }
units:
  app.service:
    file: app.service
    enable: true
    start: true
    drop_ins:
      10-limits.conf: { text: \"[Service]\\nLimitNOFILE=4096\\n\" }
secrets:
  database/password: { units: { reload: [app.service] } }
templates:
  app.env:
    text: |
      PASSWORD={{ secret(\"database/password\") }}
groups: { deploy: { gid: 1200 } }
health: [{ unit: app.service, within: 5s }]
",
    ),
    ("hosts/chicago/app.conf", "color = green\nsize = 1\n"),
    (
        "hosts/chicago/app.service",
        "[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n",
    ),
    ("hosts/boulder/host.yml", "profiles: [server]\n"),
    (
        "modules/server/module.yml",
        "\
description: What every server has
modules:
  base:
config:
  users: [ketan]
",
    ),
    (
        "modules/base/module.yml",
        "\
options:
  timezone: { type: string, default: America/Chicago }
config:
  timezone: \"{{ cfg.timezone }}\"
  packages:
    - curl
    - htop
  files:
    /etc/motd: { text: \"base\\n\", mode: 0644, owner: root }
    /etc/issue: { text: \"{{ host.name }}\\n\" }
",
    ),
    (
        "modules/backup/module.yml",
        "\
options:
  schedule: { type: array, items: { type: string }, default: [\"02:00\"] }
config:
  packages: [restic]
  directories:
    /srv/backups: { mode: 0700 }
  units:
    backup.timer:
      text: |
        [Timer]
        {% for time in cfg.schedule %}
        OnCalendar={{ time }}
        {% endfor %}
        [Install]
        WantedBy=timers.target
      enable: true
    backup.service: { text: \"[Service]\\nType=oneshot\\nExecStart=/usr/bin/restic\\n\" }
",
    ),
    (
        "users/ketan.yml",
        "\
description: Ketan Example
uid: 1500
groups: [sudo]
ssh_keys: [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIvRj2f8PQWNdMcWeQl5ZVqdMuO5bAmiGnDUOMRJqSyD ketan@laptop]
",
    ),
    (".gitignore", "*.swp\n"),
];

pub(crate) struct World {
    directory: TempDir,
}

/// What a run of the program said.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    #[track_caller]
    pub(crate) fn ends_with(&self, code: i32) {
        assert_eq!(
            self.code, code,
            "stdout:\n{}\nstderr:\n{}",
            self.stdout, self.stderr
        );
    }
}

impl World {
    pub(crate) fn new() -> Self {
        let world = Self {
            directory: tempfile::tempdir().unwrap(),
        };
        for (file, text) in FILES {
            world.put(file, text);
        }
        world.seal("database:\n    password: correct-horse\n");
        world.git(&["init", "-q", "-b", "main"]);
        world.commit("Anna", "begin");
        world
    }

    fn at(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a file of the repository.
    pub(crate) fn put(&self, file: &str, text: &str) {
        let path = self.at("fleet").join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn seal(&self, plain: &str) {
        let stranger = "age1ng0fdfkz7kyqkdhu8quts5gm7j4yjudzmw2z0utl06sne5vqd5lqnyp9ga";
        let keys = steadfast::identity::Recipient::parse(stranger)
            .unwrap()
            .into();
        let new = NewFile::new(Format::of_path("secrets/default.yml"), &keys);
        let opened = OpenedFile::create(plain.as_bytes(), &new).unwrap();
        self.put(
            "secrets/default.yml",
            &opened.seal("2026-01-02T03:04:05Z").unwrap(),
        );
    }

    /// Replaces a part of a file.
    #[track_caller]
    pub(crate) fn change(&self, file: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.at("fleet").join(file)).unwrap();
        assert!(text.contains(from), "{file} has no {from:?}");
        self.put(file, &text.replace(from, to));
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        let output = Command::new("git")
            .args(["-c", "user.name=Test", "-c", "user.email=test@example.org"])
            .args(arguments)
            .current_dir(self.at("fleet"))
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null")
            .env("GIT_AUTHOR_DATE", "1790000000 +0000")
            .env("GIT_COMMITTER_DATE", "1790000000 +0000")
            .output()
            .unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Commits everything; gives back the commit.
    pub(crate) fn commit(&self, author: &str, message: &str) -> String {
        let who = format!("{author} <{}@example.org>", author.to_lowercase());
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--author", &who, "-m", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Runs the program in the clone.
    pub(crate) fn run(&self, words: &[&str]) -> Run {
        let output = Command::new(env!("CARGO_BIN_EXE_steadfast"))
            .args(words)
            .current_dir(self.at("fleet"))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("XDG_CACHE_HOME", self.at("cache"))
            .output()
            .unwrap();
        Run {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}
