//! git repositories made by git itself, with nothing of the user's configuration.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::source::{CommitId, Remote};

/// The time of the first test commit; each later one is a minute on.
pub(in crate::source) const NOW: i64 = 1_790_000_000;

/// A command with an empty environment but for `PATH`.
#[expect(clippy::disallowed_methods, reason = "tests run the real peers")]
pub(in crate::source) fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", "/nonexistent")
        .env("LC_ALL", "C.UTF-8")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null");
    command
}

/// Runs `command` with `input` on stdin; gives back what it wrote, trimmed.
pub(in crate::source) fn run(command: &mut Command, input: &[u8]) -> String {
    String::from_utf8(output(command, input))
        .unwrap()
        .trim()
        .to_owned()
}

fn output(command: &mut Command, input: &[u8]) -> Vec<u8> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

/// Makes a key pair of `kind` (`ed25519`, `ecdsa`, `rsa`); gives back the private key's path.
pub(in crate::source) fn keygen(folder: &Path, name: &str, kind: &str) -> PathBuf {
    let path = folder.join(name);
    run(
        command("ssh-keygen")
            .args(["-q", "-t", kind, "-N", "", "-C", name, "-f"])
            .arg(&path),
        b"",
    );
    path
}

/// How a test commit is signed.
#[derive(Clone, Copy)]
pub(in crate::source) enum Signing<'a> {
    Not,
    With(&'a Path),
}

/// A repository with a working tree in a temporary folder.
pub(in crate::source) struct TestRepo {
    folder: TempDir,
    minutes: std::cell::Cell<i64>,
}

impl TestRepo {
    /// An empty repository with the branch `main`.
    pub(in crate::source) fn empty() -> Self {
        Self::with_format("sha1")
    }

    pub(in crate::source) fn with_format(format: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let repo = Self {
            folder,
            minutes: std::cell::Cell::new(0),
        };
        repo.git(&["init", "-q", "-b", "main", "--object-format", format]);
        repo
    }

    pub(in crate::source) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(in crate::source) fn remote(&self) -> Remote {
        Remote::parse(self.path().to_str().unwrap()).unwrap()
    }

    fn command(&self) -> Command {
        let when = format!("{} +0000", NOW + 60 * self.minutes.get());
        let mut command = command("git");
        command
            .current_dir(self.path())
            .env("GIT_AUTHOR_DATE", &when)
            .env("GIT_COMMITTER_DATE", &when)
            .args(["-c", "user.name=Anna", "-c", "user.email=anna@example.org"]);
        command
    }

    pub(in crate::source) fn git(&self, arguments: &[&str]) -> String {
        run(self.command().args(arguments), b"")
    }

    /// A pack of just these objects.
    pub(in crate::source) fn pack(&self, objects: &[&str]) -> Vec<u8> {
        let list = objects.join("\n");
        let mut command = self.command();
        command.args(["pack-objects", "-q", "--stdout"]);
        output(&mut command, list.as_bytes())
    }

    pub(in crate::source) fn git_with(&self, arguments: &[&str], input: &[u8]) -> String {
        run(self.command().args(arguments), input)
    }

    /// Writes a file and commits everything, one minute after the last commit.
    pub(in crate::source) fn commit(
        &self,
        file: &str,
        text: &str,
        signing: Signing<'_>,
    ) -> CommitId {
        let path = self.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::File::create(path)
            .unwrap()
            .write_all(text.as_bytes())
            .unwrap();
        self.git(&["add", "-A"]);
        self.commit_staged(&format!("change {file}"), signing)
    }

    /// A commit with the files of the last one, without starting git.
    pub(in crate::source) fn commit_again(&self) -> CommitId {
        let repository = git2::Repository::open(self.path()).unwrap();
        let parent = repository.head().unwrap().peel_to_commit().unwrap();
        let who = parent.author();
        let id = repository
            .commit(
                Some("HEAD"),
                &who,
                &who,
                "again",
                &parent.tree().unwrap(),
                &[&parent],
            )
            .unwrap();
        CommitId::new(id.to_string()).unwrap()
    }

    pub(in crate::source) fn commit_staged(&self, message: &str, signing: Signing<'_>) -> CommitId {
        self.minutes.set(self.minutes.get() + 1);
        let mut command = self.command();
        if let Signing::With(key) = signing {
            command
                .args(["-c", "gpg.format=ssh", "-c"])
                .arg(format!("user.signingKey={}", key.display()));
        }
        command.args(["commit", "-q", "--allow-empty", "-m", message]);
        if let Signing::With(_) = signing {
            command.arg("-S");
        }
        run(&mut command, b"");
        self.id("HEAD")
    }

    /// The next commit gets the time of the first one again.
    pub(in crate::source) fn rewind_clock(&self) {
        self.minutes.set(0);
    }

    pub(in crate::source) fn id(&self, name: &str) -> CommitId {
        CommitId::new(self.git(&["rev-parse", name])).unwrap()
    }
}
