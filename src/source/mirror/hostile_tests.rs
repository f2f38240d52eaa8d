//! Servers that lie.

use tempfile::TempDir;

use super::Mirror;
use crate::source::testing::{Script, Signing, TestRepo, packet};
use crate::source::{CommitId, FetchErrorKind, Remote, Transport};

/// A server that announces `tip` as `main` and sends `pack`.
fn script(tip: &CommitId, pack: &[u8]) -> Script {
    let mut greeting = packet(b"# service=git-upload-pack\n");
    greeting.extend_from_slice(b"0000");
    greeting.extend_from_slice(&packet(b"version 2\n"));
    greeting.extend_from_slice(&packet(b"object-format=sha1\n"));
    greeting.extend_from_slice(b"0000");
    let mut references = packet(format!("{tip} refs/heads/main\n").as_bytes());
    references.extend_from_slice(b"0000");
    let mut answer = packet(b"packfile\n");
    for chunk in pack.chunks(60_000) {
        answer.extend_from_slice(&packet(&[&[1], chunk].concat()));
    }
    answer.extend_from_slice(b"0000");
    Script {
        greeting,
        references,
        pack: answer,
    }
}

fn fetch(mirror: &Mirror, remote: &Remote) -> FetchErrorKind {
    *mirror
        .fetch(remote, Some("main"), &Transport::of_host())
        .unwrap_err()
        .kind
}

fn mirror() -> (TempDir, Mirror) {
    let folder = TempDir::new().unwrap();
    let mirror = Mirror::open(&folder.path().join("repo.git")).unwrap();
    (folder, mirror)
}

fn repository() -> (TestRepo, CommitId) {
    let repo = TestRepo::empty();
    repo.commit("a", "1", Signing::Not);
    let tip = repo.commit("hosts/a/host.yml", "2", Signing::Not);
    (repo, tip)
}

#[test]
fn what_a_script_sends_whole_is_taken() {
    let (repo, tip) = repository();
    let all = repo.git(&["rev-list", "--objects", "--no-object-names", "HEAD"]);
    let remote = script(&tip, &repo.pack(&all.lines().collect::<Vec<_>>())).serve();
    let (_folder, mirror) = mirror();
    assert_eq!(
        mirror
            .fetch(&remote, Some("main"), &Transport::of_host())
            .unwrap()
            .commit,
        tip
    );
}

#[test]
fn a_commit_without_its_files_or_history_is_never_taken_for_fetched() {
    let (repo, tip) = repository();
    let parent = repo.id("HEAD~1");
    let trees = [
        repo.git(&["rev-parse", "HEAD^{tree}"]),
        repo.git(&["rev-parse", "HEAD:hosts"]),
    ];
    for objects in [
        vec![tip.as_str()],
        vec![tip.as_str(), parent.as_str()],
        vec![tip.as_str(), parent.as_str(), &trees[0]],
        vec![tip.as_str(), parent.as_str(), &trees[0], &trees[1]],
    ] {
        let remote = script(&tip, &repo.pack(&objects)).serve();
        let (_folder, mirror) = mirror();
        for _ in 0..2 {
            let kind = fetch(&mirror, &remote);
            assert!(
                matches!(kind, FetchErrorKind::NotSent { .. }),
                "{objects:?}: {kind:?}"
            );
        }
    }
}

#[test]
fn another_commit_than_the_announced_one_is_not_taken() {
    let (repo, tip) = repository();
    let announced = CommitId::new("a".repeat(40)).unwrap();
    let remote = script(&announced, &repo.pack(&[tip.as_str()])).serve();
    let (_folder, mirror) = mirror();
    let kind = fetch(&mirror, &remote);
    assert!(matches!(kind, FetchErrorKind::NotSent { .. }), "{kind:?}");
}

#[test]
fn a_pack_that_was_cut_or_changed_is_refused() {
    let (repo, tip) = repository();
    let all = repo.git(&["rev-list", "--objects", "--no-object-names", "HEAD"]);
    let whole = repo.pack(&all.lines().collect::<Vec<_>>());
    let mut flipped = whole.clone();
    flipped[40] ^= 1;
    let mut other_version = whole.clone();
    other_version[7] = 9;
    let cut = whole[..whole.len() - 30].to_vec();
    for pack in [flipped, other_version, cut, b"PACK".to_vec(), Vec::new()] {
        let remote = script(&tip, &pack).serve();
        let (folder, mirror) = mirror();
        let kind = fetch(&mirror, &remote);
        assert!(
            matches!(
                kind,
                FetchErrorKind::Protocol { .. } | FetchErrorKind::Unreachable { .. }
            ),
            "{} bytes: {kind:?}",
            pack.len()
        );
        assert!(!mirror.has(&tip));
        let left = std::fs::read_dir(folder.path().join("repo.git/objects/pack"))
            .map_or(0, Iterator::count);
        assert_eq!(left, 0, "nothing is left behind");
    }
}

#[test]
fn a_pack_that_claims_more_objects_than_allowed_is_refused_at_its_first_bytes() {
    let (_repo, tip) = repository();
    let remote = script(&tip, b"PACK\0\0\0\x02\xff\xff\xff\xff").serve();
    let (_folder, mirror) = mirror();
    let kind = fetch(&mirror, &remote);
    assert!(
        matches!(
            kind,
            FetchErrorKind::TooLarge {
                unit: "objects",
                ..
            }
        ),
        "{kind:?}"
    );
}

#[test]
fn a_server_that_never_stops_listing_is_stopped() {
    let (_repo, tip) = repository();
    let mut script = script(&tip, b"");
    let line = packet(format!("{tip} refs/heads/other\n").as_bytes());
    script.references = line.repeat(100_001);
    let (_folder, mirror) = mirror();
    let kind = fetch(&mirror, &script.serve());
    assert!(
        matches!(
            kind,
            FetchErrorKind::TooLarge {
                unit: "references",
                ..
            }
        ),
        "{kind:?}"
    );
}

#[test]
fn errors_of_the_server_are_quoted_without_control_characters() {
    let (_repo, tip) = repository();
    let mut script = script(&tip, b"");
    script.references = packet(b"ERR access \x1b[31mdenied\n");
    let (_folder, mirror) = mirror();
    let kind = fetch(&mirror, &script.serve());
    assert_eq!(kind.to_string(), "the server reports: access [31mdenied");
}
