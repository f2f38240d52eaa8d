//! What is known about one unit, gathered from all inputs.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::super::Resume;
use super::super::decide::{Draft, Situation, Touch};
use crate::generation::{OnChange, PathKind, UnitEntry};
use crate::host::{ActiveState, HostPath, UnitId, UnitState};

/// One unit, and every reason to do something about it.
pub(super) struct Unit<'a> {
    pub(super) name: &'a UnitId,
    /// As its systemd has it; `None` where none runs.
    pub(super) state: Option<Cow<'a, UnitState>>,
    pub(super) wanted: Option<&'a UnitEntry>,
    /// Its entry in the last applied generation that has one.
    pub(super) had: Option<&'a UnitEntry>,
    /// A link to nothing is to be in its place.
    pub(super) masked: bool,
    /// Its own unit file was ours and goes.
    pub(super) removed: bool,
    /// Which of its unit files changes.
    pub(super) changed: Option<HostPath>,
    pub(super) restart: Option<String>,
    pub(super) reload: Option<String>,
    /// An interrupted transaction may have left it half changed.
    pub(super) unfinished: Option<Resume>,
    /// No generation says anything else about it than the desired one.
    pub(super) unchanged: bool,
}

impl Unit<'_> {
    pub(super) fn is_up(&self) -> bool {
        self.state
            .as_ref()
            .and_then(|state| state.active)
            .is_some_and(crate::host::ActiveState::is_up)
    }

    pub(super) fn on_change(&self) -> OnChange {
        let entry = self.wanted.or(self.had);
        entry.map(|entry| entry.on_change).unwrap_or_default()
    }

    pub(super) fn has_reason(&self) -> bool {
        self.changed.is_some()
            || self.restart.is_some()
            || self.reload.is_some()
            || self.unfinished.is_some()
    }
}

pub(super) fn gather<'a>(at: &'a Situation<'_>, draft: &Draft, name: &'a UnitId) -> Unit<'a> {
    let wanted = at.desired.units.get(name);
    let entries = || {
        at.owned
            .generations
            .iter()
            .filter_map(|g| g.units.get(name))
    };
    let mut definition: BTreeSet<&HostPath> = BTreeSet::new();
    for entry in wanted.into_iter().chain(entries()) {
        definition.extend(&entry.definition);
    }
    let changed = definition
        .iter()
        .find(|path| draft.touched.get(**path) == Some(&Touch::Content));
    Unit {
        name,
        state: state(at, name),
        wanted,
        had: entries().next(),
        masked: is_masked(at, name),
        removed: wanted.is_none() && is_removed(at, name),
        changed: changed.map(|path| (*path).clone()),
        restart: draft.restart.get(name).cloned(),
        reload: draft.reload.get(name).cloned(),
        unfinished: at.owned.unfinished.get(name).copied(),
        unchanged: at.unchanged(|m| m.units.get(name)),
    }
}

/// The state of a unit. In a systemd that does not run yet, but will before anything is started in it, nothing runs.
fn state<'a>(at: &'a Situation<'_>, name: &UnitId) -> Option<Cow<'a, UnitState>> {
    let observed = at.observed.units.get(name)?;
    if observed.active.is_some() {
        return Some(Cow::Borrowed(observed));
    }
    let lingers = name
        .account
        .as_ref()
        .is_some_and(|name| at.desired.lingers(name));
    (lingers && at.observed.is_live()).then(|| {
        Cow::Owned(UnitState {
            active: Some(ActiveState::Inactive),
            ..observed.clone()
        })
    })
}

fn is_masked(at: &Situation<'_>, name: &UnitId) -> bool {
    let path = at.desired.unit_file(name);
    let entry = path.and_then(|path| at.desired.paths.get(&path));
    entry.is_some_and(
        |entry| matches!(&entry.kind, PathKind::Symlink { target } if target == "/dev/null"),
    )
}

/// Whether the unit was defined by a file of ours that the desired generation does not have.
fn is_removed(at: &Situation<'_>, name: &UnitId) -> bool {
    let mut made_from = at
        .owned
        .generations
        .iter()
        .filter_map(|generation| generation.units.get(name)?.made_from.as_ref())
        .peekable();
    if made_from.peek().is_some() && made_from.all(|path| !at.desired.paths.contains_key(path)) {
        return true;
    }
    let is_fragment = |path: &&HostPath| name.is_defined_by(path.file_name());
    let mut fragments = at
        .owned
        .generations
        .iter()
        .filter_map(|generation| generation.units.get(name))
        .flat_map(|entry| entry.definition.iter())
        .filter(is_fragment)
        .peekable();
    fragments.peek().is_some() && fragments.all(|path| !at.desired.paths.contains_key(path))
}
