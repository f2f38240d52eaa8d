//! From decisions about single units to steps, with what stops along with a unit.

use super::super::Step;
use super::super::decide::{Draft, Situation};
use super::one::{Decision, is_never_interrupted};
use super::{Decisions, is_unmasked};
use crate::host::{UnitFileState, UnitId, UnitState};

/// Brings back what systemd stops together with a unit that is stopped and started: what requires it, is bound to it or
/// is part of it. A start of the one is no start of the other.
pub(super) fn dependents(at: &Situation<'_>, decisions: &mut Decisions) {
    let stopped: Vec<UnitId> = decisions
        .iter()
        .filter(|(_, decision)| matches!(decision, Decision::StopStart(_)))
        .map(|(unit, _)| unit.clone())
        .collect();
    for unit in stopped {
        for dependent in at.observed.dependents.get(&unit).into_iter().flatten() {
            let is_settled = matches!(
                decisions.get(dependent),
                Some(Decision::Stop(_) | Decision::StopStart(_))
            );
            if !is_settled && !is_never_interrupted(dependent) {
                let why = format!("it stops with {unit}");
                decisions.insert(dependent.clone(), Decision::StopStart(why));
            }
        }
    }
}

pub(super) fn steps(decisions: &Decisions, draft: &mut Draft) {
    for (unit, decision) in decisions {
        let unit = unit.clone();
        match decision.clone() {
            Decision::Nothing => {}
            Decision::Stop(why) => draft.steps.push(Step::StopUnit { unit, why }),
            Decision::StopStart(why) => {
                draft.steps.push(Step::StopUnit {
                    unit: unit.clone(),
                    why: why.clone(),
                });
                draft.steps.push(Step::StartUnit { unit, why });
            }
            Decision::Restart(why) => draft.steps.push(Step::RestartUnit { unit, why }),
            Decision::Reload(why) => draft.steps.push(Step::ReloadUnit { unit, why }),
            Decision::Start(why) => draft.steps.push(Step::StartUnit { unit, why }),
            Decision::CatchUp(why) => draft.steps.push(Step::CatchUpUnit { unit, why }),
        }
    }
}

/// What an entry says about enablement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::activation) enum Enablement {
    Enabled,
    Disabled,
}

impl Enablement {
    /// The step that brings a unit there.
    pub(super) fn step(self, unit: UnitId) -> Step {
        match self {
            Self::Enabled => Step::EnableUnit { unit },
            Self::Disabled => Step::DisableUnit { unit },
        }
    }
}

impl From<bool> for Enablement {
    fn from(enable: bool) -> Self {
        if enable {
            Self::Enabled
        } else {
            Self::Disabled
        }
    }
}

/// Whether a difference is drift that is left alone.
type IsHeld = bool;

pub(super) fn enable(
    at: &Situation<'_>,
    unit: &UnitId,
    wanted: Enablement,
    state: &UnitState,
    held: IsHeld,
    draft: &mut Draft,
) {
    let unit = unit.clone();
    match (wanted, state.file) {
        (Enablement::Enabled, UnitFileState::Enabled)
        | (
            Enablement::Disabled,
            UnitFileState::Disabled
            | UnitFileState::Missing
            | UnitFileState::Static
            | UnitFileState::Masked,
        ) => {}
        // Its links are there, and the mask goes.
        (Enablement::Enabled, UnitFileState::EnabledButMasked) if is_unmasked(at, &unit) => {}
        (Enablement::Enabled, UnitFileState::Static) => {
            draft.notice(unit, "has no [Install] section, so enabling it says nothing");
        }
        (Enablement::Enabled, UnitFileState::Missing) if !at.observed.is_live() => {
            draft.notice(unit, "is not there, so it is not enabled");
        }
        _ if held => draft.notice(
            unit,
            "is not enabled or disabled as it should be; it is left so, because drift is only reported",
        ),
        _ => draft.steps.push(wanted.step(unit)),
    }
}
