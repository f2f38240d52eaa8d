//! The decision about one unit.

use super::super::decide::{Draft, Situation};
use super::super::observed::waits_for;
use super::super::{Resume, Step};
use super::definition::Difference;
use super::reasons::{Fate, Unit};
use super::{Enablement, given_back, mounts, targets};
use crate::generation::{OnChange, UnitTrait};
use crate::host::{ActiveState, UnitFileState, UnitId, UnitKind};

/// What is done about a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Decision {
    Nothing,
    /// Stop, with the definition it was started with.
    Stop(String),
    /// Stop with the old definition, start with the new one.
    StopStart(String),
    Restart(String),
    Reload(String),
    Start(String),
    /// Restart, if it runs when everything else is done.
    CatchUp(String),
}

pub(super) fn decide(at: &Situation<'_>, unit: &Unit<'_>, draft: &mut Draft) -> Decision {
    if unit.state.is_none() {
        asleep(at, unit, draft);
        return Decision::Nothing;
    }
    if unit.wanted.is_none() && unit.had.is_some() && unit.fate != Fate::Removed {
        released(at, unit, draft);
    }
    let decision = if unit.fate == Fate::Removed {
        gone(unit, "it is removed", draft)
    } else if unit.fate == Fate::Masked {
        gone(unit, "it is masked", draft)
    } else if unit.wanted.and_then(|entry| entry.start) == Some(false) {
        stopped(at, unit, draft)
    } else if unit.is_up() {
        up(at, unit, draft)
    } else {
        down(at, unit, draft)
    };
    changed_by_others(unit, &decision, draft);
    spare(unit.name, decision, draft)
}

/// What is not there any more stops, if it lets itself be stopped.
fn gone(unit: &Unit<'_>, why: &str, draft: &mut Draft) -> Decision {
    if unit.is_up() && unit.is(UnitTrait::OutlivesRemoval) {
        draft.notice(
            unit.name,
            format!("runs on although {why}, because its definition says so"),
        );
        return Decision::Nothing;
    }
    if unit.is_up() && unit.is(UnitTrait::RefusesStop) {
        draft.notice(
            unit.name,
            format!("runs on although {why}, because it refuses to be stopped"),
        );
        return Decision::Nothing;
    }
    stop_if_up(unit, why)
}

/// Files that came with a package are its business, and so is the restart.
fn changed_by_others(unit: &Unit<'_>, decision: &Decision, draft: &mut Draft) {
    let is_stale = unit.state.as_ref().is_some_and(|state| state.needs_reload);
    let is_left = unit.is_up() && unit.changed.is_none() && *decision == Decision::Nothing;
    if is_stale && unit.theirs && is_left {
        draft.notice(
            unit.name,
            "was changed on disk by somebody else; systemd reads it again, and it runs with what it was started with",
        );
    }
}

/// What is written for a systemd that does not run is read when it starts.
fn asleep(at: &Situation<'_>, unit: &Unit<'_>, draft: &mut Draft) {
    let has_reason = unit.changed.is_some() || unit.restart.is_some() || unit.reload.is_some();
    if unit.name.account.is_some() && has_reason && at.observed.is_live() {
        draft.notice(
            unit.name,
            "is not moved, because no systemd of the account runs; its files act at the next login",
        );
    }
}

/// A unit of the distribution that is no longer named is enabled or not as it was before, and runs on if it runs.
fn released(at: &Situation<'_>, unit: &Unit<'_>, draft: &mut Draft) {
    let said = unit
        .had
        .is_some_and(|had| had.start.is_some() || had.enable.is_some());
    if !said {
        return;
    }
    let left = match given_back(at, unit.name) {
        Some(Enablement::Disabled) => "is disabled, as it was before, and runs on if it runs",
        Some(Enablement::Enabled) => "is enabled, as it was before, and is not started",
        None => "stays enabled and running as it is",
    };
    draft.notice(unit.name, format!("is no longer managed; it {left}"));
}

fn stop_if_up(unit: &Unit<'_>, why: &str) -> Decision {
    if unit.is_up() {
        Decision::Stop(why.to_owned())
    } else {
        Decision::Nothing
    }
}

