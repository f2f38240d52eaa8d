//! Installing and holding.

use std::collections::{BTreeMap, BTreeSet};

use super::apt::{apt_get, finish_interrupted, simulated, update, update_one, with_the_lock};
use super::simulate::{Arriving, moves};
use super::{InstalledPackages, PackageError};
use crate::host::exec::{ExecError, Program};
use crate::host::{Host, HostPath, PackageName};

/// Whoever writes down what is about to come, before it comes.
pub type Remember<'a> = dyn FnMut(&BTreeMap<PackageName, Arriving>) -> Result<(), Box<dyn std::error::Error + Send + Sync>>
    + 'a;

impl Host {
    /// What installing `packages` would bring, with the package lists as they are; nothing if they know too little.
    ///
    /// # Errors
    /// [`PackageError::Unknown`] if the lists have not heard of one, or [`PackageError::Apt`] with apt's reason.
    pub fn arriving_packages(
        &self,
        packages: &BTreeSet<PackageName>,
    ) -> Result<BTreeMap<PackageName, Arriving>, PackageError> {
        if !self.is_live() || packages.is_empty() {
            return Ok(BTreeMap::new());
        }
        let unknown = unknown(packages)?;
        if !unknown.is_empty() {
            return Err(PackageError::Unknown { packages: unknown });
        }
        let listing = installing(simulated("install"), packages)
            .run_ok()
            .map_err(|source| PackageError::apt("install", packages, source))?;
        Ok(moves(&String::from_utf8_lossy(&listing)).arriving)
    }

    /// Installs `packages` in one run of apt, without recommended packages and without removing any; gives back what
    /// came.
    ///
    /// Changed configuration files are kept. The package lists are updated only if a package is not in them or is gone
    /// from the mirror. What an interrupted dpkg left is finished first. Another apt that is running is waited for, two
    /// minutes. `remember` is told what will come before it comes. Below a root nothing happens.
    ///
    /// # Errors
    /// [`PackageError::Unknown`] before anything is installed, or [`PackageError::Apt`] with apt's last words.
    pub fn install_packages(
        &self,
        packages: &BTreeSet<PackageName>,
        remember: &mut Remember<'_>,
    ) -> Result<BTreeMap<PackageName, String>, PackageError> {
        let Some(before) = self.installed_packages()?.filter(|_| !packages.is_empty()) else {
            return Ok(BTreeMap::new());
        };
        if self.dpkg_is_interrupted(&before) {
            finish_interrupted()?;
        }
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
        let arriving = self.arriving_packages(packages)?;
        remember(&arriving).map_err(|source| PackageError::Remember { source })?;
        match install(packages) {
            Err(error) if !is_updated && is_outdated(&error) => {
                update().map_err(|_| PackageError::apt("install", packages, error))?;
                let arriving = self.arriving_packages(packages)?;
                remember(&arriving).map_err(|source| PackageError::Remember { source })?;
                install(packages)
                    .map_err(|source| PackageError::apt("install", packages, source))?;
            }
            result => result.map_err(|source| PackageError::apt("install", packages, source))?,
        }
        let after = self.installed_packages()?.unwrap_or_default();
        Ok(came(&before, &after))
    }

    /// Fetches the package lists of `sources`, files of apt's; of all if none is named. Below a root nothing happens.
    ///
    /// # Errors
    /// [`PackageError::Update`].
    pub fn update_package_lists(&self, sources: &BTreeSet<HostPath>) -> Result<(), PackageError> {
        if !self.is_live() {
            return Ok(());
        }
        if sources.is_empty() {
            return update();
        }
        sources.iter().try_for_each(update_one)
    }

    /// Keeps packages at their version, or lets upgrades have them again. Below a root nothing happens.
    ///
    /// # Errors
    /// [`PackageError::Apt`].
    pub fn hold_packages(
        &self,
        packages: &BTreeSet<PackageName>,
        hold: Hold,
    ) -> Result<(), PackageError> {
        if !self.is_live() || packages.is_empty() {
            return Ok(());
        }
        let (verb, action) = match hold {
            Hold::Set => ("hold", "hold"),
            Hold::Release => ("unhold", "release"),
        };
        let mark = Program::new("apt-mark")
            .args([verb, "--"])
            .args(packages.iter().map(PackageName::as_str));
        with_the_lock(&mark)
            .map(drop)
            .map_err(|source| PackageError::apt(action, packages, source))
    }
}

/// What happens to a hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// Upgrades leave the package at its version.
    Set,
    /// Upgrades have it again.
    Release,
}

/// New packages and new versions.
fn came(before: &InstalledPackages, after: &InstalledPackages) -> BTreeMap<PackageName, String> {
    let new = after
        .versions
        .iter()
        .filter(|(name, version)| before.versions.get(*name) != Some(*version));
    new.filter_map(|(name, version)| Some((PackageName::new(name.as_str()).ok()?, version.clone())))
        .collect()
}

fn installing(apt: Program, packages: &BTreeSet<PackageName>) -> Program {
    // Recommends differ from day to day and bring services nobody declared: what is wanted is written down.
    apt.arg("--no-install-recommends")
        .arg("--no-remove")
        .args(["-o", "Dpkg::Options::=--force-confdef"])
        .args(["-o", "Dpkg::Options::=--force-confold"])
        .arg("--")
        .args(packages.iter().map(PackageName::as_str))
}

fn install(packages: &BTreeSet<PackageName>) -> Result<(), ExecError> {
    installing(apt_get("install"), packages).run_ok().map(drop)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policy_entries_are_known_names() {
        let policy = "curl:\n  Installed: (none)\n  Candidate: 8.14\n  Version table:\n     8.14 500\n\
                      libc6:i386:\n  Installed: (none)\n";
        assert_eq!(policy_names(policy), ["curl", "libc6"].into());
    }

    #[test]
    fn below_a_root_nothing_is_installed_held_or_fetched() {
        let dir = tempfile::tempdir().unwrap();
        let host = Host::below(dir.path()).unwrap();
        let packages = [PackageName::new("no-such-package-at-all").unwrap()].into();
        let mut told = 0;
        let came = host.install_packages(&packages, &mut |_| {
            told += 1;
            Ok(())
        });
        assert_eq!((came.unwrap().len(), told), (0, 0));
        host.hold_packages(&packages, Hold::Set).unwrap();
        host.update_package_lists(&BTreeSet::new()).unwrap();
        assert!(host.arriving_packages(&packages).unwrap().is_empty());
    }
}
