use std::time::Duration;

use tempfile::TempDir;

use super::*;
use crate::source::testing::{Signing, TestRepo, run};
use crate::source::{FetchError, FetchErrorKind, Limits, Remote, SshAccess, Transport};

mod served;

fn local() -> Transport {
    Transport {
        ssh: SshAccess {
            key: None,
            known_hosts: Vec::new(),
            connect_timeout: Duration::from_secs(5),
        },
        limits: Limits::default(),
    }
}

fn mirror() -> (TempDir, Mirror) {
    let folder = TempDir::new().unwrap();
    let mirror = Mirror::open(&folder.path().join("repo.git")).unwrap();
    (folder, mirror)
}

fn kind(error: FetchError) -> FetchErrorKind {
    *error.kind
}

fn received(fetched: &Fetched) -> bool {
    matches!(fetched.transfer, Transfer::Received { .. })
}

#[test]
fn a_local_repository_is_listed_and_fetched_once() {
    let source = TestRepo::empty();
    let first = source.commit("hosts/a/host.yml", "description: a\n", Signing::Not);
    let (_folder, mirror) = mirror();
    assert_eq!(
        mirror
            .list(&source.remote(), Some("main"), &local())
            .unwrap(),
        first
    );
    assert!(!mirror.has(&first), "a listing brings nothing");

    let fetched = mirror.fetch(&source.remote(), None, &local()).unwrap();
    assert_eq!(fetched.commit, first);
    assert!(received(&fetched));
    assert!(mirror.has(&first));
    let again = mirror.fetch(&source.remote(), None, &local()).unwrap();
    assert_eq!(again.transfer, Transfer::AlreadyHere);

    let second = source.commit("modules/b/module.yml", "description: b\n", Signing::Not);
    let next = mirror
        .fetch(&source.remote(), Some("main"), &local())
        .unwrap();
    assert_eq!(next.commit, second);
    let Transfer::Received { objects, .. } = next.transfer else {
        panic!("{next:?}")
    };
    assert!(objects <= 6, "only what is new comes: {objects} objects");
    let revision = mirror.revision(&second).unwrap();
    assert_eq!(revision.author, "Anna <anna@example.org>");
    assert_eq!(revision.subject, "change modules/b/module.yml");
    assert_eq!(mirror.resolve("refs/steadfast/fetched").unwrap(), second);
}

#[test]
fn a_branch_that_went_back_needs_no_pack() {
    let source = TestRepo::empty();
    let first = source.commit("a", "1", Signing::Not);
    source.commit("a", "2", Signing::Not);
    let (_folder, mirror) = mirror();
    mirror.fetch(&source.remote(), None, &local()).unwrap();
    source.git(&["reset", "-q", "--hard", first.as_str()]);
    let back = mirror.fetch(&source.remote(), None, &local()).unwrap();
    assert_eq!(
        back,
        Fetched {
            commit: first,
            transfer: Transfer::AlreadyHere
        }
    );
}

#[test]
fn the_accepted_commit_is_remembered() {
    let source = TestRepo::empty();
    let commit = source.commit("a", "1", Signing::Not);
    let (folder, mirror) = mirror();
    assert_eq!(mirror.accepted().unwrap(), None);
    mirror.fetch(&source.remote(), None, &local()).unwrap();
    mirror.set_accepted(&commit).unwrap();
    let again = Mirror::open(&folder.path().join("repo.git")).unwrap();
    assert_eq!(again.accepted().unwrap(), Some(commit));
}

#[test]
fn a_clone_is_read_from_below_and_never_written() {
    let clone = TestRepo::empty();
    let commit = clone.commit("hosts/a/host.yml", "x", Signing::Not);
    let mirror = Mirror::of_clone(&clone.path().join("hosts/a")).unwrap();
    assert_eq!(mirror.resolve("HEAD").unwrap(), commit);
    assert_eq!(mirror.resolve("main").unwrap(), commit);
    assert!(mirror.resolve("nonsense").is_err());
    assert!(mirror.set_accepted(&commit).is_err());
    let snapshot = mirror.snapshot(&commit).unwrap();
    assert_eq!(
        snapshot
            .paths()
            .map(ToString::to_string)
            .collect::<Vec<_>>(),
        ["hosts/a/host.yml"]
    );
}

#[test]
fn an_empty_repository_and_a_vanished_branch_are_told_apart() {
    let source = TestRepo::empty();
    let (_folder, mirror) = mirror();
    let error = mirror.fetch(&source.remote(), None, &local()).unwrap_err();
    assert!(matches!(*error.kind, FetchErrorKind::Empty), "{error:?}");
    source.commit("a", "1", Signing::Not);
    source.git(&["branch", "staging"]);
    let gone = kind(
        mirror
            .list(&source.remote(), Some("trunk"), &local())
            .unwrap_err(),
    );
    assert_eq!(
        gone.to_string(),
        "it has no branch `trunk`; it has `main`, `staging`"
    );
    let bad = kind(
        mirror
            .list(&source.remote(), Some("a..b"), &local())
            .unwrap_err(),
    );
    assert!(matches!(bad, FetchErrorKind::InvalidBranch { .. }));
}

#[test]
fn what_is_no_repository_or_another_format_is_said() {
    let (folder, mirror) = mirror();
    let nowhere = Remote::parse(folder.path().join("nowhere").to_str().unwrap()).unwrap();
    let missing = kind(mirror.list(&nowhere, None, &local()).unwrap_err());
    assert!(
        matches!(missing, FetchErrorKind::NoSuchRepository { .. }),
        "{missing:?}"
    );
    let sha256 = TestRepo::with_format("sha256");
    let other = kind(mirror.list(&sha256.remote(), None, &local()).unwrap_err());
    assert!(matches!(other, FetchErrorKind::Sha256), "{other:?}");
}

