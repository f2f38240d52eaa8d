//! A config repository with an input, the input's own repository, a cache, a host below a directory.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

const HOST: &str = "modules: { community/nfs: { server: nas } }\n";
const NFS: &str = "\
options:
  server: { type: string }
config:
  packages: [nfs-common]
  files:
    /etc/nfs.conf: { file: nfs.conf, template: true }
";

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
        world.write("upstream/modules/nfs/module.yml", NFS);
        world.write("upstream/modules/nfs/nfs.conf", "server={{ cfg.server }}\n");
        world.git("upstream", &["init", "-q", "-b", "main"]);
        world.commit_in("upstream", "nfs: begin");
        world.put("hosts/yard/host.yml", HOST);
        let url = world.url();
        world.put(
            "fleet.yml",
            &format!("inputs: {{ community: {{ url: {url}, branch: main }} }}\n"),
        );
        world.git("fleet", &["init", "-q", "-b", "main"]);
        world.commit("begin");
        world
    }

    /// With the input locked, as yet not committed.
    pub(crate) fn locked() -> Self {
        let world = Self::new();
        world.run(&["inputs", "update"]).ends_with(0);
        world
    }

    fn at(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn url(&self) -> String {
        self.at("upstream").display().to_string()
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.at(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Writes a file of the config repository.
    pub(crate) fn put(&self, file: &str, text: &str) {
        self.write(&format!("fleet/{file}"), text);
    }

    pub(crate) fn lock(&self) -> String {
        fs::read_to_string(self.at("fleet/fleet.lock")).unwrap()
    }

    fn git(&self, repository: &str, arguments: &[&str]) -> String {
        let output = Command::new("git")
            .args(["-c", "user.name=Test", "-c", "user.email=test@example.org"])
            .args(arguments)
            .current_dir(self.at(repository))
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null")
            .output()
            .unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn commit_in(&self, repository: &str, message: &str) {
        self.git(repository, &["add", "-A"]);
        self.git(repository, &["commit", "-q", "-m", message]);
    }

    /// Commits the config repository.
    pub(crate) fn commit(&self, message: &str) {
        self.commit_in("fleet", message);
    }

    pub(crate) fn upstream_head(&self) -> String {
        self.git("upstream", &["rev-parse", "HEAD"])
    }

    /// Changes the packages of the module upstream; gives back the new commit.
    pub(crate) fn change_upstream(&self, packages: &str, message: &str) -> String {
        let text = NFS.replace("packages: [nfs-common]", packages);
        self.write("upstream/modules/nfs/module.yml", &text);
        self.commit_in("upstream", message);
        self.upstream_head()
    }

    /// A force-push: the last commit is replaced, and the old one is thrown away.
    pub(crate) fn rewrite_upstream(&self) {
        self.write(
            "upstream/modules/nfs/nfs.conf",
            "server={{ cfg.server }} # rewritten\n",
        );
        self.git("upstream", &["add", "-A"]);
        self.git(
            "upstream",
            &["commit", "-q", "--amend", "-m", "another one"],
        );
        self.git("upstream", &["reflog", "expire", "--expire=now", "--all"]);
        self.git("upstream", &["gc", "-q", "--prune=now"]);
    }

    pub(crate) fn take_upstream_away(&self) {
        fs::rename(self.at("upstream"), self.at("gone")).unwrap();
    }

    pub(crate) fn forget_the_cache(&self) {
        fs::remove_dir_all(self.at("cache")).unwrap();
    }

    /// Runs the program as a person in the clone.
    pub(crate) fn run(&self, words: &[&str]) -> Run {
        let mut command = self.program();
        command.args(words).current_dir(self.at("fleet"));
        said(&mut command)
    }

    pub(crate) fn reconcile(&self) -> Run {
        self.host(&["reconcile", "now"])
    }

    /// Runs the program as the host.
    pub(crate) fn host(&self, words: &[&str]) -> Run {
        let mut command = self.program();
        command.args(words).arg("--root").arg(self.at("root"));
        command.arg("--repo").arg(self.at("fleet"));
        command.args(["--host", "yard"]);
        command.env_remove("XDG_CACHE_HOME");
        said(&mut command)
    }

    pub(crate) fn on_host(&self, file: &str) -> String {
        let path: &Path = &self.at("root").join(file);
        fs::read_to_string(path).unwrap()
    }

    fn program(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_steadfast"));
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("XDG_CACHE_HOME", self.at("cache"));
        command
    }
}

fn said(command: &mut Command) -> Run {
    let output = command.output().unwrap();
    Run {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
