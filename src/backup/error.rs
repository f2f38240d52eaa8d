//! How work on a backup goes wrong, and what to do about it.

use std::path::PathBuf;

use rustix::process::Signal;

use crate::host::exec::ExecError;
use crate::host::{FileError, HostPath, UnitName};

/// Work on a backup that was not done.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum BackupError {
    #[error("{mount} is not mounted, so {repository} is out of reach")]
    NotMounted {
        mount: HostPath,
        repository: String,
        #[source]
        source: Option<Box<FileError>>,
    },
    #[error("{} is not there, so no repository can be in it", directory.display())]
    NoDirectory { directory: PathBuf },
    #[error("{} is neither empty nor a repository", directory.display())]
    NotARepository { directory: PathBuf },
    #[error(
        "{repository} is gone: it was there when snapshot {snapshot} was made, and there is none now"
    )]
    Gone {
        repository: String,
        snapshot: String,
    },
    #[error("there is no repository at {repository}")]
    NoRepository { repository: String },
    #[error("there is no password for {repository}")]
    NoPassword {
        repository: String,
        #[source]
        source: Box<FileError>,
    },
    #[error("the password in {file} does not open {repository}")]
    WrongPassword { repository: String, file: HostPath },
    #[error("another process of this host works with {repository}")]
    Busy {
        repository: String,
        service: UnitName,
        pid: Option<u32>,
    },
    #[error("{repository} is locked: {said}")]
    Locked { repository: String, said: String },
    #[error("there is no room left for {repository}: {said}")]
    Full { repository: String, said: String },
    #[error("nothing of what is to be backed up is there: {}", paths.join(", "))]
    NothingThere { paths: Vec<String> },
    #[error("there is no snapshot {wanted} in {repository}")]
    NoSnapshot { wanted: String, repository: String },
    #[error("{path} is not in snapshot {snapshot}")]
    NotInSnapshot { path: String, snapshot: String },
    #[error("{} is there already", path.display())]
    InTheWay { path: PathBuf },
    #[error("restic stopped because of {}", name_of(*signal))]
    Stopped { signal: Signal },
    #[error("`restic {verb}` failed for {repository}: {said}")]
    Failed {
        verb: String,
        repository: String,
        said: String,
    },
    #[error("the answer of `restic {verb}` cannot be understood")]
    Answer {
        verb: String,
        #[source]
        source: serde_json::Error,
    },
    #[error("what is remembered of the backup in {} is damaged", path.display())]
    Record {
        path: PathBuf,
        #[source]
        source: serde_json::Error,
    },
    #[error(transparent)]
    Exec(#[from] ExecError),
    #[error(transparent)]
    File(#[from] FileError),
}

impl BackupError {
    /// How to go on.
    #[must_use]
    pub fn fix(&self) -> Option<String> {
        Some(match self {
            Self::NotMounted { mount, .. } => format!(
                "see that the disk is there, or that the server answers and exports it; then `ls {mount}` mounts it, and \
                 `findmnt {mount}` shows it. Nothing was written to this host's own disk"
            ),
            Self::NoDirectory { directory } => format!(
                "make {} (`directories:` of the host), or mount what should be there",
                directory.display()
            ),
            Self::NotARepository { directory } => format!(
                "see what is in {}; a repository has a file `config`. If its own is lost, bring it back from a copy: without \
                 it nothing can be read",
                directory.display()
            ),
            Self::Gone { .. } => {
                "see that the right disk is mounted and the path is right; if the repository is lost for good, `steadfast \
                 backup run --new-repository` begins another"
                    .to_owned()
            }
            Self::NoRepository { .. } => {
                "`steadfast backup run` makes it, with the first snapshot".to_owned()
            }
            Self::NoPassword { .. } => {
                "`steadfast reconcile now` installs secrets; `steadfast secrets check` says why one is missing".to_owned()
            }
            Self::WrongPassword { .. } => {
                "set the password that the repository was made with: `steadfast secrets set`, commit, and `steadfast reconcile \
                 now` on the host. To give it another one, add the new with `restic key add` while the old still opens it"
                    .to_owned()
            }
            Self::Busy { service, pid, .. } => match pid {
                Some(pid) => format!(
                    "wait for process {pid}, or give --wait; `journalctl -fu {service}` shows a scheduled run"
                ),
                None => format!("wait, or give --wait; `journalctl -fu {service}` shows a scheduled run"),
            },
            Self::Locked { .. } => {
                "another host, or restic by hand, works with it: wait. A lock that a dead process left is removed by the next \
                 run once it is half an hour old"
                    .to_owned()
            }
            Self::Full { .. } => {
                "make room there, or keep fewer snapshots (`keep:`); what was written before is whole".to_owned()
            }
            Self::NothingThere { .. } => "correct `paths` of the module `restic-backup`".to_owned(),
            Self::NoSnapshot { .. } => "`steadfast backup snapshots --all` lists them".to_owned(),
            Self::NotInSnapshot { path, snapshot } => format!(
                "give the whole path as it was on the host; `restic find` looks for a name in all snapshots. Perhaps {path} \
                 is excluded, or came after {snapshot}"
            ),
            Self::InTheWay { .. } => {
                "give another directory with --to; or, to replace what is there, --in-place".to_owned()
            }
            Self::Stopped { .. } => "run it again; what was written before is used".to_owned(),
            Self::Failed { .. } => {
                "STEADFAST_LOG=debug shows the call; docs/backup.md says what else to look at".to_owned()
            }
            Self::Answer { .. } => "see that restic is 0.14 or newer: `restic version`".to_owned(),
            Self::Record { path, .. } => {
                format!("remove {}; the next run makes it anew", path.display())
            }
            Self::Exec(error) => return error.hint(),
            Self::File(error) => return error.hint(),
        })
    }
}

fn name_of(signal: Signal) -> String {
    match signal {
        Signal::INT => "Ctrl-C".to_owned(),
        Signal::TERM => "SIGTERM".to_owned(),
        Signal::HUP => "SIGHUP: the terminal went away".to_owned(),
        Signal::QUIT => "SIGQUIT".to_owned(),
        other => format!("signal {}", other.as_raw()),
    }
}
