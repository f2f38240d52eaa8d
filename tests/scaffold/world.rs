//! A person with a home, an SSH key and git.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

pub(super) struct World {
    directory: tempfile::TempDir,
}

/// What a command said.
pub(super) struct Said {
    code: i32,
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
    pub(super) fn new() -> Self {
        let world = Self {
            directory: tempfile::tempdir().unwrap(),
        };
        std::fs::create_dir_all(world.at("home/.ssh")).unwrap();
        world.write(
            "home/.gitconfig",
            "[user]\n  name = Anna Example\n  email = anna@example.com\n",
        );
        world.keygen("home/.ssh/id_ed25519");
        world
    }

    pub(super) fn at(&self, path: &str) -> PathBuf {
        self.directory.path().join(path)
    }

    pub(super) fn write(&self, path: &str, text: &str) {
        let path = self.at(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(super) fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.at(path)).unwrap()
    }

    /// Makes a key pair.
    pub(super) fn keygen(&self, path: &str) -> PathBuf {
        let path = self.at(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let key = path.to_str().unwrap().to_owned();
        let made = self
            .command("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-f", &key]);
        made.ends_with(0);
        path
    }

    pub(super) fn command(&self, program: &str) -> Run {
        let path = std::env::var("PATH").unwrap();
        #[expect(clippy::disallowed_methods, reason = "tests run programs")]
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", format!("{}:{path}", self.at("bin").display()))
            .env("HOME", self.at("home"))
            .env("USER", "anna")
            .env("STEADFAST_LOG", "error")
            .current_dir(self.directory.path())
            .stdin(Stdio::null());
        Run(command)
    }

    pub(super) fn steadfast(&self, args: &[&str]) -> Said {
        self.command(env!("CARGO_BIN_EXE_steadfast")).args(args)
    }

    pub(super) fn git(&self, directory: &str, args: &[&str]) -> String {
        let directory = self.at(directory).to_str().unwrap().to_owned();
        let said = self
            .command("git")
            .args([["-C", &directory].as_slice(), args].concat());
        said.ends_with(0).stdout.trim().to_owned()
    }

    /// Every file but git's own, with its text.
    pub(super) fn files(&self, directory: &str) -> Vec<(String, String)> {
        let root = self.at(directory);
        let mut files: Vec<(String, String)> = walkdir::WalkDir::new(&root)
            .into_iter()
            .filter_entry(|entry| entry.file_name() != ".git")
            .map(Result::unwrap)
            .filter(|entry| entry.file_type().is_file())
            .map(|entry| {
                let name = entry.path().strip_prefix(&root).unwrap();
                let text = std::fs::read_to_string(entry.path()).unwrap();
                (name.to_str().unwrap().to_owned(), text)
            })
            .collect();
        files.sort();
        files
    }
}

/// A program that is about to run.
pub(super) struct Run(Command);

impl Run {
    pub(super) fn env(mut self, name: &str, value: &str) -> Self {
        self.0.env(name, value);
        self
    }

    pub(super) fn args<S: AsRef<std::ffi::OsStr>>(mut self, args: impl AsRef<[S]>) -> Said {
        self.0.args(args.as_ref()).output().unwrap().into()
    }
}

/// The checkout that the tests were built from.
pub(super) fn checkout() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
