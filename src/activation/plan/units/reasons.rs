//! What is known about one unit, gathered from all inputs.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::super::Resume;
use super::super::decide::{Draft, Situation, Touch};
use super::definition::{self, Difference};
use crate::generation::{Manifest, OnChange, PathKind, UnitEntry, UnitTrait};
use crate::host::{ActiveState, Digest, HostPath, UnitId, UnitState};

/// One unit, and every reason to do something about it.
pub(super) struct Unit<'a> {
    pub(super) name: &'a UnitId,
    /// As its systemd has it; `None` where none runs.
    pub(super) state: Option<Cow<'a, UnitState>>,
    pub(super) wanted: Option<&'a UnitEntry>,
    /// Its entry in the last applied generation that has one.
    pub(super) had: Option<&'a UnitEntry>,
    /// What says how it is moved: its entry, or for an instance that nobody declares, that of its template.
    defined: Option<&'a UnitEntry>,
    pub(super) fate: Fate,
    /// Files of ours are part of its definition, before or after.
    pub(super) ours: bool,
    /// The unit file in force is somebody else's.
    pub(super) theirs: bool,
    /// Which of its unit files changes, if that matters to what runs.
    pub(super) changed: Option<(HostPath, Difference)>,
    pub(super) restart: Option<String>,
    pub(super) reload: Option<String>,
    /// An interrupted transaction may have left it half changed.
    pub(super) unfinished: Option<Resume>,
    /// No generation says anything else about it than the desired one.
    pub(super) unchanged: bool,
}

/// Whether there is to be such a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Stays,
    /// It was defined by files of ours, and is not any more.
    Removed,
    /// A link to nothing is to be in its place.
    Masked,
}

impl Unit<'_> {
    pub(super) fn is_up(&self) -> bool {
        self.state
            .as_ref()
            .and_then(|state| state.active)
            .is_some_and(crate::host::ActiveState::is_up)
    }

    pub(super) fn on_change(&self) -> OnChange {
        self.defined
            .map(|entry| entry.on_change)
            .unwrap_or_default()
    }

    pub(super) fn is(&self, one: UnitTrait) -> bool {
        self.defined.is_some_and(|entry| entry.rules.has(one))
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
    let mut files: BTreeSet<&HostPath> = definition::files(at.desired, name);
    for generation in &at.owned.generations {
        files.extend(definition::files(generation, name));
    }
    for entry in wanted.into_iter().chain(entries()) {
        files.extend(&entry.definition);
    }
    let state = state(at, name);
    let fragment = state.as_ref().and_then(|state| state.fragment.as_ref());
    Unit {
        name,
        theirs: fragment.is_some_and(|path| !files.contains(path)),
        state,
        wanted,
        had: entries().next(),
        defined: defined_by(at, name),
        fate: if wanted.is_none() && is_removed(at, name) {
            Fate::Removed
        } else if masks(at.desired, name) {
            Fate::Masked
        } else {
            Fate::Stays
        },
        ours: !files.is_empty(),
        changed: changed(at, draft, name, &files),
        restart: draft.restart.get(name).cloned(),
        reload: draft.reload.get(name).cloned(),
        unfinished: at.owned.unfinished.get(name).copied(),
        unchanged: at.unchanged(|m| m.units.get(name)),
    }
}

/// The entry that says how a unit is moved: the desired one before those in force, its own before its template's.
pub(super) fn defined_by<'a>(at: &'a Situation<'_>, name: &UnitId) -> Option<&'a UnitEntry> {
    let generations = || {
        [at.desired]
            .into_iter()
            .chain(at.owned.generations.iter().copied())
    };
    let own = generations().find_map(|generation| generation.units.get(name));
    own.or_else(|| {
        let template = name.name.template()?;
        let is_like = |id: &UnitId| {
            let of_template = id.name == template || id.name.template().as_ref() == Some(&template);
            id.account == name.account && of_template
        };
        generations().find_map(|generation| {
            let mut units = generation.units.iter();
            let found = units.find(|(id, entry)| is_like(id) && !entry.definition.is_empty());
            found.map(|(_, entry)| entry)
        })
    })
}