fn stopped(at: &Situation<'_>, unit: &Unit<'_>, draft: &mut Draft) -> Decision {
    if unit.is_up() && is_held(at, unit) {
        draft.notice(
            unit.name,
            "is running and should not be; it is left so, because drift is only reported",
        );
        return Decision::Nothing;
    }
    stop_if_up(unit, "it is not to run")
}

fn is_held(at: &Situation<'_>, unit: &Unit<'_>) -> bool {
    let policy = unit.wanted.map_or(at.desired.drift, |entry| entry.drift);
    !unit.has_reason() && at.holds(policy, unit.unchanged)
}

/// A running unit acts if there is a reason to.
fn up(at: &Situation<'_>, unit: &Unit<'_>, draft: &mut Draft) -> Decision {
    if unit.name.kind() == UnitKind::Target && unit.unfinished.is_none() {
        return targets::of_target(at, unit, draft);
    }
    if !unit.has_reason() && !mounts::is_taken_over(at, unit) {
        return Decision::Nothing;
    }
    let decision = reasoned(at, unit, draft);
    let is_kept = unit.on_change() == OnChange::Keep && unit.unfinished.is_none();
    if is_kept && decision != Decision::Nothing {
        draft.notice(
            unit.name,
            "is not restarted, because its definition says so; it runs with what it was started with",
        );
        return Decision::Nothing;
    }
    decision
}

/// What the strongest reason asks for.
fn reasoned(at: &Situation<'_>, unit: &Unit<'_>, draft: &mut Draft) -> Decision {
    if let Some(decision) = mounts::of_mount(at, unit, draft) {
        return decision;
    }
    let by_definition = match &unit.changed {
        Some((path, difference)) => {
            definition_changed(unit, *difference, format!("{path} changes"))
        }
        None => Decision::Nothing,
    };
    let by_trigger = match (&unit.restart, &unit.reload) {
        (Some(why), _) => Decision::Restart(why.clone()),
        (None, Some(why)) => Decision::Reload(why.clone()),
        (None, None) => Decision::Nothing,
    };
    let half_changed = || "an interrupted activation may have left it half changed".to_owned();
    let too_early = || "the machine booted before its files were back".to_owned();
    let by_recovery = match unit.unfinished {
        Some(Resume::Restart) => Decision::Restart(half_changed()),
        Some(Resume::Reload) => Decision::Reload(half_changed()),
        Some(Resume::RestartIfUp) => Decision::Restart(too_early()),
        Some(Resume::ReloadIfUp) => Decision::Reload(too_early()),
        None => Decision::Nothing,
    };
    [by_definition, by_trigger, by_recovery]
        .into_iter()
        .min_by_key(precedence)
        .unwrap_or(Decision::Nothing)
}

fn precedence(decision: &Decision) -> u8 {
    match decision {
        Decision::Stop(_) => 0,
        Decision::StopStart(_) => 1,
        Decision::Restart(_) => 2,
        Decision::Reload(_) => 3,
        Decision::Start(_) | Decision::CatchUp(_) => 4,
        Decision::Nothing => 5,
    }
}

fn definition_changed(unit: &Unit<'_>, difference: Difference, why: String) -> Decision {
    match (unit.name.kind(), unit.on_change()) {
        // The reload of the manager applies their new definitions.
        (UnitKind::Path | UnitKind::Slice | UnitKind::Scope | UnitKind::Device, _) => {
            Decision::Nothing
        }
        // Stopped and started, one takes along what is activated by it.
        (UnitKind::Socket, _) if difference == Difference::Restart => Decision::Restart(why),
        _ if difference == Difference::Reload => Decision::Reload(why),
        // Nothing runs without what is mounted there.
        (UnitKind::Mount, _) if NEVER_UNMOUNTED.contains(&unit.name.name.as_str()) => {
            Decision::Reload(why)
        }
        (_, OnChange::Reload) => Decision::Reload(why),
        (UnitKind::Service, OnChange::StopStart) => Decision::StopStart(why),
        _ => Decision::Restart(why),
    }
}

/// Mounts that are only ever remounted.
const NEVER_UNMOUNTED: [&str; 3] = ["-.mount", "usr.mount", "nix.mount"];

