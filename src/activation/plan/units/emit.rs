//! From decisions about single units to steps, with the sockets that belong to services.

use super::super::Step;
use super::super::decide::{Draft, Situation};
use super::Decisions;
use super::one::Decision;
use crate::host::{UnitFileState, UnitId, UnitKind, UnitState};

/// Joins services and their sockets: a service must not be stopped under a listening socket, which would start it
/// again at once with the old definition, nor a socket be restarted under its service, which holds the old one.
pub(super) fn sockets(at: &Situation<'_>, decisions: &mut Decisions) {
    let sockets: Vec<UnitId> = at
        .observed
        .units
        .keys()
        .filter(|name| name.kind() == UnitKind::Socket && is_up(at, name))
        .cloned()
        .collect();
    for socket in sockets {
        let Some(service) = socket.beside("service") else {
            continue;
        };
        join(at, decisions, &socket, &service);
    }
}

fn join(at: &Situation<'_>, decisions: &mut Decisions, socket: &UnitId, service: &UnitId) {
    let of_socket = decision(decisions, socket);
    let of_service = decision(decisions, service);
    let service_up = is_up(at, service);
    match (of_socket, of_service) {
        (Decision::Nothing | Decision::Restart(_), Decision::StopStart(why)) => {
            let socket_why = format!("it starts {service}");
            decisions.insert(socket.clone(), Decision::StopStart(socket_why));
            if !must_run(at, service) {
                decisions.insert(service.clone(), Decision::Stop(why));
            }
        }
        (
            Decision::Restart(why),
            Decision::Nothing | Decision::Restart(_) | Decision::Reload(_),
        ) if service_up => {
            decisions.insert(socket.clone(), Decision::StopStart(why));
            let service_why = format!("{socket} changes");
            let decision = if must_run(at, service) {
                Decision::StopStart(service_why)
            } else {
                Decision::Stop(service_why)
            };
            decisions.insert(service.clone(), decision);
        }
        _ => {}
    }
}

/// Whether the service is to run by itself, not only when somebody connects.
fn must_run(at: &Situation<'_>, service: &UnitId) -> bool {
    let entry = at.desired.units.get(service);
    entry.and_then(|entry| entry.start) == Some(true)
}

fn decision(decisions: &Decisions, name: &UnitId) -> Decision {
    decisions.get(name).cloned().unwrap_or(Decision::Nothing)
}

fn is_up(at: &Situation<'_>, name: &UnitId) -> bool {
    let state = at.observed.units.get(name).and_then(|unit| unit.active);
    state.is_some_and(crate::host::ActiveState::is_up)
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
        }
    }
}

/// What an entry says about enablement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Enablement {
    Enabled,
    Disabled,
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
        (Enablement::Enabled, _) => draft.steps.push(Step::EnableUnit { unit }),
        (Enablement::Disabled, _) => draft.steps.push(Step::DisableUnit { unit }),
    }
}
