//! Units: what a change asks of each, by the table that NixOS users know.
//!
//! A removed or masked unit stops. A changed one stops before the files change and starts after (the default), or
//! restarts, reloads or is left running, as its definition says. A trigger restarts or reloads. Among several reasons
//! stop-and-start wins over restart, restart over reload; `Keep` wins over all of them and is reported.

mod emit;
mod mounts;
mod one;
mod reasons;

pub(crate) use one::OWN_UNIT;

use std::collections::{BTreeMap, BTreeSet};

use super::Step;
use super::decide::{Draft, Situation};
use crate::host::{HostPath, UnitId, UserName};
use one::Decision;

pub(super) fn decide(at: &Situation<'_>, draft: &mut Draft) {
    let mut decisions = BTreeMap::new();
    for name in names(at, draft) {
        let unit = reasons::gather(at, draft, &name);
        let decision = one::decide(at, &unit, draft);
        decisions.insert(name, decision);
    }
    emit::sockets(at, &mut decisions);
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
    names.retain(|name| !name.is_template());
    names
}

/// Enables and disables units of the distribution; ours are enabled by links.
fn enablement(at: &Situation<'_>, draft: &mut Draft) {
    for (name, entry) in &at.desired.units {
        let (Some(enable), Some(state)) = (entry.enable, at.observed.units.get(name)) else {
            continue;
        };
        let unchanged = at.unchanged(|m| m.units.get(name).and_then(|unit| unit.enable.as_ref()));
        let held = at.holds(entry.drift, unchanged);
        emit::enable(at, name, emit::Enablement::from(enable), state, held, draft);
    }
}

/// Whether PID 1 must read unit files again.
fn reload_needed(at: &Situation<'_>, draft: &Draft) -> bool {
    draft.touched.keys().any(is_read_by_systemd) || has_stale_unit(at, None)
}

/// Whether the systemd of an account must read unit files, or its environment, again.
fn account_reload_needed(at: &Situation<'_>, draft: &Draft, account: &UserName) -> bool {
    const BELOW: [&str; 2] = [".config/systemd/user/", ".config/environment.d/"];
    let generations = at.owned.generations.iter().copied();
    let homes = generations
        .chain([at.desired])
        .filter_map(|generation| generation.users.get(account))
        .map(|user| format!("{}/", user.home));
    let homes: BTreeSet<String> = homes.collect();
    let is_read = |path: &HostPath| {
        let mut below = homes
            .iter()
            .filter_map(|home| path.as_str().strip_prefix(home));
        below.any(|path| BELOW.iter().any(|read| path.starts_with(read)))
    };
    draft.touched.keys().any(is_read) || has_stale_unit(at, Some(account))
}

fn has_stale_unit(at: &Situation<'_>, account: Option<&UserName>) -> bool {
    let mut units = at.desired.units.keys();
    units.any(|unit| {
        let observed = at.observed.units.get(unit);
        unit.account.as_ref() == account && observed.is_some_and(|state| state.needs_reload)
    })
}

fn is_read_by_systemd(path: &HostPath) -> bool {
    const BELOW: [&str; 7] = [
        "/etc/systemd/system/",
        "/run/systemd/system/",
        "/usr/local/lib/systemd/system/",
        "/usr/lib/systemd/system/",
        "/etc/systemd/system-generators/",
        // Podman's generator makes units of what is there.
        "/etc/containers/systemd/",
        "/usr/share/containers/systemd/",
    ];
    // Read by generators, which run with every reload.
    const FILES: [&str; 2] = ["/etc/fstab", "/etc/crypttab"];
    BELOW.iter().any(|below| path.as_str().starts_with(below)) || FILES.contains(&path.as_str())
}
