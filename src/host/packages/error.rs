//! How telling, installing and removing packages goes wrong.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::host::exec::ExecError;
use crate::host::{FileError, PackageName};

/// How many names a message has.
const LISTED: usize = 8;

/// Packages that could not be told, installed, held or removed.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// The list of installed packages cannot be read.
    #[error("cannot tell which packages are installed")]
    Query {
        /// Why.
        #[source]
        source: ExecError,
    },
    /// No repository of this machine has them.
    #[error("no package source of this host has {}", listed(packages))]
    Unknown {
        /// Those that are nowhere.
        packages: BTreeSet<PackageName>,
    },
    /// apt failed.
    #[error("cannot {action} {}", listed(packages))]
    Apt {
        /// `install`, `remove`, `hold`, `release`.
        action: &'static str,
        /// What it was about.
        packages: BTreeSet<PackageName>,
        /// Why.
        #[source]
        source: ExecError,
    },
    /// The package lists could not be fetched.
    #[error("cannot update the package lists")]
    Update {
        /// Why.
        #[source]
        source: ExecError,
    },
    /// dpkg was interrupted, and what it left could not be finished.
    #[error("dpkg was interrupted before, and cannot finish what it left")]
    Interrupted {
        /// Why.
        #[source]
        source: ExecError,
    },
    /// Somebody else works with packages and does not end.
    #[error("{} has been working with packages for more than {} seconds", by(*pid), waited.as_secs())]
    Busy {
        /// The process, if the kernel tells.
        pid: Option<u32>,
        /// How long it was waited for.
        waited: Duration,
    },
    /// dpkg's lock cannot be taken.
    #[error("cannot keep others from working with packages")]
    Lock {
        /// Why.
        #[source]
        source: FileError,
    },
    /// What is to be remembered about the packages could not be written down; nothing was installed.
    #[error("cannot write down which packages are about to be installed; none was")]
    Remember {
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl PackageError {
    /// That apt failed at `action`. The message names the packages; the command in it does not name them again.
    pub(super) fn apt(
        action: &'static str,
        packages: &BTreeSet<PackageName>,
        mut source: ExecError,
    ) -> Self {
        if let ExecError::Failed { command, .. } | ExecError::Killed { command, .. } = &mut source
            && let Some((before, _)) = command.split_once(" -- ")
        {
            *command = format!("{before} …");
        }
        Self::Apt {
            action,
            packages: packages.clone(),
            source,
        }
    }

    /// Whether the message says what was tried, and with which packages.
    #[must_use]
    pub fn names_packages(&self) -> bool {
        matches!(self, Self::Unknown { .. } | Self::Apt { .. })
    }

    /// How to put it right, where that is known.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unknown { .. } => Some(
                "check the names, or say under `apt: repositories:` where they come from"
                    .to_owned(),
            ),
            Self::Apt { source, .. } => apt_hint(source),
            Self::Update { source } => apt_hint(source).or_else(|| {
                Some(
                    "run apt-get update on the host, and mend or remove the source that fails"
                        .to_owned(),
                )
            }),
            Self::Query { source } => source.hint(),
            Self::Interrupted { source } => apt_hint(source).or_else(|| {
                Some("run dpkg --configure -a on the host, and mend what it names".to_owned())
            }),
            Self::Busy { pid, .. } => Some(match pid {
                Some(pid) => {
                    format!("wait for it, or see what it waits for: systemctl status {pid}")
                }
                None => {
                    "wait for it, or see who it is: fuser -v /var/lib/dpkg/lock-frontend".to_owned()
                }
            }),
            Self::Lock { source } => source.hint(),
            Self::Remember { .. } => None,
        }
    }
}

fn by(pid: Option<u32>) -> String {
    pid.map_or("another process".to_owned(), |pid| format!("process {pid}"))
}

fn apt_hint(source: &ExecError) -> Option<String> {
    let stderr = source.stderr();
    let hint = if stderr.contains("dpkg was interrupted") {
        "dpkg --configure -a"
    } else if stderr.contains("remove is disabled") {
        "another package would have to go; remove it by hand first: apt-get install says which"
    } else if stderr.contains("Could not get lock") || stderr.contains("locked by another process")
    {
        "another apt or dpkg has been running for more than two minutes; wait for it, or see what it waits for"
    } else if stderr.contains("NO_PUBKEY") || stderr.contains("is not signed") {
        "the `key` of the package repository is not the one that signs it; get it from its vendor again"
    } else if stderr.contains("held packages") || stderr.contains("unmet dependencies") {
        "apt-get install -s shows what does not fit together"
    } else if stderr.contains("No space left") {
        "make room on the file system"
    } else if stderr.contains("Sub-process /usr/bin/dpkg") {
        "see what dpkg said at the end of /var/log/apt/term.log on the host"
    } else if stderr.contains("are you root") {
        "run it as root"
    } else {
        return source.hint();
    };
    Some(hint.to_owned())
}

/// The first names, and how many more there are: a host may have hundreds.
fn listed(packages: &BTreeSet<PackageName>) -> String {
    let names = packages.iter().take(LISTED);
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    let names = names.join(", ");
    match packages.len().saturating_sub(LISTED) {
        0 => names,
        more => format!("{names} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_of_packages_is_cut_and_said_once() {
        let packages: BTreeSet<PackageName> = (10..22)
            .map(|number| PackageName::new(format!("lib{number}")).unwrap())
            .collect();
        let names: Vec<&str> = packages.iter().map(PackageName::as_str).collect();
        let source = ExecError::Failed {
            command: format!("apt-get --quiet purge -- {}", names.join(" ")),
            code: 100,
            stderr: "E: no".to_owned(),
        };
        let error = PackageError::apt("remove", &packages, source);
        assert!(error.names_packages());
        let cause = std::error::Error::source(&error).unwrap();
        assert_eq!(
            format!("{error}: {cause}"),
            "cannot remove `lib10`, `lib11`, `lib12`, `lib13`, `lib14`, `lib15`, `lib16`, `lib17` and 4 more: \
             `apt-get --quiet purge …` failed with exit code 100: E: no"
        );
    }

    #[test]
    fn apt_failures_say_what_to_do() {
        let failed = |stderr: &str| PackageError::Apt {
            action: "install",
            packages: [PackageName::new("curl").unwrap()].into(),
            source: ExecError::Failed {
                command: "apt-get install".to_owned(),
                code: 100,
                stderr: stderr.to_owned(),
            },
        };
        let hint = |stderr| failed(stderr).hint();
        assert_eq!(
            hint("E: dpkg was interrupted, you must manually run").unwrap(),
            "dpkg --configure -a"
        );
        assert!(hint("E: Packages need to be removed but remove is disabled.").is_some());
        assert!(
            hint("dpkg: error: dpkg frontend lock was locked by another process with pid 7")
                .unwrap()
                .contains("two minutes")
        );
        let of_dpkg = hint("E: Sub-process /usr/bin/dpkg returned an error code (2)").unwrap();
        assert!(of_dpkg.contains("/var/log/apt/term.log"), "{of_dpkg}");
        assert_eq!(hint("E: something else"), None);
    }
}