/// The file that changes, and what all changes together ask for, if anything.
fn changed(
    at: &Situation<'_>,
    draft: &Draft,
    name: &UnitId,
    files: &BTreeSet<&HostPath>,
) -> Option<(HostPath, Difference)> {
    let is_touched = |path: &&&HostPath| draft.touched.get(**path) == Some(&Touch::Content);
    let path = files.iter().find(is_touched)?;
    match definition::difference(at, draft, name, files) {
        Difference::None => None,
        difference => Some(((*path).clone(), difference)),
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

/// Whether `generation` masks a unit: what is in the unit's place leads to nothing, by whatever links of ours, or is empty.
pub(in crate::activation) fn masks(generation: &Manifest, name: &UnitId) -> bool {
    let template = name.name.template();
    let template = template.map(|template| UnitId::of(name.account.as_ref(), template));
    let places = [Some(name), template.as_ref()].into_iter().flatten();
    let mut path = places
        .filter_map(|name| generation.unit_file(name))
        .find(|path| generation.paths.contains_key(path));
    for _ in 0..8 {
        let entry = path.as_ref().and_then(|path| generation.paths.get(path));
        let Some(entry) = entry else { return false };
        match &entry.kind {
            PathKind::Symlink { target } if target == "/dev/null" => return true,
            PathKind::Symlink { target } => path = beside(path.as_ref(), target),
            PathKind::File { content, .. } => return *content == Digest::of(b""),
            PathKind::Directory { .. } => return false,
        }
    }
    false
}

/// Where a link at `path` leads: to another name in its directory, or to a whole path.
fn beside(path: Option<&HostPath>, target: &str) -> Option<HostPath> {
    if target.starts_with('/') {
        return HostPath::new(target).ok();
    }
    let name = target.strip_prefix("./").unwrap_or(target);
    path?.parent()?.join(name).ok()
}

/// Whether the unit was defined by a file of ours that the desired generation does not have; an instance of a template
/// that stays, whether it was declared: such are removed one by one, and those that somebody else started run on.
fn is_removed(at: &Situation<'_>, name: &UnitId) -> bool {
    let generations = || at.owned.generations.iter();
    let mut made_from = generations()
        .filter_map(|generation| generation.units.get(name)?.made_from.as_ref())
        .peekable();
    if made_from.peek().is_some() && made_from.all(|path| !at.desired.paths.contains_key(path)) {
        return true;
    }
    let is_fragment = |path: &&HostPath| name.is_defined_by(path.file_name());
    let mut fragments = generations()
        .flat_map(|generation| {
            let declared = generation.units.get(name).into_iter();
            let files = declared.flat_map(|entry| entry.definition.iter());
            files.chain(definition::files(generation, name))
        })
        .filter(is_fragment)
        .peekable();
    if fragments.peek().is_none() {
        return false;
    }
    let stays = fragments.any(|path| at.desired.paths.contains_key(path));
    let was_declared = || generations().any(|generation| is_declared(generation, name));
    !stays || (name.name.template().is_some() && was_declared() && !is_declared(at.desired, name))
}

/// Whether a generation asks for this very instance: by running it, by extending it, or by a link that pulls it in.
fn is_declared(generation: &Manifest, name: &UnitId) -> bool {
    let is_started = |entry: &UnitEntry| entry.start == Some(true);
    let is_link = |path: &HostPath| {
        let pulls_in = path.parent().is_some_and(|parent| {
            let parent = parent.file_name();
            [".wants", ".requires", ".upholds"]
                .iter()
                .any(|suffix| parent.ends_with(suffix))
        });
        pulls_in && path.file_name() == name.name.as_str()
    };
    generation.units.get(name).is_some_and(is_started)
        || definition::has_own_drop_in(generation, name)
        || (generation.units.contains_key(name) && generation.paths.keys().any(is_link))
}
