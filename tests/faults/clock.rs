//! A clock that jumps in the middle: nothing waits for it, and nothing is decided by it.

use std::fs;
use std::path::Path;

use crate::bed::Bed;
use crate::fleet::Fleet;
use crate::trace::{Stopped, all, calls, works};
use crate::tree::Which;

/// Where Debian has it, for whatever processor.
fn libfaketime() -> Option<String> {
    let places = fs::read_dir("/usr/lib").ok()?.flatten();
    let mut found = places
        .map(|place| place.path().join("faketime/libfaketime.so.1"))
        .filter(|path| path.exists());
    Some(found.next()?.to_str()?.to_owned())
}

#[test]
fn a_clock_that_jumps_at_any_step_changes_nothing() {
    let name = "a_clock_that_jumps_at_any_step_changes_nothing";
    if !works(name) {
        return;
    }
    let Some(library) = libfaketime() else {
        println!("SKIP {name}: no libfaketime; apt install libfaketime");
        return;
    };
    let fleet = Fleet::get();
    let calls = calls(fleet);
    let is_record =
        |call: &&crate::trace::Call| call.name == "write" && call.text.contains("/journal>");
    let step = if all() { 1 } else { 6 };
    let records: Vec<_> = calls.iter().filter(is_record).collect();
    for (index, call) in records.iter().enumerate().step_by(step) {
        let bed = Bed::copy(fleet);
        let clock = bed.root.with_extension("clock");
        fs::write(&clock, "+0").unwrap();
        let environment = [
            ("LD_PRELOAD", library.as_str()),
            ("FAKETIME_TIMESTAMP_FILE", path(&clock)),
            ("FAKETIME_NO_CACHE", "1"),
            // The clock that counts from boot on is not set by anybody.
            ("DONT_FAKE_MONOTONIC", "1"),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        ];
        let stopped = Stopped::with(&bed, call, &environment);
        let jump = if index / step % 2 == 0 { "-1y" } else { "+10y" };
        fs::write(&clock, jump).unwrap();
        let run = stopped.go_on();
        assert_eq!(run.code, Some(0), "{jump} at {call}: {}", run.said);
        assert_eq!(
            bed.must_be_whole_after(&run),
            Ok(Which::New),
            "{jump} at {call}"
        );
        let journal = fs::read_to_string(bed.state("transactions/00000002/journal")).unwrap();
        let years: std::collections::BTreeSet<i64> = journal
            .lines()
            .filter_map(|line| line.split_once(' ')?.1.parse::<serde_json::Value>().ok())
            .filter_map(|line| Some(line["at_secs"].as_i64()? / (180 * 24 * 3600)))
            .collect();
        // Nothing is written down after the last one.
        let is_last = index + 1 == records.len();
        assert!(
            years.len() > 1 || index == 0 || is_last,
            "the clock did not jump at {call}"
        );
    }
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}
