//! Somebody reads a secret while sets are exchanged.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::*;

const ROUNDS: usize = 200;

fn value(round: usize) -> String {
    // Two lengths, so that a mixture would be seen.
    if round.is_multiple_of(2) {
        "a".repeat(20_000)
    } else {
        "b".repeat(7_000)
    }
}

#[test]
fn a_reader_never_sees_a_secret_missing_empty_mixed_or_readable_for_others() {
    let mut setting = Setting::of([("db/password", value(0).as_str())]);
    setting.install().unwrap();
    let at = setting.at("run/secrets/db/password");
    let (over, reads) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                let mut file = File::open(&at).expect("the secret is missing");
                let found = file.metadata().unwrap();
                assert_eq!((found.mode() & 0o7777, found.nlink()), (0o400, 1));
                let mut text = String::new();
                file.read_to_string(&mut text).unwrap();
                let whole = value(usize::from(!text.starts_with('a')));
                assert!(text == whole, "{} bytes of a mixture", text.len());
                reads.fetch_add(1, Ordering::Relaxed);
            }
        });
        for round in 1..=ROUNDS {
            setting.with_values([("db/password", value(round).as_str())]);
            setting.install().unwrap();
            // One set before is kept for whoever is on the way to it; nobody is two sets behind.
            let seen = reads.load(Ordering::Relaxed);
            while reads.load(Ordering::Relaxed) < seen + 2 && !reader.is_finished() {
                std::thread::yield_now();
            }
        }
        over.store(true, Ordering::Relaxed);
    });
    assert!(reads.into_inner() >= 2 * ROUNDS);
}
