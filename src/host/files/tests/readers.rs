//! Somebody reads while files are replaced.

use std::io::Read as _;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::*;

const ROUNDS: usize = 200;

/// The two versions differ in length, content, mode and, for root, owner: a mixture of any would be seen.
fn version(round: usize) -> (Vec<u8>, Owner, FileMode) {
    let is_root = rustix::process::geteuid().is_root();
    let (letter, length, mode, id) = match round % 2 {
        0 => (b'a', 100_000, 0o640, 1234),
        _ => (b'b', 30_000, 0o4711, 4321),
    };
    let owner = if is_root {
        Owner::Ids { uid: id, gid: id }
    } else {
        own()
    };
    (vec![letter; length], owner, FileMode::from_bits(mode))
}

/// Opens, looks and reads as one who must never be surprised.
fn read_one(at: &std::path::Path) {
    let mut file = fs::File::open(at).expect("the file is missing");
    let found = file.metadata().unwrap();
    let mut content = Vec::new();
    file.read_to_end(&mut content).unwrap();
    let first = *content.first().expect("the file is empty");
    let (whole, owner, mode) = version(usize::from(first != b'a'));
    assert!(content == whole, "{} bytes of a mixture", content.len());
    assert_eq!(found.mode() & 0o7777, mode.bits());
    assert_eq!(found.len(), whole.len() as u64);
    if let (Owner::Ids { uid, gid }, true) = (owner, rustix::process::geteuid().is_root()) {
        assert_eq!((found.uid(), found.gid()), (uid, gid));
    }
}

#[test]
fn a_reader_never_sees_a_file_missing_empty_mixed_or_with_the_wrong_mode_or_owner() {
    let place = place();
    let target = path("/etc/app.conf");
    let write = |round| {
        let (content, owner, mode) = version(round);
        place
            .host
            .write_file(&target, &content, owner, mode)
            .unwrap();
    };
    write(0);
    let (over, reads) = (AtomicBool::new(false), AtomicUsize::new(0));
    let at = place.at("/etc/app.conf");
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    while !over.load(Ordering::Relaxed) {
                        read_one(&at);
                        reads.fetch_add(1, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        for round in 1..=ROUNDS {
            write(round);
        }
        // The last reads see the last version too.
        let enough = reads.load(Ordering::Relaxed) + 10;
        while reads.load(Ordering::Relaxed) < enough
            && !readers
                .iter()
                .any(std::thread::ScopedJoinHandle::is_finished)
        {
            std::thread::yield_now();
        }
        over.store(true, Ordering::Relaxed);
    });
    let reads = reads.into_inner();
    assert!(reads > 20, "only {reads} reads: the test shows nothing");
    assert_eq!(place.names("/etc"), ["app.conf"]);
}

#[test]
fn what_a_link_leads_to_is_whole_while_the_link_changes() {
    let place = place();
    for name in ["old", "new"] {
        place.put(&format!("/etc/{name}"), name);
    }
    let link = path("/etc/link");
    place.host.make_symlink(&link, "old").unwrap();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                let found = fs::read(place.at("/etc/link")).expect("the link is missing");
                assert!(found == b"old" || found == b"new", "{found:?}");
            }
        });
        for round in 0..ROUNDS {
            let target = ["new", "old"][round % 2];
            place.host.make_symlink(&link, target).unwrap();
        }
        over.store(true, Ordering::Relaxed);
    });
}
