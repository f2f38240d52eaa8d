//! `secrets edit` as a process that is stopped at moments of the test's choice.

#![expect(
    clippy::disallowed_methods,
    reason = "a process that is signalled and looked into needs to be a child of the test"
)]

use std::fs;
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::world::{ALICE, World};

/// A running `steadfast secrets edit`, with an editor that says where the plaintext is.
pub(crate) struct Editing {
    pub(crate) child: Child,
    stderr: Option<OwnedFd>,
}

impl Editing {
    /// Starts `edit FILE`; the editor runs `script` after it wrote the place of the plaintext into `seen`.
    pub(crate) fn begin(world: &World, file: &str, script: &str) -> Self {
        Self::with_stderr(world, file, script, Stdio::piped())
    }

    pub(crate) fn with_stderr(world: &World, file: &str, script: &str, stderr: Stdio) -> Self {
        let editor = world.editor(&format!(
            "echo \"$1\" > seen.new\nmv seen.new seen\n{script}"
        ));
        let keys = world.at("home/.config/sops/age");
        fs::create_dir_all(&keys).unwrap();
        fs::write(keys.join("keys.txt"), ALICE[1]).unwrap();
        let mut child = Command::new(assert_cmd::cargo::cargo_bin("steadfast"))
            .args(["secrets", "edit", file])
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", world.at("home"))
            .env("TMPDIR", world.at("tmp"))
            .env("EDITOR", editor)
            .current_dir(world.at("repo"))
            .stdin(Stdio::null())
            .stderr(stderr)
            .spawn()
            .unwrap();
        let stderr = child.stderr.take().map(OwnedFd::from);
        Self { child, stderr }
    }

    /// The file with the plaintext, once the editor is open.
    pub(crate) fn plaintext_file(world: &World) -> PathBuf {
        wait_for(|| world.repo("seen").exists().then_some(()));
        PathBuf::from(world.read("seen").trim())
    }

    pub(crate) fn signal(&self, signal: &str) {
        let status = Command::new("kill")
            .args([format!("-{signal}"), self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(status.success());
    }

    /// Waits for its end; what it said on stderr comes with its status.
    pub(crate) fn end(mut self) -> (ExitStatus, String) {
        let status = self.child.wait().unwrap();
        let mut said = String::new();
        if let Some(stderr) = self.stderr.take() {
            fs::File::from(stderr).read_to_string(&mut said).unwrap();
        }
        (status, said)
    }
}

/// Waits until `found` finds something.
pub(crate) fn wait_for<T>(mut found: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(Instant::now() < deadline, "it did not happen");
        std::thread::sleep(Duration::from_millis(20));
    }
}