/// Why a unit that is not there yet is not what it should be when its package has come: packages start their services, and
/// our files are written after them.
fn comes_with_a_package(unit: &Unit<'_>, draft: &Draft) -> Option<String> {
    let is_missing = unit
        .state
        .as_ref()
        .is_some_and(|state| state.file == UnitFileState::Missing);
    let is_ours = unit.wanted.is_some_and(|entry| {
        let mut files = entry.definition.iter();
        files.any(|path| !path.as_str().contains(".d/"))
    });
    let installs = |step: &Step| matches!(step, Step::InstallPackages { .. });
    if !is_missing || is_ours || unit.on_change() == OnChange::Keep {
        return None;
    }
    let changed = unit
        .changed
        .as_ref()
        .map(|(path, _)| format!("{path} changes"));
    let why = changed.or(unit.restart.clone()).or(unit.reload.clone())?;
    draft.steps.iter().any(installs).then_some(why)
}

/// A unit that is down starts if it is to run.
fn down(at: &Situation<'_>, unit: &Unit<'_>, draft: &mut Draft) -> Decision {
    let to_run = unit.wanted.and_then(|entry| entry.start) == Some(true);
    if let Some(why) = comes_with_a_package(unit, draft) {
        return if to_run {
            Decision::Restart(why)
        } else {
            Decision::CatchUp(why)
        };
    }
    let was_moved = matches!(unit.unfinished, Some(Resume::Reload | Resume::Restart));
    let resumed = was_moved && (unit.wanted.is_some() || unit.had.is_none());
    if !to_run && !resumed {
        return Decision::Nothing;
    }
    if unit.is(UnitTrait::RefusesStart) {
        draft.notice(
            unit.name,
            "is not running, and is not started: it refuses to be started by hand",
        );
        return Decision::Nothing;
    }
    if has_done_its_work(unit) && !unit.has_reason() {
        return Decision::Nothing;
    }
    let unmet = at.observed.unmet.get(unit.name);
    if let Some(unmet) = unmet.filter(|_| !unit.has_reason()) {
        draft.notice(unit.name, waits_for(unmet));
        return Decision::Nothing;
    }
    if is_held(at, unit) {
        draft.notice(
            unit.name,
            "is not running; it is left so, because drift is only reported",
        );
        return Decision::Nothing;
    }
    let failed = unit.state.as_ref().and_then(|state| state.active) == Some(ActiveState::Failed);
    let why = if failed {
        "it failed"
    } else if resumed {
        "an interrupted activation stopped it"
    } else {
        "it is to run"
    };
    Decision::Start(why.to_owned())
}

/// A oneshot that succeeded is inactive, and that is right. systemd forgets one that nothing refers to, and that it ran; what
/// was not new is taken to have run.
fn has_done_its_work(unit: &Unit<'_>) -> bool {
    unit.state.as_ref().is_some_and(|state| {
        let ran = !state.invocation.is_empty();
        state.oneshot
            && (ran || unit.unchanged)
            && state.active == Some(ActiveState::Inactive)
            && state.result == "success"
    })
}

/// The unit that this program runs in.
pub(crate) const OWN_UNIT: &str = "steadfast.service";

/// Stopping one of these takes the machine, every session or this program down with it.
const NEVER_INLINE: [&str; 6] = [
    OWN_UNIT,
    "dbus.service",
    "dbus.socket",
    "dbus-broker.service",
    "systemd-logind.service",
    "systemd-journald.service",
];

/// Whether an activation leaves the unit running whatever changes.
pub(super) fn is_never_interrupted(name: &UnitId) -> bool {
    name.account.is_none() && NEVER_INLINE.contains(&name.name.as_str())
}

fn spare(name: &UnitId, decision: Decision, draft: &mut Draft) -> Decision {
    let interrupts = !matches!(
        decision,
        Decision::Nothing | Decision::Start(_) | Decision::Reload(_)
    );
    if interrupts && is_never_interrupted(name) {
        draft.notice(
            name,
            if name.name.as_str() == OWN_UNIT {
                "is not stopped or restarted with the others; the agent starts anew last of all"
            } else {
                "is never stopped or restarted by an activation; restart it or the machine when it suits"
            },
        );
        return Decision::Nothing;
    }
    decision
}
