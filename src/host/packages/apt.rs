//! apt and dpkg as programs: their options, and the lock that they share with others.

use std::thread;
use std::time::Duration;

use super::PackageError;
use crate::host::HostPath;
use crate::host::exec::{ExecError, Program};

/// Longest time for one run of apt: a slow mirror and a large package.
const INSTALL_TIMEOUT: Duration = Duration::from_mins(30);
const UPDATE_TIMEOUT: Duration = Duration::from_mins(10);
/// How often a program that does not wait for the lock by itself is tried again, and how long after.
const LOCK_TRIES: u32 = 24;
const LOCK_PAUSE: Duration = Duration::from_secs(5);

/// A run of apt-get that nobody has to answer. Another apt or dpkg is waited for, two minutes.
pub(super) fn apt_get(verb: &str) -> Program {
    noninteractive(Program::new("apt-get"))
        .args(["--quiet", "--assume-yes", "-o", "DPkg::Lock::Timeout=120"])
        .timeout(INSTALL_TIMEOUT)
        .arg(verb)
}

/// apt-get saying what it would do; needs no lock and no privilege.
pub(super) fn simulated(verb: &str) -> Program {
    noninteractive(Program::new("apt-get"))
        .args([
            "--quiet",
            "--assume-yes",
            "--simulate",
            "-o",
            "Debug::NoLocking=true",
            // Holds of ours are released before anything goes; somebody else's stop apt itself.
            "--allow-change-held-packages",
        ])
        .arg(verb)
}

fn noninteractive(program: Program) -> Program {
    program
        .env("DEBIAN_FRONTEND", "noninteractive")
        // Where root has no password, sudo would refuse to go, also when it came with an account that is gone now.
        .env("SUDO_FORCE_REMOVE", "yes")
        .env("APT_LISTCHANGES_FRONTEND", "none")
        // Units are restarted by the plan, not by a hook behind its back.
        .env("NEEDRESTART_SUSPEND", "1")
}

/// Fetches the lists of all package sources.
pub(super) fn update() -> Result<(), PackageError> {
    run_update(apt_get("update"))
}

/// Fetches the lists of one package source: others may be out of reach.
pub(super) fn update_one(source: &HostPath) -> Result<(), PackageError> {
    let list = format!("Dir::Etc::SourceList={source}");
    let update = apt_get("update")
        .args(["-o", list.as_str(), "-o", "Dir::Etc::SourceParts=-"])
        // The lists of the others stay.
        .args(["-o", "APT::Get::List-Cleanup=false"]);
    run_update(update)
}

fn run_update(update: Program) -> Result<(), PackageError> {
    let update = update
        // Without it, a list that cannot be fetched is a warning and exit code 0.
        .args(["-o", "APT::Update::Error-Mode=any"])
        .timeout(UPDATE_TIMEOUT);
    update
        .run_ok()
        .map(drop)
        .map_err(|source| PackageError::Update { source })
}

/// Runs a program that fails at once when somebody else has the lock, until it gets it, for two minutes.
pub(super) fn with_the_lock(program: &Program) -> Result<Vec<u8>, ExecError> {
    let mut tries = 0;
    loop {
        tries += 1;
        match program.run_ok() {
            Err(error) if tries < LOCK_TRIES && is_locked(&error) => thread::sleep(LOCK_PAUSE),
            result => return result,
        }
    }
}

fn is_locked(error: &ExecError) -> bool {
    let stderr = error.stderr();
    stderr.contains("locked by another process") || stderr.contains("Could not get lock")
}

/// Finishes what an interrupted dpkg left: unpacked packages are configured.
pub(super) fn finish_interrupted() -> Result<(), PackageError> {
    let configure = noninteractive(Program::new("dpkg"))
        .args([
            "--force-confdef",
            "--force-confold",
            "--configure",
            "--pending",
        ])
        .timeout(INSTALL_TIMEOUT);
    with_the_lock(&configure)
        .map(drop)
        .map_err(|source| PackageError::Interrupted { source })
}
