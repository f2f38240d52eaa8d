//! What is neither a path, an account, a secret nor a unit: packages, the host name, kernel parameters.

use std::collections::BTreeSet;

use super::Step;
use super::decide::{Draft, Situation};
use crate::host::PackageName;

pub(super) fn packages(at: &Situation<'_>, draft: &mut Draft) {
    for package in dropped(at) {
        draft.notice(
            format!("package {package}"),
            "is no longer asked for; packages are never removed, so it stays installed",
        );
    }
    let Some(installed) = &at.observed.packages else {
        if !at.desired.packages.is_empty() {
            draft.notice(
                "packages",
                format!(
                    "there is no package manager to ask, so {} are taken to be there",
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
    if !missing.is_empty() {
        draft
            .steps
            .push(Step::InstallPackages { packages: missing });
    }
}

fn counted(packages: usize) -> String {
    match packages {
        1 => "1 package".to_owned(),
        many => format!("{many} packages"),
    }
}

fn dropped(at: &Situation<'_>) -> BTreeSet<PackageName> {
    let mut dropped = BTreeSet::new();
    for generation in &at.owned.generations {
        dropped.extend(
            generation
                .packages
                .difference(&at.desired.packages)
                .cloned(),
        );
    }
    dropped
}

/// The running host name and kernel parameters; what they are after the next boot is in files.
pub(super) fn kernel(at: &Situation<'_>, draft: &mut Draft) {
    let Some(running) = &at.observed.hostname else {
        return;
    };
    if let Some(hostname) = &at.desired.hostname
        && hostname != running
    {
        if at.holds(at.desired.drift, at.unchanged(|m| m.hostname.as_ref())) {
            draft.notice(
                "hostname",
                format!("is {running}; it is left so, because drift is only reported"),
            );
        } else {
            draft.steps.push(Step::SetHostname {
                hostname: hostname.clone(),
                found: running.clone(),
            });
        }
    }
    for (key, value) in &at.desired.sysctls {
        sysctl(at, key, value, draft);
    }
}

fn sysctl(at: &Situation<'_>, key: &str, value: &str, draft: &mut Draft) {
    let subject = format!("sysctl {key}");
    match at.observed.sysctls.get(key) {
        None => draft.notice(subject, "the running kernel has no such parameter"),
        Some(found) if same_value(found, value) => {}
        Some(found) if at.holds(at.desired.drift, at.unchanged(|m| m.sysctls.get(key))) => draft
            .notice(
                subject,
                format!("is {found}; it is left so, because drift is only reported"),
            ),
        Some(found) => draft.steps.push(Step::SetSysctl {
            key: key.to_owned(),
            value: value.to_owned(),
            found: found.clone(),
        }),
    }
}

/// The kernel prints lists with tabs where people write spaces.
fn same_value(found: &str, wanted: &str) -> bool {
    found.split_whitespace().eq(wanted.split_whitespace())
}
