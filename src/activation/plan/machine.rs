//! The running kernel and what programs find in it: host name, modules, parameters, locales.

use std::collections::BTreeSet;

use super::Step;
use super::decide::{Draft, Situation};
use crate::host::ModuleState;

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
    modules(at, draft);
    locales(at, draft);
    for (key, value) in &at.desired.sysctls {
        sysctl(at, key, value, draft);
    }
}

fn sysctl(at: &Situation<'_>, key: &str, value: &str, draft: &mut Draft) {
    let subject = format!("sysctl {key}");
    match at.observed.sysctls.get(key) {
        // It may come with a module.
        None if loads_modules(draft) => draft.steps.push(Step::SetSysctl {
            key: key.to_owned(),
            value: value.to_owned(),
            found: String::new(),
        }),
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

fn loads_modules(draft: &Draft) -> bool {
    let loads = |step: &Step| matches!(step, Step::LoadModule { .. });
    draft.steps.iter().any(loads)
}

/// Modules are loaded, and never unloaded: what uses one by now is not ours to know.
fn modules(at: &Situation<'_>, draft: &mut Draft) {
    for module in &at.desired.kernel_modules {
        let subject = format!("kernel module {module}");
        let unchanged = at.unchanged(|m| m.kernel_modules.get(module));
        match at.observed.modules.get(module) {
            None | Some(ModuleState::Loaded | ModuleState::BuiltIn) => {}
            Some(ModuleState::OutOfReach(why)) => {
                draft.notice(subject, format!("is not loaded, and stays so: {why}"));
            }
            Some(ModuleState::Missing) if at.holds(at.desired.drift, unchanged) => draft.notice(
                subject,
                "is not loaded; it is left so, because drift is only reported",
            ),
            Some(ModuleState::Missing) => draft.steps.push(Step::LoadModule {
                module: module.clone(),
            }),
        }
    }
    let generations = at.owned.generations.iter();
    let before: BTreeSet<_> = generations.flat_map(|g| &g.kernel_modules).collect();
    for module in before {
        let loaded = at.observed.modules.get(module) == Some(&ModuleState::Loaded);
        if loaded && !at.desired.kernel_modules.contains(module) {
            draft.notice(
                format!("kernel module {module}"),
                "is no longer asked for; it stays loaded until the next boot",
            );
        }
    }
}

fn locales(at: &Situation<'_>, draft: &mut Draft) {
    let Some(there) = &at.observed.locales else {
        return;
    };
    let missing: BTreeSet<_> = at.desired.locales.difference(there).cloned().collect();
    let (held, wanted): (BTreeSet<_>, BTreeSet<_>) = missing
        .into_iter()
        .partition(|locale| at.holds(at.desired.drift, at.unchanged(|m| m.locales.get(locale))));
    for locale in held {
        draft.notice(
            format!("locale {locale}"),
            "is not there any more; it is left so, because drift is only reported",
        );
    }
    if !wanted.is_empty() {
        draft.steps.push(Step::GenerateLocales { locales: wanted });
    }
}

/// The kernel prints lists with tabs where people write spaces.
fn same_value(found: &str, wanted: &str) -> bool {
    found.split_whitespace().eq(wanted.split_whitespace())
}
