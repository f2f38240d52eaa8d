//! What is known about one unit, gathered from all inputs.

use std::collections::BTreeSet;

use super::super::Resume;
use super::super::decide::{Draft, Situation, Touch};
use crate::generation::{OnChange, PathKind, UnitEntry};
use crate::host::{HostPath, UnitName, UnitState};

/// One unit, and every reason to do something about it.
pub(super) struct Unit<'a> {
    pub(super) name: &'a UnitName,
    /// As PID 1 has it; `None` where no systemd runs.
    pub(super) state: Option<&'a UnitState>,
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

pub(super) fn gather<'a>(at: &'a Situation<'_>, draft: &Draft, name: &'a UnitName) -> Unit<'a> {
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
        state: at
            .observed
            .units
            .get(name)
            .filter(|state| state.active.is_some()),
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

fn is_masked(at: &Situation<'_>, name: &UnitName) -> bool {
    let Ok(path) = HostPath::new(format!("/etc/systemd/system/{name}")) else {
        return false;
    };
    let entry = at.desired.paths.get(&path);
    entry.is_some_and(
        |entry| matches!(&entry.kind, PathKind::Symlink { target } if target == "/dev/null"),
    )
}

/// Whether the unit was defined by a file of ours that the desired generation does not have.
fn is_removed(at: &Situation<'_>, name: &UnitName) -> bool {
    let mut made_from = at
        .owned
        .generations
        .iter()
        .filter_map(|generation| generation.units.get(name)?.made_from.as_ref())
        .peekable();
    if made_from.peek().is_some() && made_from.all(|path| !at.desired.paths.contains_key(path)) {
        return true;
    }
    let template = name.template();
    let is_fragment = |path: &&HostPath| {
        let file = path.file_name();
        file == name.as_str() || template.as_ref().is_some_and(|t| file == t.as_str())
    };
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
