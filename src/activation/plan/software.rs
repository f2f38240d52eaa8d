//! Packages: installed, held, and removed again if they came with us; and the lists of where they come from.

use std::collections::BTreeSet;

use super::Step;
use super::decide::{Draft, Situation, Touch};
use crate::host::{HostPath, PackageName};

pub(super) fn packages(at: &Situation<'_>, draft: &mut Draft) {
    dropped(at, draft);
    let Some(installed) = &at.observed.packages else {
        if !at.desired.packages.is_empty() {
            draft.notice(
                "packages",
                format!(
                    "there is no package manager to ask; taken to be there: {}",
                    counted(at.desired.packages.len())
                ),
            );
        }
        return;
    };
    let mut missing: BTreeSet<PackageName> = BTreeSet::new();
    for package in at.desired.packages.difference(installed) {
        let unchanged = at.unchanged(|m| m.packages.get(package));
        if at.holds(at.desired.drift, unchanged) {
            draft.notice(
                format!("package {package}"),
                "was removed by somebody; it is left so, because drift is only reported",
            );
        } else {
            missing.insert(package.clone());
        }
    }
    holds(at, installed, &missing, draft);
    let software = &at.observed.software;
    let removes = !software.leaving.remove.is_empty();
    if software.interrupted && (removes || !missing.is_empty()) {
        draft.notice(
            "packages",
            "dpkg was interrupted; what it left is finished first",
        );
    }
    if removes {
        draft.steps.push(Step::RemovePackages {
            packages: software.leaving.remove.clone(),
        });
    }
    if !missing.is_empty() {
        if let Some(why) = &software.unsure {
            draft.notice(
                "packages",
                format!("apt cannot say yet what will come: {why}"),
            );
        }
        draft.steps.push(Step::InstallPackages {
            packages: missing,
            arriving: software.arriving.clone(),
        });
    }
}

fn counted(packages: usize) -> String {
    match packages {
        1 => "1 package".to_owned(),
        many => format!("{many} packages"),
    }
}

/// What is no longer asked for and stays.
fn dropped(at: &Situation<'_>, draft: &mut Draft) {
    let leaving = &at.observed.software.leaving;
    for (package, why) in &leaving.kept {
        draft.notice(
            format!("package {package}"),
            format!("is no longer asked for; it stays: {why}"),
        );
    }
    let generations = at.owned.generations.iter();
    let before: BTreeSet<&PackageName> = generations.flat_map(|g| &g.packages).collect();
    let installed = at.observed.packages.as_ref();
    for package in before {
        let is_there = installed.is_none_or(|installed| installed.contains(package));
        let is_ours = at.owned.additions.packages.contains(package);
        if is_there && !is_ours && !at.desired.packages.contains(package) {
            draft.notice(
                format!("package {package}"),
                "is no longer asked for; it stays, because it was not steadfast that installed it",
            );
        }
    }
}

fn holds(
    at: &Situation<'_>,
    installed: &BTreeSet<PackageName>,
    missing: &BTreeSet<PackageName>,
    draft: &mut Draft,
) {
    let found = &at.observed.software.held;
    let mut hold = BTreeSet::new();
    for package in at.desired.holds.difference(found) {
        if !installed.contains(package) && !missing.contains(package) {
            continue;
        }
        let unchanged = at.unchanged(|m| m.holds.get(package)) && !missing.contains(package);
        if at.holds(at.desired.drift, unchanged) {
            draft.notice(
                format!("package {package}"),
                "is no longer held; it is left so, because drift is only reported",
            );
        } else {
            hold.insert(package.clone());
        }
    }
    if !hold.is_empty() {
        draft.steps.push(Step::HoldPackages { packages: hold });
    }
    let ours = at.owned.additions.holds.difference(&at.desired.holds);
    let release: BTreeSet<PackageName> =
        ours.filter(|name| found.contains(*name)).cloned().collect();
    if !release.is_empty() {
        draft
            .steps
            .push(Step::ReleasePackages { packages: release });
    }
}

/// The lists of package sources that change. Comes after the decision about paths.
pub(super) fn sources(at: &Situation<'_>, draft: &mut Draft) {
    if !at.observed.is_live() {
        return;
    }
    let mut sources = BTreeSet::new();
    let mut all = false;
    for path in draft.writes.keys() {
        if draft.touched.get(path) != Some(&Touch::Content) {
            continue;
        }
        if is_source(path) {
            sources.insert(path.clone());
        } else if let Some(name) = keyring(path) {
            // A new key counts for what it signs.
            let named = format!("/etc/apt/sources.list.d/{name}.sources");
            match HostPath::new(named)
                .ok()
                .filter(|path| at.desired.paths.contains_key(path))
            {
                Some(source) => {
                    sources.insert(source);
                }
                None => all = true,
            }
        }
    }
    if all {
        sources.clear();
    }
    if all || !sources.is_empty() {
        draft.steps.push(Step::UpdatePackageLists { sources });
    }
}

fn is_source(path: &HostPath) -> bool {
    let text = path.as_str();
    let in_parts = text.strip_prefix("/etc/apt/sources.list.d/");
    let of_parts = |name: &str| {
        !name.contains('/')
            && [".list", ".sources"]
                .iter()
                .any(|suffix| name.ends_with(suffix))
    };
    text == "/etc/apt/sources.list" || in_parts.is_some_and(of_parts)
}

/// The name of a keyring without its suffix.
fn keyring(path: &HostPath) -> Option<&str> {
    let name = path.as_str().strip_prefix("/etc/apt/keyrings/")?;
    let (stem, _) = name.rsplit_once('.').unwrap_or((name, ""));
    (!name.contains('/')).then_some(stem)
}
