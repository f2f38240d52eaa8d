//! Removing what we installed, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use super::apt::{apt_get, finish_interrupted, simulated};
use super::install::failed;
use super::simulate::moves;
use super::{InstalledPackages, PackageError};
use crate::host::exec::Program;
use crate::host::{Host, PackageName};

/// Packages that are on a machine because of us.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ours {
    /// Those that are no longer asked for.
    pub unwanted: BTreeSet<PackageName>,
    /// Those that came with packages of ours, now or before.
    pub brought: BTreeSet<PackageName>,
}

/// What of [`Ours`] can go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Leaving {
    /// Those that go: unwanted ones, and what came with them and nothing needs any more.
    pub remove: BTreeSet<PackageName>,
    /// Unwanted ones that have to stay, and why.
    pub kept: BTreeMap<PackageName, String>,
}

impl Host {
    /// What of `ours` can go without taking anything else along. Changes nothing.
    ///
    /// # Errors
    /// [`PackageError::Query`] if the installed packages cannot be told.
    pub fn leaving_packages(
        &self,
        ours: &Ours,
        installed: &InstalledPackages,
    ) -> Result<Leaving, PackageError> {
        let there = |name: &&PackageName| installed.versions.contains_key(name.as_str());
        let unwanted: BTreeSet<PackageName> = ours.unwanted.iter().filter(there).cloned().collect();
        if !self.is_live() || unwanted.is_empty() {
            return Ok(Leaving::default());
        }
        let mut leaving = Leaving::default();
        let (protected, mut open) = split(unwanted, &essential()?);
        for name in protected {
            let why = "the system cannot do without it".to_owned();
            leaving.kept.insert(name, why);
        }
        // Together first: one may need the other. Whoever cannot go is left out, and the rest is tried again.
        while !open.is_empty() {
            match refusal(&open) {
                None => break,
                Some(_) if open.len() > 1 => {
                    let blocked = Self::blocked(&open);
                    for (name, why) in blocked {
                        open.remove(&name);
                        leaving.kept.insert(name, why);
                    }
                }
                Some(why) => {
                    leaving
                        .kept
                        .extend(open.iter().map(|name| (name.clone(), why.clone())));
                    open.clear();
                }
            }
        }
        if !open.is_empty() {
            leaving.remove = with_what_came(&open, ours);
        }
        Ok(leaving)
    }

    /// Those of `open` that would take something else along, each with what; all if it is only together that they do.
    fn blocked(open: &BTreeSet<PackageName>) -> Vec<(PackageName, String)> {
        let mut blocked = Vec::new();
        for name in open {
            let alone = BTreeSet::from([name.clone()]);
            if let Some(why) = refusal_besides(&alone, open) {
                blocked.push((name.clone(), why));
            }
        }
        if blocked.is_empty() {
            let why = "apt cannot remove it together with the others".to_owned();
            blocked.extend(open.iter().map(|name| (name.clone(), why.clone())));
        }
        blocked
    }

    /// Removes `packages` with their configuration, in one run of apt that must remove nothing else; gives back those
    /// that are gone. If something needs them by now, none goes. Below a root nothing happens.
    ///
    /// # Errors
    /// [`PackageError::Apt`] with apt's last words.
    pub fn remove_packages(
        &self,
        packages: &BTreeSet<PackageName>,
    ) -> Result<BTreeSet<PackageName>, PackageError> {
        let Some(installed) = self.installed_packages()? else {
            return Ok(packages.clone());
        };
        if self.dpkg_is_interrupted(&installed) {
            finish_interrupted()?;
        }
        let is_there = |name: &&PackageName| installed.versions.contains_key(name.as_str());
        let present: BTreeSet<PackageName> = packages.iter().filter(is_there).cloned().collect();
        if present.is_empty() {
            return Ok(packages.clone());
        }
        if let Some(why) = refusal(&present) {
            tracing::warn!(why, "packages stay, because others need them by now");
            return Ok(packages.difference(&present).cloned().collect());
        }
        naming(apt_get("purge"), &present)
            .run_ok()
            .map_err(|source| failed("remove", packages, source))?;
        Ok(packages.clone())
    }
}