#[test]
fn limits_stop_a_fetch_and_leave_nothing() {
    let source = TestRepo::empty();
    let tip = source.commit("a", &"steadfast ".repeat(10), Signing::Not);
    let (folder, mirror) = mirror();
    let mut transport = local();
    transport.limits.objects = 2;
    let objects = kind(
        mirror
            .fetch(&source.remote(), None, &transport)
            .unwrap_err(),
    );
    assert!(
        matches!(
            objects,
            FetchErrorKind::TooLarge {
                limit: 2,
                unit: "objects"
            }
        ),
        "{objects:?}"
    );
    transport.limits = Limits {
        received_bytes: 100,
        ..Limits::default()
    };
    let bytes = kind(
        mirror
            .fetch(&source.remote(), None, &transport)
            .unwrap_err(),
    );
    assert!(
        matches!(
            bytes,
            FetchErrorKind::TooLarge {
                limit: 100,
                unit: "bytes"
            }
        ),
        "{bytes:?}"
    );
    assert!(!mirror.has(&tip));
    let packs =
        std::fs::read_dir(folder.path().join("repo.git/objects/pack")).map_or(0, Iterator::count);
    assert_eq!(packs, 0, "a broken-off pack is removed");
}

#[test]
fn many_packs_become_one_and_lose_nothing() {
    let source = TestRepo::empty();
    let (folder, mirror) = mirror();
    let mut commits = vec![source.commit("a", "1", Signing::Not)];
    mirror.fetch(&source.remote(), None, &local()).unwrap();
    for _ in 1..tidy::PACKS {
        commits.push(source.commit_again());
        mirror.fetch(&source.remote(), None, &local()).unwrap();
    }
    let packs = std::fs::read_dir(folder.path().join("repo.git/objects/pack"))
        .unwrap()
        .filter(|entry| {
            entry
                .as_ref()
                .unwrap()
                .path()
                .extension()
                .is_some_and(|ext| ext == "pack")
        })
        .count();
    assert_eq!(packs, 1);
    for commit in &commits {
        assert!(mirror.has(commit));
        assert_eq!(mirror.snapshot(commit).unwrap().paths().count(), 1);
    }
    let again = Mirror::open(&folder.path().join("repo.git")).unwrap();
    assert!(commits.iter().all(|commit| again.has(commit)));
}

#[test]
fn a_repository_of_another_user_is_refused_with_a_fix() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let source = TestRepo::empty();
    source.commit("a", "1", Signing::Not);
    for path in [source.path().to_owned(), source.path().join(".git")] {
        std::os::unix::fs::chown(path, Some(65_534), Some(65_534)).unwrap();
    }
    let (_folder, mirror) = mirror();
    let kind = kind(mirror.list(&source.remote(), None, &local()).unwrap_err());
    assert!(
        matches!(kind, FetchErrorKind::ForeignOwner { .. }),
        "{kind:?}"
    );
    assert!(kind.fix().unwrap().contains("safe.directory /"), "{kind:?}");
    let error = Mirror::of_clone(source.path()).err().unwrap();
    assert!(error.fix().unwrap().contains("safe.directory"), "{error}");
}

#[test]
fn a_clone_is_never_fetched_into() {
    let source = TestRepo::empty();
    source.commit("a", "1", Signing::Not);
    let clone = TestRepo::empty();
    let mirror = Mirror::of_clone(clone.path()).unwrap();
    let kind = kind(mirror.fetch(&source.remote(), None, &local()).unwrap_err());
    assert!(matches!(kind, FetchErrorKind::Mirror { .. }), "{kind:?}");
}

#[test]
fn the_mirror_is_sound_for_git() {
    let source = TestRepo::empty();
    for number in 0..5 {
        source.commit("a", &number.to_string(), Signing::Not);
    }
    let (folder, mirror) = mirror();
    mirror.fetch(&source.remote(), None, &local()).unwrap();
    let path = folder.path().join("repo.git");
    let verdict = source.git(&[
        "--git-dir",
        path.to_str().unwrap(),
        "fsck",
        "--full",
        "--strict",
    ]);
    assert!(!verdict.contains("error"), "{verdict}");
}

#[test]
fn what_a_killed_process_left_half_written_is_taken_away_and_stops_nobody() {
    let source = TestRepo::empty();
    let commit = source.commit("a", "1", Signing::Not);
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("repo.git");
    for left in [
        "repo.git.new/config.lock",
        "repo.git/config.lock",
        "repo.git/config",
    ] {
        let left = folder.path().join(left);
        std::fs::create_dir_all(left.parent().unwrap()).unwrap();
        std::fs::File::create(left).unwrap();
    }
    let mirror = Mirror::open(&path).unwrap();
    mirror.fetch(&source.remote(), None, &local()).unwrap();
    assert!(!folder.path().join("repo.git.new").exists());

    let left = [
        "refs/steadfast/accepted.lock",
        "HEAD.lock",
        "objects/pack/pack_half",
    ];
    for left in left {
        std::fs::File::create(path.join(left)).unwrap();
    }
    assert!(mirror.set_accepted(&commit).is_err());
    mirror.sweep().unwrap();
    for left in left {
        assert!(!path.join(left).exists(), "{left}");
    }
    mirror.set_accepted(&commit).unwrap();
    assert_eq!(mirror.accepted().unwrap(), Some(commit.clone()));
    assert!(mirror.has(&commit));
}
