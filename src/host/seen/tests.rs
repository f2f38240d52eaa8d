use std::os::unix::fs::MetadataExt as _;
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::host::{Host, HostPath, PathState};

const DAY: i64 = 24 * 60 * 60;

struct Bed {
    directory: tempfile::TempDir,
    host: Host,
}

impl Bed {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let host = Host::below(&directory.path().join("host")).unwrap();
        let bed = Self { directory, host };
        bed.write("one");
        bed
    }

    fn cache(&self) -> PathBuf {
        self.directory.path().join("seen")
    }

    fn file(&self) -> PathBuf {
        self.host.root().join("file")
    }

    #[expect(clippy::disallowed_methods, reason = "a test's own temporary file")]
    fn write(&self, text: &str) {
        std::fs::write(self.file(), text).unwrap();
    }

    /// Looks with `seen`; the content that was found.
    fn look(&self, seen: &Arc<Seen>) -> Digest {
        let host = self.host.remembering(Arc::clone(seen));
        match host.look(&HostPath::new("/file").unwrap()).unwrap() {
            PathState::File { content, .. } => content,
            other => panic!("{other:?}"),
        }
    }

    /// Lets the clock leave the time of the last write behind.
    fn wait_until_settled(&self) {
        let changed = Stamp::of(&rustix::fs::stat(self.file()).unwrap());
        while changed.is_racy(now_ns()) {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Another content under the same inode, size and times but for the time of change, which nobody can set.
    fn forge(&self, text: &str) {
        let before = std::fs::metadata(self.file()).unwrap();
        self.write(text);
        let file = std::fs::File::options()
            .write(true)
            .open(self.file())
            .unwrap();
        file.set_modified(before.modified().unwrap()).unwrap();
        let after = std::fs::metadata(self.file()).unwrap();
        assert_eq!((before.ino(), before.len()), (after.ino(), after.len()));
        assert_eq!(before.mtime_nsec(), after.mtime_nsec());
    }
}

/// Whether `seen` answers for the file without reading it.
fn knows(seen: &Seen, bed: &Bed) -> bool {
    seen.content(&rustix::fs::stat(bed.file()).unwrap())
        .is_some()
}

#[test]
fn an_unchanged_file_is_read_once_and_remembered_over_restarts() {
    let bed = Bed::new();
    bed.wait_until_settled();
    let seen = Arc::new(Seen::load(&bed.cache(), 0));
    assert!(!knows(&seen, &bed));
    assert_eq!(bed.look(&seen), Digest::of(b"one"));
    assert!(knows(&seen, &bed));
    seen.save().unwrap();
    let written = std::fs::metadata(bed.cache()).unwrap().ino();
    let again = Arc::new(Seen::load(&bed.cache(), DAY - 1));
    assert!(knows(&again, &bed));
    assert_eq!(bed.look(&again), Digest::of(b"one"));
    again.save().unwrap();
    let still = std::fs::metadata(bed.cache()).unwrap().ino();
    assert_eq!(still, written, "nothing new, nothing written");
}

#[test]
fn a_forged_time_of_modification_does_not_hide_a_change() {
    let bed = Bed::new();
    bed.wait_until_settled();
    let seen = Arc::new(Seen::load(&bed.cache(), 0));
    bed.look(&seen);
    bed.forge("two");
    assert!(!knows(&seen, &bed));
    assert_eq!(bed.look(&seen), Digest::of(b"two"));
}

#[test]
fn a_file_as_new_as_the_clock_is_not_remembered() {
    let bed = Bed::new();
    bed.wait_until_settled();
    let seen = Seen::load(&bed.cache(), 0);
    let found = rustix::fs::stat(bed.file()).unwrap();
    let changed_ns = Stamp::of(&found).changed_ns;
    for began_ns in [changed_ns - 1, changed_ns, changed_ns + STEP_NS] {
        seen.learn(&found, [0; 32], began_ns);
        assert!(seen.content(&found).is_none(), "{began_ns}");
    }
    seen.learn(&found, [0; 32], changed_ns + COARSE_STEP_NS + 1);
    assert!(seen.content(&found).is_some());
}

#[test]
fn every_file_is_read_again_after_a_day_or_when_the_clock_went_back() {
    let bed = Bed::new();
    bed.wait_until_settled();
    let seen = Arc::new(Seen::load(&bed.cache(), 1000));
    bed.look(&seen);
    seen.save().unwrap();
    for (now_secs, known) in [
        (1000, true),
        (999 + DAY, true),
        (1000 + DAY, false),
        (999, false),
    ] {
        let seen = Seen::load(&bed.cache(), now_secs);
        assert_eq!(knows(&seen, &bed), known, "{now_secs}");
    }
    assert!(!knows(&Seen::nothing(&bed.cache(), 1000), &bed));
}

#[test]
fn a_damaged_cache_is_an_empty_one_whatever_bit_is_flipped() {
    let bed = Bed::new();
    bed.wait_until_settled();
    let seen = Arc::new(Seen::load(&bed.cache(), 0));
    bed.look(&seen);
    seen.save().unwrap();
    let text = std::fs::read(bed.cache()).unwrap();
    assert_eq!(text.len(), 8 + 8 + RECORD_BYTES + HASH_BYTES);
    assert!(Known::parse(&text).is_some());
    for bit in 0..text.len() * 8 {
        let mut damaged = text.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(Known::parse(&damaged).is_none(), "bit {bit}");
    }
    for length in 0..text.len() {
        assert!(Known::parse(&text[..length]).is_none(), "{length} bytes");
    }
}

#[test]
fn what_nobody_asks_for_any_more_is_forgotten() {
    let bed = Bed::new();
    bed.wait_until_settled();
    let seen = Arc::new(Seen::load(&bed.cache(), 0));
    bed.look(&seen);
    seen.save().unwrap();
    Seen::load(&bed.cache(), 0).save().unwrap();
    assert!(!knows(&Seen::load(&bed.cache(), 0), &bed));
}
