//! Units of the distribution behind masks of ours.

use super::world::*;
use crate::activation::{Held, Plan};
use crate::generation::{Manifest, UnitEntry};
use crate::host::{ActiveState, UnitFileState, UnitId};

const MASK: &str = "/etc/systemd/system/vendor.service";

fn with_vendor(definition: &[&str], enable: Option<bool>) -> Manifest {
    let mut desired = manifest();
    let vendor = UnitEntry {
        enable,
        start: None,
        ..unit(definition)
    };
    desired.units.insert(vendor_service(), vendor);
    desired
}

fn masked() -> Manifest {
    let mut desired = with_vendor(&[MASK], None);
    let mask = entry(link_kind("/dev/null"));
    desired.paths.insert(path(MASK), mask);
    desired
}

fn vendor_service() -> UnitId {
    unit_name("vendor.service")
}

/// A world with the unit, in force what `desired` says.
fn world(desired: &Manifest, file: UnitFileState) -> World {
    let mut world = World::fresh();
    world.run("vendor.service", ActiveState::Inactive);
    world.go(desired);
    is_now(&mut world, file);
    world
}

fn is_now(world: &mut World, file: UnitFileState) {
    let units = &mut world.observed.units;
    units.get_mut(&vendor_service()).unwrap().file = file;
}

/// What `plan` does about the unit's links.
fn moves(plan: &Plan) -> Vec<String> {
    let lines = plan.lines().into_iter();
    lines.filter(|line| line.contains("able vendor")).collect()
}

#[test]
fn what_lies_behind_a_mask_is_put_right_in_the_pass_that_takes_the_mask_away() {
    use UnitFileState::{EnabledButMasked, Masked};
    let (disable, enable) = ("disable vendor.service", "enable vendor.service");
    let cases: [(_, _, &[&str]); 4] = [
        (EnabledButMasked, false, &[disable]),
        (Masked, true, &[enable]),
        (Masked, false, &[]),
        (EnabledButMasked, true, &[]),
    ];
    for (behind, wanted, expected) in cases {
        let world = world(&masked(), behind);
        let desired = with_vendor(&[], Some(wanted));
        let plan = world.plan(&desired, Held::Nothing).unwrap();
        assert_eq!(
            moves(&plan),
            expected,
            "{behind:?}, wanted enabled: {wanted}"
        );
    }
}

#[test]
fn a_unit_that_was_enabled_before_us_is_enabled_again_when_its_mask_goes_and_not_behind_it() {
    let mut world = world(&manifest(), UnitFileState::Enabled);
    let plan = world.go(&with_vendor(&[], Some(false)));
    assert_eq!(moves(&plan), ["disable vendor.service"]);
    let plan = world.go(&masked());
    assert_eq!(moves(&plan), [""; 0]);
    is_now(&mut world, UnitFileState::Masked);
    let plan = world.go(&manifest());
    assert_eq!(moves(&plan), ["enable vendor.service"]);
    assert!(world.additions.was_enabled.is_empty());
}

#[test]
fn a_unit_that_we_enabled_is_disabled_when_it_is_masked_and_behind_a_mask_that_was_quicker() {
    let mut world = world(&manifest(), UnitFileState::Disabled);
    world.go(&with_vendor(&[], Some(true)));
    let plan = world.plan(&masked(), Held::Nothing).unwrap();
    assert_eq!(moves(&plan), ["disable vendor.service"]);
    is_now(&mut world, UnitFileState::EnabledButMasked);
    let plan = world.plan(&masked(), Held::Nothing).unwrap();
    assert_eq!(moves(&plan), ["disable vendor.service"]);
}
