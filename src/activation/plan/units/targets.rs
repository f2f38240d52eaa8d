//! Targets: starting one that is up already pulls in what it wants now.

use super::super::decide::{Draft, Situation};
use super::one::Decision;
use super::reasons::Unit;
use crate::generation::UnitTrait;

/// What systemd itself gets the machine to: what they pull in is started by itself or at the next boot.
const OF_THE_BOOT: [&str; 4] = [
    "sysinit.target",
    "basic.target",
    "multi-user.target",
    "graphical.target",
];

/// To start one of these is to put the machine to sleep, whatever it pulls in.
const OF_SLEEP: [&str; 4] = [
    "suspend.target",
    "hibernate.target",
    "hybrid-sleep.target",
    "suspend-then-hibernate.target",
];

/// What is done about a target of ours that is up.
pub(super) fn of_target(at: &Situation<'_>, unit: &Unit<'_>, draft: &Draft) -> Decision {
    let name = unit.name.name.as_str();
    let is_by_hand = unit.is(UnitTrait::OnlyManualStart) || unit.is(UnitTrait::RefusesStart);
    if !unit.ours || is_by_hand || OF_THE_BOOT.contains(&name) || OF_SLEEP.contains(&name) {
        return Decision::Nothing;
    }
    let units_change = super::files_of(at, draft, unit.name.account.as_ref()).next();
    if let Some(path) = units_change
        && unit.is(UnitTrait::StopsOnReconfiguration)
    {
        return Decision::StopStart(format!("{path} changes"));
    }
    if let Some((path, _)) = &unit.changed {
        return Decision::Start(format!("{path} changes"));
    }
    match new_want(at, unit, draft) {
        Some(wanted) => Decision::Start(format!("it pulls in {wanted}")),
        None => Decision::Nothing,
    }
}

/// A unit that a new link of ours makes the target pull in.
fn new_want(at: &Situation<'_>, unit: &Unit<'_>, draft: &Draft) -> Option<String> {
    let own = at.desired.unit_file(unit.name)?;
    let directories = ["wants", "requires", "upholds"].map(|pulls| format!("{own}.{pulls}/"));
    let is_link = |path: &str| directories.iter().any(|below| path.starts_with(below));
    let mut links = draft
        .touched
        .keys()
        .filter(|path| is_link(path.as_str()) && at.desired.paths.contains_key(path));
    links.next().map(|path| path.file_name().to_owned())
}
