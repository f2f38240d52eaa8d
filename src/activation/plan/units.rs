//! Units: what a change asks of each, by the table that NixOS users know.
//!
//! A removed or masked unit stops. A changed one stops before the files change and starts after (the default), or
//! restarts, reloads or is left running, as its definition says; one whose definition says the same in other words is
//! left alone. A trigger restarts or reloads. Among several reasons
//! stop-and-start wins over restart, restart over reload; `Keep` wins over all of them and is reported.

pub(super) mod definition;
mod emit;
mod mounts;
mod one;
mod reasons;
mod sockets;
mod targets;

pub(in crate::activation) use emit::Enablement;
pub(crate) use one::OWN_UNIT;
pub(in crate::activation) use reasons::masks;

use std::collections::{BTreeMap, BTreeSet};

use super::Step;
use super::decide::{Draft, Situation};
use crate::generation::Manifest;
use crate::host::{HostPath, UnitFileState, UnitId, UserName};
use one::Decision;

pub(super) fn decide(at: &Situation<'_>, draft: &mut Draft) {
    let mut decisions = BTreeMap::new();
    for name in names(at, draft) {
        let unit = reasons::gather(at, draft, &name);
        let decision = one::decide(at, &unit, draft);
        decisions.insert(name, decision);
    }
    sockets::join(at, &mut decisions, draft);
    emit::dependents(at, &mut decisions);
    emit::steps(&decisions, draft);
    enablement(at, draft);
    if at.observed.is_live() && reload_needed(at, draft) {
        draft.steps.push(Step::ReloadManager { account: None });
    }
    for account in &at.observed.awake {
        if account_reload_needed(at, draft, account) {
            let account = Some(account.clone());
            draft.steps.push(Step::ReloadManager { account });
        }
    }
}

type Decisions = BTreeMap<UnitId, Decision>;

/// Every unit that anything is to be decided about.
fn names(at: &Situation<'_>, draft: &Draft) -> BTreeSet<UnitId> {
    let mut names: BTreeSet<UnitId> = at.desired.units.keys().cloned().collect();
    for generation in &at.owned.generations {
        names.extend(generation.units.keys().cloned());
    }
    names.extend(draft.restart.keys().cloned());
    names.extend(draft.reload.keys().cloned());
    names.extend(at.owned.unfinished.keys().cloned());
    names.extend(running_instances(at));
    names.retain(|name| !name.is_template());
    names
}

/// Instances that run of templates that are or were ours, whoever started them.
fn running_instances<'a>(at: &'a Situation<'_>) -> impl Iterator<Item = UnitId> + use<'a> {
    let generations = at.owned.generations.iter().copied();
    let generations: Vec<_> = generations.chain([at.desired]).collect();
    let units = at.observed.units.keys();
    let of_ours = units.filter(move |unit| {
        let template = unit.name.template();
        let template = template.map(|name| UnitId::of(unit.account.as_ref(), name));
        let path = |generation: &Manifest| generation.unit_file(template.as_ref()?);
        let is_there = |generation: &&Manifest| {
            path(generation).is_some_and(|path| generation.paths.contains_key(&path))
        };
        generations.iter().any(is_there)
    });
    of_ours.cloned()
}

/// Enables and disables units of the distribution; ours are enabled by links.
fn enablement(at: &Situation<'_>, draft: &mut Draft) {
    for (name, entry) in &at.desired.units {
        let (Some(enable), Some(state)) = (entry.enable, at.observed.units.get(name)) else {
            continue;
        };
        let unchanged = at.unchanged(|m| m.units.get(name).and_then(|unit| unit.enable.as_ref()));
        let held = at.holds(entry.drift, unchanged);
        emit::enable(at, name, Enablement::from(enable), state, held, draft);
    }
    for name in at.owned.additions.was_enabled.keys() {
        if let Some(before) = given_back(at, name) {
            draft.steps.push(before.step(name.clone()));
        }
    }
}

