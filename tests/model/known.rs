//! Lives that once went wrong, and were drawn only in long runs.

use std::collections::BTreeMap;

use crate::case::{Edit, Event, Rescue, SecretEdit};
use crate::machine::{Keys, Kill, Machine};
use crate::play::THEIR_LINK;
use crate::tree::Node;
use crate::wanted::{Conflict, Drift, Entry, Host, Kind, Secret, Unit};
use crate::{lived, missing, told};

fn with_vendor(unit: Unit) -> Host {
    Host {
        units: BTreeMap::from([("vendor.service", unit)]),
        ..Host::default()
    }
}

fn enabled() -> Host {
    with_vendor(Unit::Theirs(Some(true), None))
}

fn disabled() -> Host {
    with_vendor(Unit::Theirs(Some(false), None))
}

fn masked() -> Host {
    with_vendor(Unit::Masked)
}

fn with(path: &'static str, kind: Kind) -> Host {
    let entry = Entry {
        kind,
        conflict: Conflict::Refuse,
        drift: Drift::Report,
    };
    Host {
        entries: BTreeMap::from([(path, entry)]),
        ..Host::default()
    }
}

fn goes_well(life: &[Event]) {
    if missing().is_some() {
        return;
    }
    let (_, result) = lived(&Keys::new(), life);
    if let Err(wrong) = result {
        panic!("{wrong}\n\n{}", told(life));
    }
}

/// Both ways out of a mask, killed about each record of the journal from the first change to the last.
#[test]
fn whatever_kills_a_pass_that_takes_a_mask_away_nothing_is_left_behind_the_mask() {
    for next in [enabled(), disabled()] {
        for (nth, rescue) in [
            (4, Rescue::Agent),
            (5, Rescue::BootUnit),
            (6, Rescue::Agent),
            (6, Rescue::BootUnit),
            (7, Rescue::BootUnit),
        ] {
            let cut_off = Event::Killed {
                host: next.clone(),
                kill: Kill {
                    call: "fdatasync",
                    nth,
                },
                rescue,
            };
            goes_well(&[Event::Push(enabled()), Event::Push(masked()), cut_off]);
        }
    }
}

#[test]
fn a_unit_that_the_installation_enabled_is_enabled_again_when_its_mask_goes() {
    if missing().is_some() {
        return;
    }
    let keys = Keys::new();
    let machine = Machine::new(&keys);
    let theirs = Node::link("/usr/lib/systemd/system/vendor.service");
    crate::tree::put(&machine.root(), THEIR_LINK, &theirs);
    let before = machine.tree();
    let is_enabled = || machine.tree().contains_key(THEIR_LINK);
    for (host, expected) in [
        (disabled(), false),
        (masked(), false),
        (disabled(), false),
        (Host::default(), true),
        // What was there before us stays behind the mask.
        (masked(), true),
        (disabled(), false),
        (masked(), false),
        (Host::default(), true),
    ] {
        machine.commit(&host);
        let run = machine.run(&["reconcile", "retry"]);
        assert_eq!(run.code, Some(0), "{host:?}: {run:?}");
        assert_eq!(is_enabled(), expected, "{host:?}");
        assert_eq!(machine.drift().unwrap(), [], "{host:?}");
    }
    assert_eq!(machine.tree(), before);
}

#[test]
fn a_directory_that_a_killed_way_back_made_again_has_the_mode_that_it_had() {
    for nth in 1..=6 {
        let kill = Kill {
            call: "fdatasync",
            nth: 5,
        };
        let rescue = Rescue::KilledBootUnit(Kill {
            call: "fchmod",
            nth,
        });
        let host = Host::default();
        goes_well(&[
            Event::Push(with("/etc/app/a.conf", Kind::File(0, 0o644, false))),
            Event::Killed { host, kill, rescue },
        ]);
    }
}

#[test]
fn a_way_back_that_is_killed_as_it_puts_drift_right_leaves_no_unfinished_file() {
    let sick = Host {
        sick: true,
        ..Host::default()
    };
    for nth in 1..=4 {
        let kill = Kill {
            call: "renameat2",
            nth,
        };
        goes_well(&[
            Event::Found(with("/etc/app/sub", Kind::Link(1))),
            Event::Edited(vec![Edit::Delete("/etc/app/sub")]),
            Event::Killed {
                host: sick.clone(),
                kill,
                rescue: Rescue::Agent,
            },
        ]);
    }
}

#[test]
fn a_secret_that_somebody_deleted_comes_back_with_a_scan_that_only_reports() {
    let secret = Secret {
        version: 0,
        mode: 0o400,
        daemons: false,
        rendered: true,
    };
    let host = Host {
        secrets: BTreeMap::from([("db", secret)]),
        ..Host::default()
    };
    goes_well(&[
        Event::Push(host),
        Event::Edited(vec![Edit::Secret("db", SecretEdit::Delete)]),
        Event::Scanned,
        Event::Edited(vec![Edit::Secret("db", SecretEdit::Stray)]),
        Event::Scanned,
    ]);
}

#[test]
fn a_directory_that_somebody_put_in_the_place_of_a_link_outlives_what_we_put_into_it() {
    goes_well(&[
        Event::Found(with("/srv/x", Kind::Link(1))),
        Event::Edited(vec![Edit::Directory("/srv/x")]),
        Event::Found(with("/srv/x/y", Kind::File(0, 0o644, false))),
    ]);
}
