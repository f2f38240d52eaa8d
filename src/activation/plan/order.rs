//! The one order that works.
//!
//! Units stop with their old definitions; apt's files come before packages, packages before accounts, because they make
//! some; accounts before everything that they own; secrets before the files and units that use them; systemd reads its files once, when all
//! are there; and nothing starts before everything it needs is in place.

use super::decide::Draft;
use super::{Plan, Step};
use crate::generation::PathKind;
use crate::host::{HostPath, UnitId, UnitKind};

pub(super) fn assemble(draft: Draft) -> Plan {
    let mut steps = draft.steps;
    steps.extend(draft.clear.into_values().rev());
    let writes = steps.len();
    steps.extend(draft.writes.into_values());
    steps.extend(draft.removals.into_values().rev());
    let mut ranked: Vec<(Rank, Step)> = steps
        .into_iter()
        .enumerate()
        .map(|(index, step)| {
            let place = if index < writes {
                Place::Clear
            } else {
                Place::Rest
            };
            (rank(&step, place), step)
        })
        .collect();
    // Stable: parents stay before what is in them, and what is in a directory goes before the directory.
    ranked.sort_by_key(|(rank, _)| *rank);
    Plan {
        steps: ranked.into_iter().map(|(_, step)| step).collect(),
        notices: draft.notices,
    }
}

/// Where a step comes in the order; those of one rank may come in any.
pub(in super::super) type Rank = (u8, u8);

/// The rank of a step that is one job of the machine's systemd: those of one rank may be queued together.
pub(in super::super) fn job_rank(step: &Step) -> Option<Rank> {
    let is_job = matches!(
        step,
        Step::StopUnit { .. }
            | Step::ReloadUnit { .. }
            | Step::RestartUnit { .. }
            | Step::CatchUpUnit { .. }
            | Step::StartUnit { .. }
    );
    let unit = step.unit().filter(|unit| is_job && unit.account.is_none());
    unit.map(|_| rank(step, Place::Rest))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Clear,
    Rest,
}

fn rank(step: &Step, place: Place) -> Rank {
    match step {
        Step::StopUnit { unit, .. } => (0, triggers_first(unit)),
        // Where packages come from is settled before any comes.
        Step::RemovePath { path, .. } if is_apts(path) && place == Place::Clear => (1, 0),
        Step::WritePath { path, entry, .. }
            if (is_apts(path) || leads_to_apts(path)) && is_roots(&entry.kind) =>
        {
            (1, 1)
        }
        Step::RestoreOriginal { path, .. } if is_apts(path) => (1, 1),
        Step::RemovePath { path, .. } if is_apts(path) => (1, 2),
        Step::UpdatePackageLists { .. } => (1, 3),
        Step::ReleasePackages { .. } => (1, 4),
        Step::InstallPackages { .. } => (1, 5),
        Step::HoldPackages { .. } => (1, 6),
        Step::CreateGroup { .. } => (2, 0),
        // Declared ranges of subordinate ids before those that are chosen.
        Step::CreateUser { entry, .. } | Step::ModifyUser { entry, .. } => {
            (3, u8::from(entry.subids.is_none()))
        }
        Step::LockUser { .. } => (3, 1),
        Step::InstallSecrets { .. } => (4, 0),
        Step::RemovePath { .. } if place == Place::Clear => (5, 0),
        Step::WritePath { .. } | Step::RestoreOriginal { .. } => (6, 0),
        Step::RemovePath { .. } => (7, 0),
        Step::LoadModule { .. } => (8, 0),
        Step::SetHostname { .. } | Step::SetSysctl { .. } => (8, 1),
        Step::GenerateLocales { .. } => (8, 2),
        Step::EnableUnit { .. } | Step::DisableUnit { .. } => (9, 0),
        // systemd reads the links of units that are enabled with all else; until then every unit counts as changed.
        Step::ReloadManager { .. } => (9, 1),
        Step::ReloadConnections { .. } => (9, 2),
        Step::SetLinger { .. } => (10, 1),
        Step::ReloadUnit { .. } => (11, 0),
        Step::RestartUnit { unit, .. } | Step::CatchUpUnit { unit, .. } => {
            (12, triggers_first(unit))
        }
        Step::StartUnit { unit, .. } => (13, triggers_first(unit)),
        // Not before our files in its directories are gone, and its services have read its own again: a firewall leaves
        // its rules in the kernel.
        Step::RemovePackages { .. } => (14, 0),
    }
}

fn is_apts(path: &HostPath) -> bool {
    path.as_str().starts_with("/etc/apt/")
}

/// Directories that an empty root lacks. They go when all else has gone, not with apt's files.
fn leads_to_apts(path: &HostPath) -> bool {
    matches!(path.as_str(), "/etc" | "/etc/apt")
}

/// Whether the owner is there before any account is made.
fn is_roots(kind: &PathKind) -> bool {
    match kind {
        PathKind::File { owner, group, .. } | PathKind::Directory { owner, group, .. } => {
            owner.as_str() == "root" && group.as_str() == "root"
        }
        PathKind::Symlink { .. } => true,
    }
}

/// What can start a service stops before it, and is there before it starts.
fn triggers_first(unit: &UnitId) -> u8 {
    match unit.kind() {
        UnitKind::Mount | UnitKind::Automount | UnitKind::Swap | UnitKind::Slice => 0,
        UnitKind::Socket | UnitKind::Timer | UnitKind::Path => 1,
        UnitKind::Target => 3,
        _ => 2,
    }
}
