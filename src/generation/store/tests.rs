use std::collections::BTreeMap;
use std::error::Error as _;
use std::path::Path;

use super::*;
use crate::config::{HostName, OnConflict};
use crate::generation::{Manifest, PathEntry, PathKind};
use crate::host::{Attributes, Digest, GroupName, HostPath, Owner, PathState, UserName};
use crate::secrets::UnitTriggers;
use crate::source::{CommitId, Revision};

const DAY_SECS: i64 = 86_400;
const NOW_SECS: i64 = 1_000 * DAY_SECS;

struct Fixture {
    directory: tempfile::TempDir,
    store: Store,
}

impl Fixture {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).unwrap();
        Self { directory, store }
    }

    fn path(&self, below: &str) -> PathBuf {
        self.directory.path().join(below)
    }

    /// Stores a generation with one file, and returns its number.
    fn put(&self, content: &str, created_secs: i64) -> GenerationNumber {
        let generation = self.store.put(&built(content), &provenance(created_secs));
        generation.unwrap().number
    }

    fn overwrite(&self, below: &str, content: &[u8]) {
        let path = self.path(below);
        disk::remove_file(&path).unwrap();
        disk::write_new(&path, content).unwrap();
    }
}

fn built(content: &str) -> Built {
    let mut manifest = Manifest::empty(HostName::new("web").unwrap());
    let digest = Digest::of(content.as_bytes());
    let entry = PathEntry {
        kind: PathKind::File {
            content: digest.clone(),
            owner: UserName::new("root").unwrap(),
            group: GroupName::new("root").unwrap(),
            mode: FileMode::from_bits(0o644),
        },
        on_conflict: OnConflict::Refuse,
        drift: crate::config::Enforcement::Report,
        units: UnitTriggers::default(),
    };
    manifest
        .paths
        .insert(HostPath::new("/etc/motd").unwrap(), entry);
    Built {
        digest: manifest.digest(),
        manifest,
        objects: BTreeMap::from([(digest, content.as_bytes().to_vec())]),
        origins: BTreeMap::new(),
    }
}

fn provenance(created_secs: i64) -> Provenance {
    Provenance {
        revision: Revision {
            commit: CommitId::new("0123456789012345678901234567890123456789").unwrap(),
            author: "Anna <anna@example.org>".to_owned(),
            time_secs: created_secs,
            subject: "change".to_owned(),
        },
        signer: None,
        created_secs,
        copy_of: None,
        origins: BTreeMap::new(),
    }
}

fn numbers(list: &[u64]) -> Vec<GenerationNumber> {
    list.iter().copied().map(GenerationNumber).collect()
}

#[test]
fn what_is_put_is_read_back_and_looking_makes_nothing() {
    let fixture = Fixture::new();
    assert_eq!(fixture.store.list().unwrap(), []);
    assert!(fixture.store.current().unwrap().is_none());
    assert_eq!(fixture.store.originals().unwrap(), Originals::new());
    assert_eq!(
        disk::names(fixture.directory.path()).unwrap(),
        Vec::<String>::new()
    );

    let put = fixture
        .store
        .put(&built("one"), &provenance(NOW_SECS))
        .unwrap();
    assert_eq!(put.number, GenerationNumber(1));
    assert_eq!(fixture.store.get(put.number).unwrap(), put);
    let object = Digest::of(b"one");
    assert_eq!(fixture.store.object(&object).unwrap(), b"one");
    assert!(
        fixture.store.current().unwrap().is_none(),
        "not current before its commit"
    );
}

#[test]
fn state_is_for_root_alone() {
    use std::os::unix::fs::MetadataExt;
    let fixture = Fixture::new();
    fixture.put("one", NOW_SECS);
    let object = fixture.store.object_path(&Digest::of(b"one"));
    for path in [object, fixture.path("generations/1/manifest.json")] {
        assert_eq!(
            std::fs::metadata(&path).unwrap().mode() & 0o777,
            0o600,
            "{path:?}"
        );
    }
    for below in ["objects", "generations", "generations/1"] {
        let mode = std::fs::metadata(fixture.path(below)).unwrap().mode();
        assert_eq!(mode & 0o777, 0o700, "{below}");
    }
}

#[test]
fn commit_moves_current_and_remembers_the_one_before() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    let (one, two) = (fixture.put("one", NOW_SECS), fixture.put("two", NOW_SECS));
    store.commit(one).unwrap();
    assert_eq!(store.current_number().unwrap(), Some(one));
    assert_eq!(store.previous_good_number().unwrap(), None);
    store.commit(two).unwrap();
    store.commit(two).unwrap();
    assert_eq!(store.current().unwrap().unwrap().number, two);
    assert_eq!(store.previous_good().unwrap().unwrap().number, one);

    let error = store.commit(GenerationNumber(9)).unwrap_err();
    assert!(matches!(error.kind, StoreErrorKind::Missing), "{error:?}");
    assert_eq!(store.current_number().unwrap(), Some(two));
}

