//! A developer's clone of the config repository, and the developer's keys.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::host::write;
use super::shell::{self, Said, Transcript};
use super::world::plain;

/// Who signs a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signature {
    None,
    /// A key of the allowed-signers file.
    Developer,
    /// A key nobody knows.
    Stranger,
}

/// A clone and everything a developer has beside it.
pub struct Clone {
    pub dir: PathBuf,
    /// Keys, `known_hosts`, age key: the developer's home.
    pub home: PathBuf,
    transcript: Transcript,
}

impl Clone {
    /// Makes a developer, with an SSH key, a stranger's key and an age key.
    pub fn create(dir: PathBuf, home: PathBuf, transcript: Transcript) -> Self {
        fs::create_dir_all(&dir).unwrap();
        fs::create_dir_all(&home).unwrap();
        for name in ["developer", "stranger"] {
            plain(
                Command::new("ssh-keygen")
                    .args(["-q", "-t", "ed25519", "-N", "", "-C", name, "-f"])
                    .arg(home.join(name)),
            );
        }
        let age = age::x25519::Identity::generate();
        let secret = age::secrecy::ExposeSecret::expose_secret(&age.to_string()).to_owned();
        write(&home.join("age.key"), &format!("{secret}\n"));
        write(&home.join("age.pub"), &age.to_public().to_string());
        let clone = Self {
            dir,
            home,
            transcript,
        };
        clone.git(&["init", "-q", "-b", "main"]);
        clone
    }

    /// The developer's SSH public key, or the stranger's.
    pub fn public_key(&self, name: &str) -> String {
        let line = fs::read_to_string(self.home.join(format!("{name}.pub"))).unwrap();
        line.trim().to_owned()
    }

    /// The developer's age recipient.
    pub fn age_recipient(&self) -> String {
        fs::read_to_string(self.home.join("age.pub")).unwrap()
    }

    /// Writes a file of the clone.
    pub fn write(&self, path: &str, content: &str) {
        let path = self.dir.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        write(&path, content);
    }

