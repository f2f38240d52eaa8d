//! What brings a host back when nobody else does: a copy of the program that activated well last, and a timer that runs it.
//!
//! The copy is beside the state, where no generation writes. So a new program that does not even start can be taken back.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::StatVfsMountFlags;
use tracing::{debug, warn};

use super::handover::flags;
use super::{Reconciler, Settings};
use crate::activation::{self, OWN_UNIT, Plan, Step};
use crate::generation::Manifest;
use crate::host::{Errand, FileMode, Transient, TransientError, TransientTimer, durable};

/// The timer and the service of the rescue, without their suffixes.
pub(super) const RESCUE: &str = "steadfast-rescue";

/// Where the copy is, below the state directory. `steadfast-boot.service` names it too.
const COPY: &str = "rescue/steadfast";

/// Where the program is installed.
const PROGRAMS: [&str; 2] = ["/usr/bin/steadfast", "/usr/local/bin/steadfast"];

/// Longest time that an activation of `plan` towards `desired` may take, the way back included.
pub(super) fn longest(settings: &Settings, plan: &Plan, desired: &Manifest) -> Duration {
    let there = activation::bound(plan, &desired.health, settings.settle, &settings.windows);
    let back = activation::bound(plan, &[], Duration::ZERO, &settings.windows);
    (there + back).min(settings.longest_activation)
}

/// Whether `plan` changes what the agent is started from: its unit, or what `steadfast.service` runs.
pub(super) fn touches_agent(plan: &Plan) -> bool {
    let unit = plan.notices.iter().any(|notice| notice.subject == OWN_UNIT);
    let programs = own_program();
    let program = plan.steps.iter().any(|step| match step {
        Step::WritePath { path, .. }
        | Step::RemovePath { path, .. }
        | Step::RestoreOriginal { path, .. } => {
            Path::new(path.as_str()) == programs || PROGRAMS.contains(&path.as_str())
        }
        _ => false,
    });
    unit || program
}

/// This very program, as a path that systemd can start: where it was replaced on disk, what still runs here.
pub(super) fn own_program() -> PathBuf {
    let running = format!("/proc/{}/exe", std::process::id());
    let same = |path: &Path| {
        let (there, here) = (fs::metadata(path).ok()?, fs::metadata(&running).ok()?);
        ((there.dev(), there.ino()) == (here.dev(), here.ino())).then_some(())
    };
    match std::env::current_exe() {
        Ok(path) if same(&path).is_some() => path,
        _ => PathBuf::from(running),
    }
}

/// Whether the program at `path`, which this process was started from, is another one by now.
pub(super) fn was_replaced(path: &Path) -> bool {
    let inode = |path: &Path| fs::metadata(path).map(|found| (found.dev(), found.ino()));
    match (inode(path), inode(Path::new("/proc/self/exe"))) {
        (Ok(there), Ok(here)) => there != here,
        _ => true,
    }
}

/// What is run when the service of an activation ended, however it ended.
pub(super) fn after_activation(reconciler: &Reconciler) -> Errand {
    errand(reconciler, ["--after-activation".to_owned()])
}

fn errand(reconciler: &Reconciler, more: impl IntoIterator<Item = String>) -> Errand {
    let mut args = flags(reconciler);
    args.push("recover".to_owned());
    args.extend(more);
    Errand {
        program: pinned(reconciler.state_dir()).unwrap_or_else(own_program),
        args,
    }
}

/// The copy, if there is one that can be run.
fn pinned(state_dir: &Path) -> Option<PathBuf> {
    let path = state_dir.join(COPY);
    let mount = rustix::fs::statvfs(&path).ok()?;
    (!mount.f_flag.contains(StatVfsMountFlags::NOEXEC)).then_some(path)
}

/// Arms the timer: if nobody disarms it within `longest`, what hangs is ended and the host brought back.
pub(super) async fn arm(
    reconciler: &Reconciler,
    systemd: &Transient,
    longest: Duration,
) -> Result<(), TransientError> {
    let patience = ["--end-hung".to_owned(), format!("{}s", longest.as_secs())];
    let timer = TransientTimer {
        name: RESCUE,
        description: "Steadfast: bring this host back if its activation does not end".to_owned(),
        after: longest,
        errand: errand(reconciler, patience),
    };
    systemd.arm(&timer).await
}

/// Disarms the timer: there is nothing to be brought back.
pub(super) async fn disarm(systemd: &Transient) {
    if let Err(error) = systemd.disarm(RESCUE).await {
        // It finds no open transaction and does nothing.
        debug!(%error, "the rescue could not be disarmed");
    }
}

/// Keeps a copy of the running program; which must have shown that it can activate.
pub(super) fn pin(state_dir: &Path) {
    if let Err(error) = try_to_pin(state_dir) {
        warn!(%error, "no copy of the program could be kept for a rescue");
    }
}

/// Keeps a copy if there is none yet: the one that is about to change the host for the first time.
pub(super) fn pin_if_missing(state_dir: &Path) {
    if !state_dir.join(COPY).exists() {
        pin(state_dir);
    }
}

fn try_to_pin(state_dir: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let path = state_dir.join(COPY);
    let running = File::open("/proc/self/exe")?;
    if is_copy_of(&path, &running)? {
        return Ok(());
    }
    if let Some(directory) = path.parent() {
        durable::make_directories(directory, FileMode::from_bits(0o700))?;
    }
    durable::copy(running, &path, FileMode::from_bits(0o700))?;
    debug!(path = %path.display(), "program kept for a rescue");
    Ok(())
}

/// A copy has the size and the time of what it was made from.
fn is_copy_of(path: &Path, running: &File) -> io::Result<bool> {
    let found = match fs::metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    let running = running.metadata()?;
    Ok(found.len() == running.len() && found.modified()? == running.modified()?)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_copy_is_made_once_and_replaced_only_when_the_program_is_another() {
        let state = tempfile::tempdir().unwrap();
        let copy = state.path().join(COPY);
        pin(state.path());
        let first = fs::metadata(&copy).unwrap();
        assert_eq!(first.permissions().mode() & 0o7777, 0o700);
        assert_eq!(fs::metadata("/proc/self/exe").unwrap().len(), first.len());
        assert_eq!(pinned(state.path()), Some(copy.clone()));
        pin(state.path());
        assert_eq!(fs::metadata(&copy).unwrap().ino(), first.ino());

        durable::replace(&copy, b"an older one", FileMode::from_bits(0o700)).unwrap();
        pin_if_missing(state.path());
        assert_eq!(fs::read(&copy).unwrap(), b"an older one");
        pin(state.path());
        assert_eq!(fs::metadata(&copy).unwrap().len(), first.len());
    }

    #[test]
    fn a_program_that_was_replaced_is_told_from_one_that_was_not() {
        let own = std::env::current_exe().unwrap();
        assert!(!was_replaced(&own));
        assert_eq!(own_program(), own);
        assert!(was_replaced(Path::new("/bin/sh")));
        assert!(was_replaced(Path::new("/nowhere/steadfast")));
    }
}