#[test]
fn a_commit_that_was_cut_between_its_two_links_is_completed_by_the_next() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    let (one, two, three) = (
        fixture.put("one", NOW_SECS),
        fixture.put("two", NOW_SECS),
        fixture.put("three", NOW_SECS),
    );
    store.commit(one).unwrap();
    store.commit(two).unwrap();
    durable::replace_link(&fixture.path("previous-good"), Path::new("generations/2")).unwrap();
    assert_eq!(store.current_number().unwrap(), Some(two));
    store.commit(three).unwrap();
    assert_eq!(store.previous_good_number().unwrap(), Some(two));
}

#[test]
fn numbers_are_never_given_twice() {
    let fixture = Fixture::new();
    for content in ["a", "b", "c"] {
        fixture.put(content, 0);
    }
    let policy = GcPolicy {
        keep_newest: 0,
        keep_days: 0,
    };
    fixture.store.gc(policy, GcMode::Sweep, NOW_SECS).unwrap();
    assert_eq!(fixture.store.list().unwrap(), []);
    assert_eq!(fixture.put("d", NOW_SECS), GenerationNumber(4));
    // A lost record of the last number does not bring back a number that something points at.
    fixture.store.commit(GenerationNumber(4)).unwrap();
    disk::remove_file(&fixture.path("last-number")).unwrap();
    disk::remove_tree(&fixture.path("generations/4")).unwrap();
    assert_eq!(fixture.put("e", NOW_SECS), GenerationNumber(5));
}

#[test]
fn what_a_kill_left_behind_is_no_generation_and_is_not_in_the_way() {
    let fixture = Fixture::new();
    disk::make_directory(&fixture.path("generations/.new-1")).unwrap();
    fixture.overwrite("generations/.new-1/manifest.json", b"{");
    let digest = Digest::of(b"one");
    let shard = fixture.path(&format!("objects/{}", &digest.as_str()[..2]));
    disk::make_directory(&shard).unwrap();
    // A name that a power cut left without its content, and a temporary file.
    disk::write_new(&shard.join(digest.as_str()), b"").unwrap();
    disk::write_new(&shard.join(format!(".new-{digest}")), b"o").unwrap();

    assert_eq!(fixture.store.list().unwrap(), []);
    assert_eq!(fixture.put("one", NOW_SECS), GenerationNumber(1));
    assert_eq!(fixture.store.object(&digest).unwrap(), b"one");
}

#[test]
fn damage_is_told_from_absence_and_from_a_newer_format() {
    let fixture = Fixture::new();
    let number = fixture.put("one", NOW_SECS);
    let manifest = String::from_utf8(built("one").manifest.canonical()).unwrap();
    let other = manifest.replace("/etc/motd", "/etc/mote");
    let newer = manifest.replace("\"version\":1", "\"version\":7");
    let cases: [(&str, &str, &[u8], &str); 6] = [
        (
            "cut off",
            "generations/1/manifest.json",
            &manifest.as_bytes()[..40],
            "EOF",
        ),
        ("empty", "generations/1/manifest.json", b"", "EOF"),
        (
            "another",
            "generations/1/manifest.json",
            other.as_bytes(),
            "digest",
        ),
        (
            "newer",
            "generations/1/manifest.json",
            newer.as_bytes(),
            "format version 7",
        ),
        (
            "torn",
            "generations/1/provenance.json",
            b"{\"version\":1,",
            "EOF",
        ),
        (
            "future",
            "generations/1/provenance.json",
            b"{\"version\":2}",
            "format version 2",
        ),
    ];
    let good: Vec<Vec<u8>> = ["manifest.json", "provenance.json"]
        .map(|name| {
            disk::read(&fixture.path(&format!("generations/1/{name}")))
                .unwrap()
                .unwrap()
        })
        .into();
    for (case, path, content, said) in cases {
        fixture.overwrite(path, content);
        let error = fixture.store.get(number).unwrap_err();
        let reason = error.source().unwrap().to_string();
        assert!(reason.contains(said), "{case}: {reason}");
        assert!(error.fix().is_some(), "{case}");
        fixture.overwrite("generations/1/manifest.json", &good[0]);
        fixture.overwrite("generations/1/provenance.json", &good[1]);
    }
    disk::remove_file(&fixture.path("generations/1/manifest.json")).unwrap();
    let error = fixture.store.get(number).unwrap_err();
    assert!(
        matches!(error.kind, StoreErrorKind::Damaged { .. }),
        "{error:?}"
    );
    let error = fixture.store.get(GenerationNumber(2)).unwrap_err();
    assert!(matches!(error.kind, StoreErrorKind::Missing), "{error:?}");

    let object = Digest::of(b"one");
    let path = fixture.store.object_path(&object);
    disk::remove_file(&path).unwrap();
    disk::write_new(&path, b"two").unwrap();
    let error = fixture.store.object(&object).unwrap_err();
    assert!(
        matches!(error.kind, StoreErrorKind::Damaged { .. }),
        "{error:?}"
    );

    disk::remove_file(&fixture.path("current")).unwrap();
    std::os::unix::fs::symlink("/etc", fixture.path("current")).unwrap();
    assert!(fixture.store.current().is_err());
}

