//! A person is asked, and answers or does not.

use super::*;
use crate::activation::{ConfirmError, Phase, confirm, past};
use crate::health::Confirm;

/// Goes to the second generation, and asks a person who has `within` for it.
fn go(bed: &Bed, within: Duration) -> Outcome {
    asked(bed, Confirm::Always, within, &second())
}

/// Goes to `desired`, and asks as `confirm` says.
fn asked(bed: &Bed, confirm: Confirm, within: Duration, desired: &Manifest) -> Outcome {
    let windows = Windows {
        confirm,
        confirm_within: within,
        ..Windows::default()
    };
    let activation = Activation {
        windows,
        ..bed.activation(&Unwatched)
    };
    let target = bed.put(desired);
    let none = OpenedSecrets::default();
    block_on(async {
        let prepared = activation
            .prepare(desired, Some(&none), Held::Nothing)
            .await
            .unwrap();
        let ended = activation
            .carry_out(prepared, target, &none, &healthy())
            .await;
        ended.unwrap().outcome
    })
}

#[test]
fn an_activation_that_waits_for_a_person_stays_when_one_confirms() {
    let bed = settled();
    let nobody_waits = confirm(&bed.host, &bed.store, None).unwrap_err();
    assert!(matches!(nobody_waits, ConfirmError::NothingWaits));
    let (host, state) = (bed.host.clone(), bed.directory.path().join("state"));
    let person = std::thread::spawn(move || {
        let store = Store::open(&state).unwrap();
        loop {
            match confirm(&host, &store, None) {
                Err(ConfirmError::NothingWaits | ConfirmError::NotYet { .. }) => {
                    std::thread::yield_now();
                }
                answer => return answer.unwrap(),
            }
        }
    });
    assert_eq!(go(&bed, Duration::from_mins(1)), Outcome::Committed);
    let (id, target) = person.join().unwrap();
    assert_eq!(bed.store.current_number().unwrap(), Some(target));
    assert_eq!(bed.read("/etc/app/conf").as_deref(), Some("2"));
    let late = confirm(&bed.host, &bed.store, Some(id)).unwrap_err();
    assert!(matches!(late, ConfirmError::NothingWaits));
}

#[test]
fn an_activation_that_nobody_confirms_goes_back_and_leaves_no_answer_for_the_next() {
    let bed = settled();
    let before = bed.tree();
    let Outcome::RolledBack { reason } = go(&bed, Duration::from_millis(300)) else {
        panic!("nobody confirmed");
    };
    assert!(reason.contains("nobody confirmed it"), "{reason}");
    assert_eq!(bed.tree(), before);
    let ended = past(&bed.store, None).unwrap();
    let last = ended.last().unwrap();
    assert!(matches!(last.phase(), Phase::RolledBack { .. }));
    let too_late = confirm(&bed.host, &bed.store, None).unwrap_err();
    assert!(matches!(too_late, ConfirmError::NothingWaits));
}

#[test]
fn nobody_can_be_locked_out_below_a_root_and_nobody_is_asked() {
    let bed = settled();
    let mut desired = second();
    let resolver = path("/etc/resolv.conf");
    desired.paths.insert(resolver, file("2"));
    // Nobody confirms: whoever asked would go back at once.
    let ended = asked(&bed, Confirm::Lockout, Duration::ZERO, &desired);
    assert_eq!(ended, Outcome::Committed);
}
