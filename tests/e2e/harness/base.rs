//! The base system of all hosts: Debian with systemd, sshd and git, built once.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sha2::Digest as _;

use super::world::plain;

const SUITE: &str = "trixie";
const PACKAGES: &str =
    "systemd,systemd-sysv,libpam-systemd,dbus,udev,openssh-server,git,iproute2,ca-certificates";
const CUSTOMIZE: &str = include_str!("../base/customize.sh");

fn archive(cache: &Path) -> PathBuf {
    let recipe = [SUITE, PACKAGES, CUSTOMIZE].join("\n");
    let digest = hex::encode(sha2::Sha256::digest(recipe));
    cache.join(format!("base-{}.tar", &digest[..12]))
}

/// Builds the base system unless the cache has it. Takes about 40 s, and needs a Debian mirror.
pub fn ensure(cache: &Path) {
    fs::create_dir_all(cache).unwrap();
    let lock = File::create(cache.join("base.lock")).unwrap();
    lock.lock().unwrap();
    let archive = archive(cache);
    if archive.exists() {
        return;
    }
    eprintln!(
        "building the base system of the test hosts (once): {}",
        archive.display()
    );
    let unfinished = archive.with_extension("unfinished");
    let hook = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/base/customize.sh");
    let status = Command::new("mmdebstrap")
        .args([
            "--variant=minbase",
            "--format=tar",
            "--quiet",
            "--skip=cleanup/apt/lists",
        ])
        .arg(format!("--include={PACKAGES}"))
        .args(
            ["doc", "man", "locale"]
                .map(|dir| format!("--dpkgopt=path-exclude=/usr/share/{dir}/*")),
        )
        .arg(format!("--customize-hook='{}' \"$1\"", hook.display()))
        .arg(SUITE)
        .arg(&unfinished)
        .stdin(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success(), "mmdebstrap failed: {status}");
    fs::rename(&unfinished, &archive).unwrap();
}

/// Unpacks the base system into `dir`.
pub fn unpack(cache: &Path, dir: &Path) {
    fs::create_dir_all(dir).unwrap();
    plain(
        Command::new("tar")
            .arg("--extract")
            .arg("--file")
            .arg(archive(cache))
            .arg("--directory")
            .arg(dir)
            .args(["--numeric-owner", "--xattrs", "--xattrs-include=*"]),
    );
}
