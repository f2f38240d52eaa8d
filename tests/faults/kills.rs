//! kill -9, anywhere.

use std::fs;

use crate::bed::{Bed, Run};
use crate::fleet::Fleet;
use crate::trace::{calls, disturbed, each, works};

#[test]
fn a_kill_at_any_call_that_changes_the_disk_leaves_the_old_host_or_the_new_one() {
    if !works("a_kill_at_any_call_that_changes_the_disk_leaves_the_old_host_or_the_new_one") {
        return;
    }
    let fleet = Fleet::get();
    let calls = calls(fleet);
    // Before and after each record of the journal is a call of its own.
    let records = calls
        .iter()
        .filter(|call| call.name == "write" && call.text.contains("/journal>"));
    assert!(
        records.count() > 60,
        "too few records to be a large activation"
    );
    let (old, new) = each(fleet, &calls, |bed, call| {
        let run = disturbed(bed, &format!("{}:signal=KILL:when={}", call.name, call.nth));
        bed.must_be_whole_after(&run)
    });
    assert!(old > 100 && new > 3, "{old} old, {new} new");
}

#[test]
fn a_file_that_was_created_before_a_kill_and_changed_in_git_after_it_is_still_ours() {
    if !works("a_file_that_was_created_before_a_kill_and_changed_in_git_after_it_is_still_ours") {
        return;
    }
    let fleet = Fleet::get();
    let bed = Bed::copy(fleet);
    let calls = calls(fleet);
    let last = calls.iter().rfind(|call| call.name == "fdatasync").unwrap();
    let killed = disturbed(
        &bed,
        &format!("fdatasync:signal=KILL:when={}", last.nth - 1),
    );
    assert_eq!(killed.code, None, "{}", killed.said);
    let file = bed.root.join("etc/comes/deep/file");
    assert_eq!(fs::read_to_string(&file).unwrap(), "new\n");

    let clone = fleet.clone_repository();
    let pass = || {
        Run::of(
            &bed.command(&["reconcile", "now"], &clone.path())
                .output()
                .unwrap(),
        )
    };
    let entry = |text: &str| format!("  /etc/comes/deep/file: {{ text: \"{text}\\n\" }}\n");
    clone.commit(&entry("new"), &entry("newer"));
    pass().ends_with(0);
    assert_eq!(fs::read_to_string(&file).unwrap(), "newer\n");
    clone.commit(&entry("newer"), "");
    pass().ends_with(0);
    assert!(
        !file.parent().unwrap().exists(),
        "what we made goes with its entry"
    );
}
