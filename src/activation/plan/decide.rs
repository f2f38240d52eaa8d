//! The decision as a whole.

use std::collections::BTreeMap;
use std::fmt::Display;

use serde::{Deserialize, Serialize};

use super::compare::Ids;
use super::{Conflict, Conflicts, Notice, Observed, Plan, Step};
use super::{accounts, connections, forgive, machine, order, paths, secrets, software, units};
use crate::config::Enforcement;
use crate::generation::{Additions, Manifest, Originals};
use crate::host::{HostPath, UnitId};

/// What is ours on a machine: the other input of deciding.
#[derive(Debug, Clone)]
pub struct Owned<'a> {
    /// Generations whose content may be found: the last applied one first; during recovery, also the pending one.
    pub generations: Vec<&'a Manifest>,
    /// What was at paths before they became ours. `Absent` marks what did not exist, so that directories made on the
    /// way to a file go again with it.
    pub originals: &'a Originals,
    /// What we added that is no path.
    pub additions: &'a Additions,
    /// Units that an interrupted transaction had begun to change and that were up before it: brought up again. Those that
    /// a boot may have started from its files are among them.
    pub unfinished: BTreeMap<UnitId, Resume>,
}

/// How a unit is brought to what it is to run with, when it may run with something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resume {
    /// It was to be reloaded, and a boot may have started it from files that were not back yet.
    ReloadIfUp,
    /// It was to be stopped, restarted or started, and a boot may have started it from files that were not back yet.
    RestartIfUp,
    /// It was only reloaded.
    Reload,
    /// It was stopped or restarted.
    Restart,
}

/// Which drift an activation puts right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Held {
    /// None is held: somebody asked for the host to be put right.
    Nothing,
    /// Entries without the policy `enforce` that the generation did not change stay as they are.
    Reported,
}

/// Decides how the machine becomes what `desired` says.
///
/// Pure: the same inputs give the same plan, on the host, in CI and on a laptop.
///
/// # Errors
/// [`Conflicts`] if something on the host is in the way that is not ours and that no entry allows to take over.
pub fn plan(
    desired: &Manifest,
    owned: &Owned<'_>,
    observed: &Observed,
    held: Held,
) -> Result<Plan, Conflicts> {
    let draft = draft(desired, owned, observed, held);
    if draft.conflicts.is_empty() {
        Ok(order::assemble(draft))
    } else {
        Err(Conflicts(draft.conflicts))
    }
}

/// Decides like [`plan`], but keeps what can be done when something is in the way: what drift is told from.
pub(crate) fn draft(
    desired: &Manifest,
    owned: &Owned<'_>,
    observed: &Observed,
    held: Held,
) -> Draft {
    let forgiven = forgive::forgive(desired, &owned.generations, observed);
    let observed = forgiven.as_ref();
    let at = Situation {
        desired,
        owned,
        observed,
        held,
        ids: Ids(&observed.accounts),
    };
    let mut draft = Draft::default();
    software::packages(&at, &mut draft);
    accounts::decide(&at, &mut draft);
    paths::decide(&at, &mut draft);
    software::sources(&at, &mut draft);
    accounts::linger(&at, &mut draft);
    secrets::decide(&at, &mut draft);
    machine::kernel(&at, &mut draft);
    if at.observed.is_live() {
        connections::decide(&mut draft);
    }
    units::decide(&at, &mut draft);
    draft
}

/// The inputs, as every part of the decision sees them.
pub(super) struct Situation<'a> {
    pub(super) desired: &'a Manifest,
    pub(super) owned: &'a Owned<'a>,
    pub(super) observed: &'a Observed,
    pub(super) held: Held,
    pub(super) ids: Ids<'a>,
}

impl Situation<'_> {
    /// Whether every generation whose content may be found says the same as the desired one.
    pub(super) fn unchanged<T: PartialEq>(&self, pick: impl Fn(&Manifest) -> Option<&T>) -> bool {
        let wanted = pick(self.desired);
        !self.owned.generations.is_empty()
            && self.owned.generations.iter().all(|g| pick(g) == wanted)
    }

    /// Whether a difference is only drift that the policy leaves alone.
    pub(super) fn holds(&self, policy: Enforcement, unchanged: bool) -> bool {
        unchanged && self.held == Held::Reported && policy != Enforcement::Enforce
    }
}

/// How much of a path changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Touch {
    /// Only owner or mode.
    Metadata,
    /// Content, type or existence.
    Content,
}

/// A plan in the making: steps by the part of the order they belong to.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    /// What is in the way.
    pub(crate) conflicts: Vec<Conflict>,
    /// What is left alone.
    pub(crate) notices: Vec<Notice>,
    /// Steps whose place in the order follows from what they are.
    pub(super) steps: Vec<Step>,
    /// Removals that must come before the writes that need their place.
    pub(super) clear: BTreeMap<HostPath, Step>,
    /// Writes and restorations.
    pub(super) writes: BTreeMap<HostPath, Step>,
    /// Other removals.
    pub(super) removals: BTreeMap<HostPath, Step>,
    /// Every path that changes.
    pub(super) touched: BTreeMap<HostPath, Touch>,
    /// Units to restart because something they use changes, and what.
    pub(super) restart: BTreeMap<UnitId, String>,
    /// Units to reload because something they use changes, and what.
    pub(super) reload: BTreeMap<UnitId, String>,
}

impl Draft {
    pub(super) fn notice(&mut self, subject: impl Display, text: impl Into<String>) {
        self.notices.push(Notice {
            subject: subject.to_string(),
            text: text.into(),
        });
    }

    pub(super) fn conflict(
        &mut self,
        subject: impl Display,
        found: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.conflicts.push(Conflict {
            subject: subject.to_string(),
            found: found.into(),
            hint: hint.into(),
        });
    }

    /// The plan, conflicts left out.
    pub(crate) fn into_plan(self) -> Plan {
        order::assemble(self)
    }
}
