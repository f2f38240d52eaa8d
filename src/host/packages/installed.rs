//! What dpkg has installed.

use std::collections::{BTreeMap, BTreeSet};

use crate::host::exec::{ExecError, Program};
use crate::host::{Host, PackageName};

use super::PackageError;

/// Where dpkg keeps changes that it has not taken into its database yet; files in it mean that it was interrupted.
const UPDATES: &str = "/var/lib/dpkg/updates";

/// Every package of a machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InstalledPackages {
    /// Versions of those that are unpacked and configured.
    pub versions: BTreeMap<String, String>,
    /// Names that those provide besides their own.
    pub provided: BTreeSet<String>,
    /// Those that upgrades leave at their version.
    pub held: BTreeSet<String>,
    /// Those that are there by halves: unpacked, not configured.
    pub halves: BTreeSet<String>,
}

impl InstalledPackages {
    /// Whether something of a package is there, if only by halves.
    #[must_use]
    pub fn is_there(&self, name: &PackageName) -> bool {
        self.versions.contains_key(name.as_str()) || self.halves.contains(name.as_str())
    }

    /// Whether a package is installed, or provided by one that is.
    #[must_use]
    pub fn has(&self, name: &PackageName) -> bool {
        self.versions.contains_key(name.as_str()) || self.provided.contains(name.as_str())
    }
}

impl Host {
    /// Every package that is installed. `None` where there is no package manager to ask: below a root, or without dpkg.
    ///
    /// # Errors
    /// [`PackageError::Query`].
    pub fn installed_packages(&self) -> Result<Option<InstalledPackages>, PackageError> {
        if !self.is_live() {
            return Ok(None);
        }
        let query = Program::new("dpkg-query").args([
            "--show",
            "--showformat=${db:Status-Want}\t${db:Status-Status}\t${Package}\t${Version}\t${Provides}\n",
        ]);
        match query.run_ok() {
            Ok(listing) => Ok(Some(parse(&String::from_utf8_lossy(&listing)))),
            Err(ExecError::NotFound { .. }) => Ok(None),
            Err(source) => Err(PackageError::Query { source }),
        }
    }

    /// Paths of the files and configuration files that `packages` have, as far as they are installed.
    ///
    /// # Errors
    /// [`PackageError::Query`].
    pub fn files_of_packages(
        &self,
        packages: &BTreeSet<PackageName>,
    ) -> Result<BTreeSet<String>, PackageError> {
        let installed = self.installed_packages()?.unwrap_or_default();
        let present: Vec<&str> = packages
            .iter()
            .map(PackageName::as_str)
            .filter(|name| installed.versions.contains_key(*name))
            .collect();
        if present.is_empty() {
            return Ok(BTreeSet::new());
        }
        let list = Program::new("dpkg-query").arg("--listfiles").args(present);
        let list = list
            .run_ok()
            .map_err(|source| PackageError::Query { source })?;
        Ok(String::from_utf8_lossy(&list)
            .lines()
            .map(str::to_owned)
            .collect())
    }

    /// Whether dpkg was interrupted, so that it refuses to work until it has finished what it left.
    pub(super) fn dpkg_is_interrupted(&self, installed: &InstalledPackages) -> bool {
        let pending = std::fs::read_dir(UPDATES).is_ok_and(|mut entries| entries.next().is_some());
        self.is_live() && (pending || !installed.halves.is_empty())
    }
}

fn parse(listing: &str) -> InstalledPackages {
    let mut installed = InstalledPackages::default();
    for line in listing.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let [want, status, name, version, virtuals] = fields[..] else {
            continue;
        };
        match status {
            "installed" | "triggers-awaited" | "triggers-pending" => {}
            "unpacked" | "half-installed" | "half-configured" => {
                installed.halves.insert(name.to_owned());
                continue;
            }
            // `config-files`, `not-installed`
            _ => continue,
        }
        if want == "hold" {
            installed.held.insert(name.to_owned());
        }
        installed
            .versions
            .insert(name.to_owned(), version.to_owned());
        // `mail-transport-agent, awk (= 1.0)`
        let provided = virtuals
            .split(',')
            .filter_map(|entry| entry.split_whitespace().next());
        installed.provided.extend(provided.map(str::to_owned));
    }
    installed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn provided_names_count_as_installed_and_half_installed_ones_do_not() {
        let found = parse(
            "install\tinstalled\texim4-daemon-light\t4.96\tmail-transport-agent, exim (= 4.96)\n\
             install\thalf-configured\tbroken\t1\t\ndeinstall\tconfig-files\told\t1\t\n\
             unknown\tnot-installed\tnever\t\t\nhold\ttriggers-pending\tman-db\t2.11\tman\n",
        );
        let names: Vec<&str> = found.versions.keys().map(String::as_str).collect();
        assert_eq!(names, ["exim4-daemon-light", "man-db"]);
        assert_eq!(found.versions["man-db"], "2.11");
        assert_eq!(found.held, ["man-db".to_owned()].into());
        assert_eq!(found.halves, ["broken".to_owned()].into());
        for (name, has) in [
            ("man", true),
            ("exim", true),
            ("old", false),
            ("broken", false),
        ] {
            assert_eq!(found.has(&PackageName::new(name).unwrap()), has, "{name}");
        }
    }

    #[test]
    fn the_live_machine_knows_its_own_packages() {
        let host = Host::live().unwrap();
        match host.installed_packages().unwrap() {
            Some(found) => {
                assert!(found.versions.contains_key("dpkg"));
                assert!(found.has(&PackageName::new("awk").unwrap()));
                let names = ["dpkg", "no-such-package-at-all"];
                let names = names.map(|name| PackageName::new(name).unwrap());
                let files = host.files_of_packages(&names.into()).unwrap();
                assert!(files.contains("/usr/bin/dpkg"), "{files:?}");
            }
            None => println!("SKIP: no dpkg on this machine"),
        }
    }

    #[test]
    fn below_a_root_there_is_no_package_manager() {
        let dir = tempfile::tempdir().unwrap();
        let host = Host::below(dir.path()).unwrap();
        assert_eq!(host.installed_packages().unwrap(), None);
    }
}