/// What a unit of the distribution was before us, if it is not that now and nobody says any more whether it is enabled.
fn given_back(at: &Situation<'_>, unit: &UnitId) -> Option<Enablement> {
    let said = at.desired.units.get(unit).and_then(|entry| entry.enable);
    if said.is_some() {
        return None;
    }
    let before = Enablement::from(*at.owned.additions.was_enabled.get(unit)?);
    let is_due = match (before, at.observed.units.get(unit)?.file) {
        (Enablement::Disabled, UnitFileState::Enabled | UnitFileState::EnabledButMasked) => true,
        // What is masked cannot be enabled; what it was is remembered until the mask goes.
        (Enablement::Enabled, UnitFileState::Disabled) => !masks(at.desired, unit),
        (Enablement::Enabled, UnitFileState::Masked) => is_unmasked(at, unit),
        _ => false,
    };
    is_due.then_some(before)
}

/// Whether a mask of ours goes, so that the unit is what lies behind it once the files are written.
fn is_unmasked(at: &Situation<'_>, unit: &UnitId) -> bool {
    !masks(at.desired, unit) && at.owned.generations.iter().any(|g| masks(g, unit))
}

/// Whether PID 1 must read unit files again.
fn reload_needed(at: &Situation<'_>, draft: &Draft) -> bool {
    let links = draft.steps.iter().any(|step| match step {
        Step::EnableUnit { unit } | Step::DisableUnit { unit } => unit.account.is_none(),
        _ => false,
    });
    links || files_of(at, draft, None).next().is_some() || has_stale_unit(at, None)
}

/// Whether the systemd of an account must read unit files, or its environment, again.
fn account_reload_needed(at: &Situation<'_>, draft: &Draft, account: &UserName) -> bool {
    files_of(at, draft, Some(account)).next().is_some() || has_stale_unit(at, Some(account))
}

/// The paths that change and that the machine's systemd, or that of an account, reads.
fn files_of<'d>(
    at: &Situation<'_>,
    draft: &'d Draft,
    account: Option<&UserName>,
) -> impl Iterator<Item = &'d HostPath> {
    let below = account.map(|account| read_for(at, account));
    draft.touched.keys().filter(move |path| match &below {
        None => is_read_by_systemd(path),
        Some(below) => below.iter().any(|below| path.as_str().starts_with(below)),
    })
}

/// What the systemd of an account reads: below its homes in all generations, and what is for every account.
fn read_for(at: &Situation<'_>, account: &UserName) -> BTreeSet<String> {
    const IN_HOME: [&str; 3] = [
        ".config/systemd/user/",
        ".config/environment.d/",
        // Podman's generator makes units of what is there.
        ".config/containers/systemd/",
    ];
    const FOR_ALL: [&str; 5] = [
        "/etc/systemd/user/",
        "/etc/systemd/user-generators/",
        "/usr/local/lib/systemd/user/",
        "/etc/environment.d/",
        "/etc/containers/systemd/users/",
    ];
    let generations = at.owned.generations.iter().copied();
    let homes = generations
        .chain([at.desired])
        .filter_map(|generation| generation.users.get(account))
        .flat_map(|user| IN_HOME.map(|below| format!("{}/{below}", user.home)));
    homes.chain(FOR_ALL.map(str::to_owned)).collect()
}

fn has_stale_unit(at: &Situation<'_>, account: Option<&UserName>) -> bool {
    let mut units = at.desired.units.keys();
    units.any(|unit| {
        let observed = at.observed.units.get(unit);
        unit.account.as_ref() == account && observed.is_some_and(|state| state.needs_reload)
    })
}

fn is_read_by_systemd(path: &HostPath) -> bool {
    const BELOW: [&str; 9] = [
        "/etc/systemd/system/",
        "/etc/systemd/system.conf.d/",
        "/etc/systemd/system.control/",
        "/run/systemd/system/",
        "/usr/local/lib/systemd/system/",
        "/usr/lib/systemd/system/",
        "/etc/systemd/system-generators/",
        // Podman's generator makes units of what is there.
        "/etc/containers/systemd/",
        "/usr/share/containers/systemd/",
    ];
    // Read by generators, which run with every reload.
    const FILES: [&str; 3] = ["/etc/fstab", "/etc/crypttab", "/etc/systemd/system.conf"];
    BELOW.iter().any(|below| path.as_str().starts_with(below)) || FILES.contains(&path.as_str())
}
