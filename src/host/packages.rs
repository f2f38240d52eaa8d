//! Packages of the distribution: asked of dpkg, installed by apt.

use std::collections::BTreeSet;
use std::time::Duration;

use super::exec::{ExecError, Program};
use super::{Host, PackageName};

/// Longest time for one run of apt: a slow mirror and a large package.
const INSTALL_TIMEOUT: Duration = Duration::from_mins(30);
const UPDATE_TIMEOUT: Duration = Duration::from_mins(10);

/// Packages that could not be told or installed.
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
    #[error("cannot install {}", listed(packages))]
    Install {
        /// What was to be installed.
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
}

impl PackageError {
    /// How to put it right, where that is known.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unknown { .. } => {
                Some("check the names, or add the package source on the host".to_owned())
            }
            Self::Install { source, .. } => install_hint(source),
            Self::Update { source } => source.hint().or_else(|| {
                Some(
                    "run apt-get update on the host, and mend or remove the source that fails"
                        .to_owned(),
                )
            }),
            Self::Query { source } => source.hint(),
        }
    }
}

fn install_hint(source: &ExecError) -> Option<String> {
    let stderr = source.stderr();
    let hint = if stderr.contains("dpkg was interrupted") {
        "dpkg --configure -a"
    } else if stderr.contains("remove is disabled") {
        "another package would have to go; remove it by hand first: apt-get install says which"
    } else if stderr.contains("Could not get lock") {
        "another apt or dpkg is running; wait for it"
    } else if stderr.contains("held packages") || stderr.contains("unmet dependencies") {
        "apt-get install -s shows what does not fit together"
    } else if stderr.contains("No space left") {
        "make room on the file system"
    } else if stderr.contains("are you root") {
        "run it as root"
    } else {
        return source.hint();
    };
    Some(hint.to_owned())
}

