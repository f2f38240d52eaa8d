//! Removing what we installed, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use super::apt::{apt_get, finish_interrupted, simulated};
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
    /// Those that we hold at their version. What somebody else holds stays.
    pub holds: BTreeSet<PackageName>,
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
        // Also what is there by halves: a package that could not be set up is not to stay because of that.
        let there = |name: &&PackageName| installed.is_there(name);
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
        let theirs = |name: &PackageName| {
            installed.held.contains(name.as_str()) && !ours.holds.contains(name)
        };
        for name in open.extract_if(.., theirs) {
            let why = "somebody holds it at its version".to_owned();
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
            let mut brought = ours.brought.clone();
            brought.retain(|name| !theirs(name));
            let all = with_what_came(|| simulated("purge"), &open, &brought);
            leaving.remove = match refusal(&all) {
                None => all,
                Some(_) => open,
            };
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
        let is_going = |name: &String| packages.iter().any(|going| going.as_str() == name);
        if self.dpkg_is_interrupted(&installed) {
            let finished = finish_interrupted();
            // What cannot be finished because it is broken itself can go all the same.
            if !installed.halves.iter().all(is_going) {
                finished?;
            }
        }
        let is_there = |name: &&PackageName| installed.is_there(name);
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
            .map_err(|source| PackageError::apt("remove", packages, source))?;
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

/// `unwanted`, and those of `brought` that nothing depends on once they are gone; `purge` begins a run of apt.
///
/// What apt would clean up besides is somebody else's: it stays, and so does what it needs.
fn with_what_came(
    purge: impl Fn() -> Program,
    unwanted: &BTreeSet<PackageName>,
    brought: &BTreeSet<PackageName>,
) -> BTreeSet<PackageName> {
    let cleaned_up =
        |spared: &BTreeSet<PackageName>| match cleaning(purge(), unwanted, spared).run_ok() {
            Ok(output) => moves(&String::from_utf8_lossy(&output)).leaving,
            Err(_) => BTreeSet::new(),
        };
    let is_ours = |name: &PackageName| unwanted.contains(name) || brought.contains(name);
    let mut leaving = cleaned_up(&BTreeSet::new());
    let others: BTreeSet<PackageName> = leaving
        .iter()
        .filter(|name| !is_ours(name))
        .cloned()
        .collect();
    if !others.is_empty() {
        leaving = cleaned_up(&others);
    }
    leaving.retain(is_ours);
    leaving.extend(unwanted.iter().cloned());
    leaving
}

/// A removal of `packages` with what nothing depends on any more, but for `spared` and what those need.
fn cleaning(
    purge: Program,
    packages: &BTreeSet<PackageName>,
    spared: &BTreeSet<PackageName>,
) -> Program {
    // What is only suggested or recommended came with us all the same, since nobody else asked for it: libc6 suggests
    // libc-l10n on every host.
    let mut purge = purge
        .arg("--auto-remove")
        .args(["-o", "APT::AutoRemove::SuggestsImportant=false"])
        .args(["-o", "APT::AutoRemove::RecommendsImportant=false"]);
    for name in spared {
        let name = name.as_str().replace('.', "\\.").replace('+', "\\+");
        purge = purge.args(["-o", &format!("APT::NeverAutoRemove::=^{name}$")]);
    }
    naming(purge, packages)
}

/// Names of packages that dpkg or apt does not remove without force.
fn essential() -> Result<BTreeSet<String>, PackageError> {
    let query = Program::new("dpkg-query").args([
        "--show",
        "--showformat=${Package}\t${Essential}\t${Protected}\t${Important}\n",
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
#[expect(clippy::disallowed_methods, reason = "a test's own temporary files")]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    fn names(list: &[&str]) -> BTreeSet<PackageName> {
        list.iter()
            .map(|name| PackageName::new(*name).unwrap())
            .collect()
    }

    /// An apt that knows a system of the packages in `status`, of which `auto` came by themselves.
    fn apt_with(dir: &Path, status: &str, auto: &[&str]) -> Program {
        fs::create_dir_all(dir.join("lists/partial")).unwrap();
        let full: String = status
            .lines()
            .map(|line| match line.strip_prefix("Package: ") {
                Some(name) => format!(
                    "\nPackage: {name}\nStatus: install ok installed\nVersion: 1\nArchitecture: all\nMaintainer: x\n"
                ),
                None => format!("{line}\n"),
            })
            .collect();
        fs::write(dir.join("status"), full).unwrap();
        let marks = auto
            .iter()
            .map(|name| format!("Package: {name}\nArchitecture: all\nAuto-Installed: 1\n\n"));
        fs::write(dir.join("extended_states"), marks.collect::<String>()).unwrap();
        let state = dir.to_str().unwrap();
        simulated("purge")
            .args(["-o", &format!("Dir::State={state}")])
            .args(["-o", &format!("Dir::State::status={state}/status")])
            .args(["-o", "APT::AutoRemove::SuggestsImportant=true"])
            .args([
                "-o",
                "Dir::Etc::SourceList=/dev/null",
                "-o",
                "Dir::Etc::SourceParts=/dev/null",
            ])
    }

    fn going(status: &str, auto: &[&str], brought: &[&str]) -> BTreeSet<PackageName> {
        let dir = tempfile::tempdir().unwrap();
        let purge = || apt_with(dir.path(), status, auto);
        with_what_came(purge, &names(&["locales"]), &names(brought))
    }

    #[test]
    fn what_came_goes_though_others_suggest_or_recommend_it_but_not_what_they_need() {
        if !Path::new("/usr/bin/apt-get").exists() {
            println!("SKIP: no apt on this machine");
            return;
        }
        let auto = &["libc-l10n", "libold", "theirs"];
        let brought = &["libc-l10n", "libold"];
        let all = "Package: locales\nDepends: libc-l10n, libold\nPackage: libc-l10n\nPackage: libold\n\
                   Package: libc6\nSuggests: libc-l10n\nPackage: bash\nRecommends: libold\n";
        assert_eq!(
            going(all, auto, brought),
            names(&["libc-l10n", "libold", "locales"])
        );
        // Nobody asked for `theirs`, which apt would clean up as well: it is not ours, and what it needs stays with it.
        let orphan = format!("{all}Package: theirs\nDepends: libold\n");
        assert_eq!(
            going(&orphan, auto, brought),
            names(&["libc-l10n", "locales"])
        );
        // What somebody asked for since, and what was there before us, stays.
        assert_eq!(
            going(all, &["libold"], brought),
            names(&["libold", "locales"])
        );
        assert_eq!(going(all, auto, &["libold"]), names(&["libold", "locales"]));
    }

    #[test]
    fn what_others_need_and_what_is_essential_stays() {
        let host = Host::live().unwrap();
        let Some(installed) = host.installed_packages().unwrap() else {
            println!("SKIP: no dpkg on this machine");
            return;
        };
        let ours = Ours {
            unwanted: names(&["dpkg", "e2fsprogs", "libc6", "no-such-package-at-all"]),
            ..Ours::default()
        };
        let leaving = host.leaving_packages(&ours, &installed).unwrap();
        assert_eq!(leaving.remove, BTreeSet::new());
        let mut kept = leaving.kept;
        let mut why = |name: &str| kept.remove(&PackageName::new(name).unwrap());
        let vital = "the system cannot do without it".to_owned();
        assert_eq!(why("dpkg"), Some(vital.clone()));
        // Only apt has a mark for it. Small machines are without.
        let has_it = installed.is_there(&PackageName::new("e2fsprogs").unwrap());
        assert_eq!(why("e2fsprogs"), has_it.then_some(vital));
        assert!(why("libc6").is_some());
        assert_eq!(kept, BTreeMap::new());
    }

    #[test]
    fn below_a_root_nothing_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let host = Host::below(dir.path()).unwrap();
        let gone = host.remove_packages(&names(&["dpkg"])).unwrap();
        assert_eq!(gone, names(&["dpkg"]));
        let ours = Ours {
            unwanted: names(&["dpkg"]),
            ..Ours::default()
        };
        let leaving = host.leaving_packages(&ours, &InstalledPackages::default());
        assert_eq!(leaving.unwrap(), Leaving::default());
    }
}