    /// Reads a file of the clone.
    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.dir.join(path)).unwrap()
    }

    /// Replaces text in a file of the clone that must have it.
    pub fn edit(&self, path: &str, old: &str, new: &str) {
        let text = self.read(path);
        assert!(text.contains(old), "{path} has no {old:?}");
        self.write(path, &text.replace(old, new));
    }

    /// Commits everything, signed by the developer; gives the commit's id.
    pub fn commit(&self, message: &str) -> String {
        self.commit_signed(message, Signature::Developer)
    }

    /// Commits everything; gives the commit's id.
    pub fn commit_signed(&self, message: &str, signature: Signature) -> String {
        self.git(&["add", "--all"]);
        let key = |name: &str| format!("user.signingkey={}", self.home.join(name).display());
        let mut arguments = vec!["-c".to_owned(), "gpg.format=ssh".to_owned()];
        let sign = match signature {
            Signature::None => "--no-gpg-sign",
            Signature::Developer => {
                arguments.extend(["-c".to_owned(), key("developer")]);
                "--gpg-sign"
            }
            Signature::Stranger => {
                arguments.extend(["-c".to_owned(), key("stranger")]);
                "--gpg-sign"
            }
        };
        arguments.extend(["commit", "-q", "--allow-empty", sign, "-m", message].map(str::to_owned));
        self.git(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
        self.git(&["rev-parse", "HEAD"]).trim().to_owned()
    }

    /// Pushes `main`.
    pub fn push(&self) {
        self.git(&["push", "-q", "origin", "HEAD:refs/heads/main"]);
    }

    /// Pushes `main`, whatever is there.
    pub fn force_push(&self) {
        self.git(&["push", "-q", "--force", "origin", "HEAD:refs/heads/main"]);
    }

    /// Runs git in the clone; must succeed.
    pub fn git(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("git");
        command.args(arguments);
        shell::must(self.as_developer(&mut command), b"", &self.transcript)
    }

    /// Runs `steadfast` in the clone.
    pub fn steadfast(&self, arguments: &[&str], stdin: &[u8]) -> Said {
        let mut command = Command::new(env!("CARGO_BIN_EXE_steadfast"));
        command.args(arguments);
        shell::run(self.as_developer(&mut command), stdin, &self.transcript)
    }

    /// Runs `steadfast` in the clone; must succeed.
    pub fn must(&self, arguments: &[&str], stdin: &[u8]) -> String {
        let said = self.steadfast(arguments, stdin);
        assert_eq!(
            said.code,
            0,
            "steadfast {arguments:?} failed:\n{}",
            said.all()
        );
        said.stdout
    }

    /// Makes a secret file out of plain YAML, for the recipients that `.sops.yaml` names: with real sops where there
    /// is one, so that scenarios read what sops wrote.
    pub fn seal(&self, path: &str, plain: &str) {
        if let Some(sops) = sops() {
            self.write(path, plain);
            let mut command = Command::new(sops);
            command.args(["encrypt", "--in-place", path]);
            shell::must(self.as_developer(&mut command), b"", &self.transcript);
            return;
        }
        self.transcript
            .note("there is no sops here: sealed with our own tool");
        let document: serde_yaml::Value = serde_yaml::from_str(plain).unwrap();
        self.seal_values(path, &document, &mut Vec::new());
    }

    fn seal_values(&self, file: &str, value: &serde_yaml::Value, path: &mut Vec<String>) {
        let Some(entries) = value.as_mapping() else {
            self.set_secret(file, &path.join("/"), value.as_str().unwrap());
            return;
        };
        for (key, value) in entries {
            path.push(key.as_str().unwrap().to_owned());
            self.seal_values(file, value, path);
            path.pop();
        }
    }

    /// Sets one value of a secret file with our own tool.
    pub fn set_secret(&self, file: &str, key: &str, value: &str) {
        self.must(&["secrets", "set", file, key], value.as_bytes());
    }

    /// Logs in over ssh as `user` with the developer's key and runs `script`.
    pub fn ssh(&self, user: &str, address: &str, script: &str) -> Said {
        self.ssh_with(&[], user, address, script)
    }

    /// Like [`ssh`](Self::ssh), with further options.
    pub fn ssh_with(&self, options: &[&str], user: &str, address: &str, script: &str) -> Said {
        let mut command = Command::new("ssh");
        command
            .args(self.ssh_options())
            .args(options)
            .arg(format!("{user}@{address}"))
            .arg(script);
        shell::run(self.as_developer(&mut command), b"", &self.transcript)
    }

    /// What every ssh of the developer is told.
    pub fn ssh_options(&self) -> Vec<String> {
        let path = |name: &str| self.home.join(name).display().to_string();
        vec![
            "-F".into(),
            "none".into(),
            "-i".into(),
            path("developer"),
            format!("-oUserKnownHostsFile={}", path("known_hosts")),
            "-oBatchMode=yes".into(),
            "-oIdentitiesOnly=yes".into(),
            "-oStrictHostKeyChecking=yes".into(),
            "-oConnectTimeout=10".into(),
        ]
    }

    fn as_developer<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        let path = std::env::var_os("PATH").unwrap();
        command
            .current_dir(&self.dir)
            .env_clear()
            .env("PATH", path)
            .env("HOME", &self.home)
            .env("LANG", "C.UTF-8")
            .env("SOPS_AGE_KEY_FILE", self.home.join("age.key"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env(
                "GIT_SSH_COMMAND",
                format!("ssh {}", self.ssh_options().join(" ")),
            );
        for (role, date) in [("AUTHOR", "GIT_AUTHOR"), ("COMMITTER", "GIT_COMMITTER")] {
            command
                .env(format!("{date}_NAME"), "Anna Developer")
                .env(format!("GIT_{role}_EMAIL"), "anna@example.org");
        }
        command
    }
}

/// Real sops, if the machine has it: beside the build (`./test.sh` puts it there) or on the path.
pub fn sops() -> Option<PathBuf> {
    let ours = super::world::cache().join("../venv/bin/sops");
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::iter::once(ours)
        .chain(std::env::split_paths(&path).map(|dir| dir.join("sops")))
        .find(|candidate: &PathBuf| Path::is_file(candidate))
}