fn listed(packages: &BTreeSet<PackageName>) -> String {
    let names: Vec<String> = packages.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

impl Host {
    /// Those of `packages` that are installed, or provided by one that is.
    ///
    /// `None` where there is no package manager to ask: below a root, or without dpkg.
    ///
    /// # Errors
    /// [`PackageError::Query`].
    pub fn installed_packages(
        &self,
        packages: &BTreeSet<PackageName>,
    ) -> Result<Option<BTreeSet<PackageName>>, PackageError> {
        if !self.is_live() {
            return Ok(None);
        }
        if packages.is_empty() {
            return Ok(Some(BTreeSet::new()));
        }
        let query = Program::new("dpkg-query").args([
            "--show",
            "--showformat=${db:Status-Status}\t${Package}\t${Provides}\n",
        ]);
        let listing = match query.run_ok() {
            Ok(listing) => listing,
            Err(ExecError::NotFound { .. }) => return Ok(None),
            Err(source) => return Err(PackageError::Query { source }),
        };
        let listing = String::from_utf8_lossy(&listing);
        let installed = installed_names(&listing);
        Ok(Some(
            packages
                .iter()
                .filter(|name| installed.contains(name.as_str()))
                .cloned()
                .collect(),
        ))
    }

    /// Installs `packages` in one run of apt, without recommended packages and without removing any.
    ///
    /// Changed configuration files are kept. The package lists are updated only if a package is not in them or is gone
    /// from the mirror. Another apt that is running is waited for, two minutes. Below a root nothing happens.
    ///
    /// # Errors
    /// [`PackageError::Unknown`] before anything is installed, or [`PackageError::Install`] with apt's last words.
    pub fn install_packages(&self, packages: &BTreeSet<PackageName>) -> Result<(), PackageError> {
        if !self.is_live() || packages.is_empty() {
            return Ok(());
        }
        let failed = |source| PackageError::Install {
            packages: packages.clone(),
            source,
        };
        let mut is_updated = false;
        if !unknown(packages)?.is_empty() {
            let updated = update();
            let unknown = unknown(packages)?;
            if !unknown.is_empty() {
                // A source that cannot be reached may be the one that has them.
                updated?;
                return Err(PackageError::Unknown { packages: unknown });
            }
            is_updated = true;
        }
        match install(packages) {
            Err(error) if !is_updated && is_outdated(&error) => match update() {
                Ok(()) => install(packages).map_err(failed),
                Err(_) => Err(failed(error)),
            },
            result => result.map_err(failed),
        }
    }
}

fn apt_get(verb: &str) -> Program {
    Program::new("apt-get")
        .args(["--quiet", "--assume-yes", "-o", "DPkg::Lock::Timeout=120"])
        .env("DEBIAN_FRONTEND", "noninteractive")
        .env("APT_LISTCHANGES_FRONTEND", "none")
        // Units are restarted by the plan, not by a hook behind its back.
        .env("NEEDRESTART_SUSPEND", "1")
        .arg(verb)
}

fn update() -> Result<(), PackageError> {
    let update = apt_get("update")
        // Without it, a list that cannot be fetched is a warning and exit code 0.
        .args(["-o", "APT::Update::Error-Mode=any"])
        .timeout(UPDATE_TIMEOUT);
    update
        .run_ok()
        .map(drop)
        .map_err(|source| PackageError::Update { source })
}

fn install(packages: &BTreeSet<PackageName>) -> Result<(), ExecError> {
    apt_get("install")
        // Recommends differ from day to day and bring services nobody declared: what is wanted is written down.
        .arg("--no-install-recommends")
        .arg("--no-remove")
        .args(["-o", "Dpkg::Options::=--force-confdef"])
        .args(["-o", "Dpkg::Options::=--force-confold"])
        .arg("--")
        .args(packages.iter().map(PackageName::as_str))
        .timeout(INSTALL_TIMEOUT)
        .run_ok()
        .map(drop)
}

/// Those that apt has never heard of. They must not reach it: it takes `name-` as an order to remove `name`.
fn unknown(packages: &BTreeSet<PackageName>) -> Result<BTreeSet<PackageName>, PackageError> {
    let policy = Program::new("apt-cache")
        .args(["policy", "--"])
        .args(packages.iter().map(PackageName::as_str))
        .run_ok()
        .map_err(|source| PackageError::Query { source })?;
    let policy = String::from_utf8_lossy(&policy);
    let known = policy_names(&policy);
    Ok(packages
        .iter()
        .filter(|name| !known.contains(name.as_str()))
        .cloned()
        .collect())
}

/// The names that `apt-cache policy` has an entry for: lines that are not indented and end with a colon.
fn policy_names(policy: &str) -> BTreeSet<&str> {
    policy
        .lines()
        .filter(|line| !line.starts_with(' '))
        .filter_map(|line| line.strip_suffix(':'))
        // `name:arch` where the package is of another architecture.
        .map(|name| name.split(':').next().unwrap_or(name))
        .collect()
}

/// Whether the package lists name files that the mirror no longer has.
fn is_outdated(error: &ExecError) -> bool {
    let stderr = error.stderr();
    stderr.contains("404") || stderr.contains("Unable to fetch some archives")
}

/// Names and provided names of all packages that are unpacked and configured.
fn installed_names(listing: &str) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    for line in listing.lines() {
        let mut fields = line.split('\t');
        let (Some(status), Some(name)) = (fields.next(), fields.next()) else {
            continue;
        };
        if !matches!(
            status,
            "installed" | "triggers-awaited" | "triggers-pending"
        ) {
            continue;
        }
        names.insert(name);
        // `mail-transport-agent, awk (= 1.0)`
        let provided = fields.next().unwrap_or_default().split(',');
        names.extend(provided.filter_map(|entry| entry.split_whitespace().next()));
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &[&str]) -> BTreeSet<PackageName> {
        list.iter()
            .map(|name| PackageName::new(*name).unwrap())
            .collect()
    }

    #[test]
    fn provided_names_count_as_installed_and_half_installed_ones_do_not() {
        let listing = "installed\texim4-daemon-light\tmail-transport-agent, exim (= 4.96)\n\
                       half-configured\tbroken\t\nconfig-files\told\t\nnot-installed\tnever\t\n\
                       triggers-pending\tman-db\tman\n";
        let found: Vec<&str> = installed_names(listing).into_iter().collect();
        assert_eq!(
            found,
            [
                "exim",
                "exim4-daemon-light",
                "mail-transport-agent",
                "man",
                "man-db"
            ]
        );
    }

    #[test]
    fn policy_entries_are_known_names() {
        let policy = "curl:\n  Installed: (none)\n  Candidate: 8.14\n  Version table:\n     8.14 500\n\
                      libc6:i386:\n  Installed: (none)\n";
        assert_eq!(policy_names(policy), ["curl", "libc6"].into());
    }

    #[test]
    fn apt_failures_say_what_to_do() {
        let failed = |stderr: &str| PackageError::Install {
            packages: names(&["curl"]),
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
        assert_eq!(hint("E: something else"), None);
    }

    #[test]
    fn below_a_root_there_is_no_package_manager() {
        let dir = tempfile::tempdir().unwrap();
        let host = Host::below(dir.path()).unwrap();
        assert_eq!(host.installed_packages(&names(&["curl"])).unwrap(), None);
        host.install_packages(&names(&["no-such-package-at-all"]))
            .unwrap();
    }

    #[test]
    fn the_live_machine_knows_its_own_packages() {
        let host = Host::live().unwrap();
        let asked = names(&["dpkg", "awk", "no-such-package-at-all"]);
        match host.installed_packages(&asked).unwrap() {
            Some(found) => assert_eq!(found, names(&["awk", "dpkg"])),
            None => println!("SKIP: no dpkg on this machine"),
        }
    }
}