fn naming(apt: Program, packages: &BTreeSet<PackageName>) -> Program {
    apt.arg("--").args(packages.iter().map(PackageName::as_str))
}

/// Why `packages` cannot go by themselves; `None` if they can.
fn refusal(packages: &BTreeSet<PackageName>) -> Option<String> {
    refusal_besides(packages, packages)
}

/// Why `packages` cannot go if `also` may go with them.
fn refusal_besides(
    packages: &BTreeSet<PackageName>,
    also: &BTreeSet<PackageName>,
) -> Option<String> {
    match naming(simulated("purge"), packages).run_ok() {
        Ok(output) => {
            let moves = moves(&String::from_utf8_lossy(&output));
            let others: Vec<&str> = moves
                .leaving
                .difference(also)
                .chain(moves.arriving.keys())
                .map(PackageName::as_str)
                .collect();
            (!others.is_empty()).then(|| format!("needed by {}", others.join(", ")))
        }
        Err(error) => {
            let stderr = error.stderr();
            let last = stderr.lines().last().unwrap_or_default().trim();
            Some(last.trim_start_matches("E: ").to_owned())
        }
    }
}

/// `unwanted`, and those of ours that apt installed for them and that nothing needs once they are gone.
fn with_what_came(unwanted: &BTreeSet<PackageName>, ours: &Ours) -> BTreeSet<PackageName> {
    let simulated = simulated("purge").arg("--auto-remove");
    let Ok(output) = naming(simulated, unwanted).run_ok() else {
        return unwanted.clone();
    };
    let moves = moves(&String::from_utf8_lossy(&output));
    let mut all = unwanted.clone();
    all.extend(moves.leaving.intersection(&ours.brought).cloned());
    // Something else that apt would clean up as well may need one of them until then: it stays, and so do they.
    match refusal(&all) {
        None => all,
        Some(_) => unwanted.clone(),
    }
}

/// Names of packages that dpkg does not remove without force.
fn essential() -> Result<BTreeSet<String>, PackageError> {
    let query = Program::new("dpkg-query").args([
        "--show",
        "--showformat=${Package}\t${Essential}\t${Protected}\n",
    ]);
    let listing = query
        .run_ok()
        .map_err(|source| PackageError::Query { source })?;
    let listing = String::from_utf8_lossy(&listing);
    let marked = |line: &str| {
        let (name, marks) = line.split_once('\t')?;
        marks.contains("yes").then(|| name.to_owned())
    };
    Ok(listing.lines().filter_map(marked).collect())
}

/// Those that are essential, and the rest.
fn split(
    packages: BTreeSet<PackageName>,
    essential: &BTreeSet<String>,
) -> (BTreeSet<PackageName>, BTreeSet<PackageName>) {
    packages
        .into_iter()
        .partition(|name| essential.contains(name.as_str()))
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
    fn what_others_need_and_what_is_essential_stays() {
        let host = Host::live().unwrap();
        let Some(installed) = host.installed_packages().unwrap() else {
            println!("SKIP: no dpkg on this machine");
            return;
        };
        let ours = Ours {
            unwanted: names(&["dpkg", "libc6", "no-such-package-at-all"]),
            brought: BTreeSet::new(),
        };
        let leaving = host.leaving_packages(&ours, &installed).unwrap();
        assert_eq!(leaving.remove, BTreeSet::new());
        let kept: BTreeSet<PackageName> = leaving.kept.keys().cloned().collect();
        assert_eq!(kept, names(&["dpkg", "libc6"]));
        assert_eq!(
            leaving.kept[&PackageName::new("dpkg").unwrap()],
            "the system cannot do without it"
        );
    }

    #[test]
    fn below_a_root_nothing_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let host = Host::below(dir.path()).unwrap();
        let gone = host.remove_packages(&names(&["dpkg"])).unwrap();
        assert_eq!(gone, names(&["dpkg"]));
        let ours = Ours {
            unwanted: names(&["dpkg"]),
            brought: BTreeSet::new(),
        };
        let leaving = host.leaving_packages(&ours, &InstalledPackages::default());
        assert_eq!(leaving.unwrap(), Leaving::default());
    }
}