#[test]
fn originals_are_remembered_and_their_contents_survive_gc() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    let content = store.keep(b"as it was").unwrap();
    let originals = Originals::from([
        (
            HostPath::new("/etc/motd").unwrap(),
            PathState::File {
                content: content.clone(),
                mode: FileMode::from_bits(0o640),
                owner: Owner::Ids { uid: 0, gid: 4 },
                attributes: Attributes::default().with("user.note", b"kept"),
            },
        ),
        (HostPath::new("/etc/new").unwrap(), PathState::Absent),
    ]);
    store.set_originals(&originals).unwrap();
    assert_eq!(store.originals().unwrap(), originals);

    let orphan = store.keep(b"drifted").unwrap();
    let long_after = i64::MAX / 2;
    let report = store
        .gc(GcPolicy::default(), GcMode::Sweep, long_after)
        .unwrap();
    assert_eq!((report.objects, report.freed_bytes), (1, 7));
    assert_eq!(store.object(&content).unwrap(), b"as it was");
    assert!(store.object(&orphan).is_err());

    fixture.overwrite("originals.json", b"{\"version\":1,\"paths\":{");
    assert!(store.originals().is_err(), "damaged is not empty");
}

#[test]
fn gc_keeps_what_anybody_may_still_want() {
    let fixture = Fixture::new();
    let store = &fixture.store;
    for n in 1..=20 {
        // Two days between them: the newest ten span 20 days, the 30 days reach back to number 6.
        fixture.put(&format!("content {n}"), NOW_SECS - (20 - n) * 2 * DAY_SECS);
    }
    store.commit(GenerationNumber(2)).unwrap();
    store.commit(GenerationNumber(3)).unwrap();
    store.pin(GenerationNumber(1)).unwrap();
    let policy = GcPolicy {
        keep_newest: 10,
        keep_days: 30,
    };
    let dry = store.gc(policy, GcMode::DryRun, NOW_SECS).unwrap();
    assert_eq!(dry.generations, numbers(&[4]));
    assert_eq!(store.list().unwrap().len(), 20, "a dry run deletes nothing");
    let swept = store.gc(policy, GcMode::Sweep, NOW_SECS).unwrap();
    assert_eq!(dry, swept);
    assert_eq!(store.list().unwrap(), swept.kept);

    let narrow = GcPolicy {
        keep_newest: 2,
        keep_days: 0,
    };
    // The objects were written just now; for them, too, it must be long ago.
    let swept = store.gc(narrow, GcMode::Sweep, i64::MAX / 2).unwrap();
    assert_eq!(swept.kept, numbers(&[1, 2, 3, 19, 20]));
    assert_eq!(swept.objects, 15);
    assert_eq!(
        store.object(&Digest::of(b"content 20")).unwrap(),
        b"content 20"
    );
    assert!(store.object(&Digest::of(b"content 7")).is_err());

    store.unpin(GenerationNumber(1)).unwrap();
    assert_eq!(store.pins().unwrap().len(), 0);
    let swept = store.gc(narrow, GcMode::Sweep, i64::MAX / 2).unwrap();
    assert_eq!(swept.generations, numbers(&[1]));
}

#[test]
fn gc_waits_for_transactions_and_stops_at_damage() {
    let fixture = Fixture::new();
    fixture.put("one", 0);
    fixture.put("two", 0);
    let policy = GcPolicy {
        keep_newest: 1,
        keep_days: 1,
    };
    disk::make_directory(&fixture.path("transactions")).unwrap();
    std::os::unix::fs::symlink("00000001", fixture.path("transactions/open")).unwrap();
    let error = fixture
        .store
        .gc(policy, GcMode::Sweep, NOW_SECS)
        .unwrap_err();
    assert!(
        matches!(error.kind, StoreErrorKind::TransactionOpen),
        "{error:?}"
    );
    disk::remove_file(&fixture.path("transactions/open")).unwrap();

    fixture.overwrite("generations/2/manifest.json", b"{}");
    assert!(fixture.store.gc(policy, GcMode::Sweep, NOW_SECS).is_err());
    assert_eq!(fixture.store.list().unwrap(), numbers(&[1, 2]));
}

#[test]
fn what_could_be_kept_can_be_read_back_however_large_it_is() {
    let fixture = Fixture::new();
    let large = vec![7_u8; usize::try_from(super::RECORD_LIMIT_BYTES).unwrap() + 1];
    let digest = fixture.store.keep(&large).unwrap();
    assert!(fixture.store.object(&digest).unwrap() == large);
    assert_eq!(fixture.store.keep(&large).unwrap(), digest);
}
