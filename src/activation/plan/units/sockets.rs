//! Services and their sockets: a service must not be stopped under a listening socket, which would start it again at
//! once with the old definition, nor a socket be started under a running service, which systemd refuses.

use super::super::decide::{Draft, Situation};
use super::Decisions;
use super::one::{Decision, is_never_interrupted};
use super::reasons::defined_by;
use crate::generation::{OnChange, UnitTrait};
use crate::host::{UnitId, UnitKind, UnitName};

pub(super) fn join(at: &Situation<'_>, decisions: &mut Decisions, draft: &mut Draft) {
    let of_kind = |decisions: &Decisions, kind| -> Vec<UnitId> {
        let units = decisions.keys().filter(|unit| unit.kind() == kind);
        units.cloned().collect()
    };
    for service in of_kind(decisions, UnitKind::Service) {
        below_sockets(at, decisions, &service);
    }
    for socket in of_kind(decisions, UnitKind::Socket) {
        above_service(at, decisions, &socket, draft);
    }
}

/// A service that stops and starts takes its sockets along, and is left to them afterwards.
fn below_sockets(at: &Situation<'_>, decisions: &mut Decisions, service: &UnitId) {
    let Some(Decision::StopStart(why)) = decisions.get(service).cloned() else {
        return;
    };
    let mut activated = false;
    for socket in sockets_of(at, service) {
        if !is_up(at, &socket) {
            continue;
        }
        // One that goes does not come back.
        if !matches!(decisions.get(&socket), Some(Decision::Stop(_))) {
            let why = format!("it starts {service}");
            decisions.insert(socket, Decision::StopStart(why));
            activated = true;
        }
    }
    if activated && !runs_by_itself(at, service) {
        decisions.insert(service.clone(), Decision::Stop(why));
    }
}

/// A socket that starts anew does so while its service does not run.
fn above_service(
    at: &Situation<'_>,
    decisions: &mut Decisions,
    socket: &UnitId,
    draft: &mut Draft,
) {
    let (why, is_new) = match decisions.get(socket) {
        Some(Decision::Restart(why)) => (why.clone(), false),
        Some(Decision::Start(why)) => (why.clone(), true),
        _ => return,
    };
    let Some(service) = service_of(at, socket).filter(|service| is_up(at, service)) else {
        return;
    };
    if matches!(
        decisions.get(&service),
        Some(Decision::Stop(_) | Decision::StopStart(_))
    ) {
        return;
    }
    let entry = defined_by(at, &service);
    let is_kept = entry.is_some_and(|entry| entry.on_change == OnChange::Keep);
    if is_kept || is_never_interrupted(&service) {
        draft.notice(
            socket,
            format!("is not started anew: {service} holds it, and is not to be restarted"),
        );
        decisions.insert(socket.clone(), Decision::Nothing);
        return;
    }
    if !is_new {
        decisions.insert(socket.clone(), Decision::StopStart(why));
    }
    // One that becomes socket-activated is left to its socket.
    let why = format!("{socket} starts anew");
    let decision = if is_new && !runs_by_itself(at, &service) {
        Decision::Stop(why)
    } else {
        Decision::StopStart(why)
    };
    decisions.insert(service, decision);
}

/// The sockets that start a service: those it names, or the one that is named like it. Those of connections
/// (`door@1.service`) have theirs without the `@`.
fn sockets_of(at: &Situation<'_>, service: &UnitId) -> Vec<UnitId> {
    let named = defined_by(at, service).map(|entry| &entry.rules.sockets);
    let of = |name: UnitName| UnitId::of(service.account.as_ref(), name);
    if let Some(named) = named.filter(|named| !named.is_empty()) {
        return named.iter().cloned().map(of).collect();
    }
    let stem = service.name.as_str().strip_suffix(".service");
    let stem = stem.map(|stem| stem.split_once('@').map_or(stem, |(stem, _)| stem));
    let alike = stem.and_then(|stem| UnitName::new(format!("{stem}.socket")).ok());
    let own = service.beside("socket");
    own.into_iter().chain(alike.map(of)).collect()
}

/// The service that a socket starts. One of connections starts another for each, which no restart is in the way of.
fn service_of(at: &Situation<'_>, socket: &UnitId) -> Option<UnitId> {
    let named = defined_by(at, socket).and_then(|entry| entry.rules.service.clone());
    match named {
        Some(name) => Some(UnitId::of(socket.account.as_ref(), name)),
        None => socket.beside("service"),
    }
}

/// Whether the service is to run by itself, not only when somebody connects.
fn runs_by_itself(at: &Situation<'_>, service: &UnitId) -> bool {
    let wanted = at.desired.units.get(service);
    let is_started = wanted.and_then(|entry| entry.start) == Some(true);
    let entry = defined_by(at, service);
    is_started || entry.is_some_and(|entry| entry.rules.has(UnitTrait::NotSocketActivated))
}

fn is_up(at: &Situation<'_>, name: &UnitId) -> bool {
    let state = at.observed.units.get(name).and_then(|unit| unit.active);
    state.is_some_and(crate::host::ActiveState::is_up)
}
