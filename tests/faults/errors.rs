//! Disks that refuse: full, broken, read-only.

use std::fmt;

use crate::fleet::Fleet;
use crate::trace::{Call, all, calls, disturbed, each, works};

const ERRORS: [&str; 3] = ["ENOSPC", "EIO", "EROFS"];

/// An error at one call.
struct Fault<'a> {
    call: &'a Call,
    error: &'static str,
    /// `""` for this call alone, `"+"` for it and all of its name that follow.
    then: &'static str,
}

impl fmt::Display for Fault<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{} at {}", self.error, self.then, self.call)
    }
}

/// Each call with one error, in turn; or with all of them.
fn faults<'a>(calls: &'a [Call], then: &'static str) -> Vec<Fault<'a>> {
    let mut faults = Vec::new();
    for (index, call) in calls.iter().enumerate() {
        for (turn, error) in ERRORS.into_iter().enumerate() {
            if all() || index % ERRORS.len() == turn {
                faults.push(Fault { call, error, then });
            }
        }
    }
    faults
}

#[test]
fn a_disk_that_refuses_any_one_call_leaves_the_old_host_or_the_new_one() {
    if !works("a_disk_that_refuses_any_one_call_leaves_the_old_host_or_the_new_one") {
        return;
    }
    let fleet = Fleet::get();
    let calls = calls(fleet);
    each(fleet, &faults(&calls, ""), |bed, fault| {
        let Call { name, nth, .. } = fault.call;
        let run = disturbed(bed, &format!("{name}:error={}:when={nth}", fault.error));
        bed.must_be_whole_after(&run)
    });
}

#[test]
fn a_disk_that_refuses_everything_of_a_kind_from_some_call_on_is_recovered_when_it_is_mended() {
    if !works(
        "a_disk_that_refuses_everything_of_a_kind_from_some_call_on_is_recovered_when_it_is_mended",
    ) {
        return;
    }
    let fleet = Fleet::get();
    let mut calls = calls(fleet);
    if !all() {
        // What comes first counts most: from then on it is one disk that is broken.
        let mut turn = 0;
        calls.retain(|_| {
            turn += 1;
            turn % 4 == 0
        });
    }
    each(fleet, &faults(&calls, "+"), |bed, fault| {
        let Call { name, nth, .. } = fault.call;
        let run = disturbed(bed, &format!("{name}:error={}:when={nth}+", fault.error));
        bed.must_be_whole_after(&run)
    });
}
