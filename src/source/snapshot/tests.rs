use super::*;
use crate::source::Mirror;
use crate::source::testing::{Signing, TestRepo};

/// A repository whose tip has the tree of the given raw entries: mode, name, object id.
fn with_tree(repo: &TestRepo, entries: &[(&str, &[u8], &str)]) -> Snapshot {
    let tree = raw_tree(repo, entries);
    let commit = repo.git(&["commit-tree", "-m", "x", &tree]);
    let mirror = Mirror::of_clone(repo.path()).unwrap();
    mirror.snapshot(&CommitId::new(commit).unwrap()).unwrap()
}

fn raw_tree(repo: &TestRepo, entries: &[(&str, &[u8], &str)]) -> String {
    let mut raw = Vec::new();
    for (mode, name, id) in entries {
        raw.extend_from_slice(format!("{mode} ").as_bytes());
        raw.extend_from_slice(name);
        raw.push(0);
        raw.extend_from_slice(&hex::decode(id).unwrap());
    }
    repo.git_with(
        &["hash-object", "-t", "tree", "-w", "--literally", "--stdin"],
        &raw,
    )
}

fn blob(repo: &TestRepo, content: &[u8]) -> String {
    repo.git_with(&["hash-object", "-w", "--stdin"], content)
}

fn paths(snapshot: &Snapshot) -> Vec<String> {
    snapshot.paths().map(ToString::to_string).collect()
}

fn skipped(snapshot: &Snapshot) -> Vec<(&str, &str)> {
    snapshot
        .skipped()
        .iter()
        .map(|s| (s.path.as_str(), s.reason))
        .collect()
}

#[test]
fn files_are_listed_in_order_and_read_on_demand() {
    let repo = TestRepo::empty();
    repo.commit("modules/b/module.yml", "b", Signing::Not);
    let commit = repo.commit("hosts/a/host.yml", "description: a\n", Signing::Not);
    let snapshot = Mirror::of_clone(repo.path())
        .unwrap()
        .snapshot(&commit)
        .unwrap();
    assert_eq!(
        paths(&snapshot),
        ["hosts/a/host.yml", "modules/b/module.yml"]
    );
    let path = RepoPath::new("hosts/a/host.yml").unwrap();
    assert_eq!(snapshot.read(&path).unwrap().unwrap(), b"description: a\n");
    let absent = RepoPath::new("hosts/b/host.yml").unwrap();
    assert_eq!(snapshot.read(&absent).unwrap(), None);
    assert!(snapshot.skipped().is_empty());
}

#[test]
fn what_is_committed_counts_and_not_what_lies_in_the_working_tree() {
    let repo = TestRepo::empty();
    let commit = repo.commit("a", "committed", Signing::Not);
    std::fs::remove_file(repo.path().join("a")).unwrap();
    let snapshot = Mirror::of_clone(repo.path())
        .unwrap()
        .snapshot(&commit)
        .unwrap();
    assert_eq!(
        snapshot
            .read(&RepoPath::new("a").unwrap())
            .unwrap()
            .unwrap(),
        b"committed"
    );
}

#[test]
fn links_and_submodules_never_get_in() {
    let repo = TestRepo::empty();
    let id = blob(&repo, b"/etc/shadow");
    let snapshot = with_tree(
        &repo,
        &[
            ("100644", b"good", &id),
            ("120000", b"link", &id),
            ("100755", b"script", &id),
            ("160000", b"sub", &"1".repeat(40)),
        ],
    );
    assert_eq!(paths(&snapshot), ["good", "script"]);
    assert_eq!(
        skipped(&snapshot),
        [("link", "a symbolic link"), ("sub", "a submodule")]
    );
}

#[test]
fn hostile_names_never_get_in() {
    let repo = TestRepo::empty();
    let id = blob(&repo, b"x");
    let names: [&[u8]; 11] = [
        b"..",
        b".",
        b".GIT",
        b".git",
        b"GIT~1",
        ".g\u{200c}it".as_bytes(),
        b".git ",
        b".git::$INDEX_ALLOCATION",
        b"a\\b",
        b"a\nb",
        b"\xff\xfe",
    ];
    for name in names {
        let snapshot = with_tree(&repo, &[("100644", name, &id)]);
        assert!(paths(&snapshot).is_empty(), "{}", name.escape_ascii());
        assert_eq!(snapshot.skipped().len(), 1, "{}", name.escape_ascii());
        assert!(
            snapshot.skipped()[0].path.is_ascii(),
            "{:?}",
            snapshot.skipped()
        );
    }
    let below = raw_tree(&repo, &[("100644", b"passwd", &id)]);
    for name in [&b".."[..], b".git"] {
        let snapshot = with_tree(&repo, &[("40000", name, &below)]);
        assert!(paths(&snapshot).is_empty(), "{}", name.escape_ascii());
    }
}

#[test]
fn names_that_only_look_dangerous_get_in() {
    let repo = TestRepo::empty();
    let id = blob(&repo, b"x");
    for name in [
        &b".gitignore"[..],
        b"...",
        b".github",
        b"git",
        "m\u{fc}ller.yml".as_bytes(),
    ] {
        let snapshot = with_tree(&repo, &[("100644", name, &id)]);
        assert_eq!(snapshot.paths().count(), 1, "{}", name.escape_ascii());
    }
}

#[test]
fn a_huge_file_is_listed_and_not_read() {
    let repo = TestRepo::empty();
    let at_limit = blob(&repo, &vec![b'x'; FILE_BYTES]);
    let above = blob(&repo, &vec![b'x'; FILE_BYTES + 1]);
    let snapshot = with_tree(
        &repo,
        &[("100644", b"big", &at_limit), ("100644", b"huge", &above)],
    );
    let big = snapshot
        .read(&RepoPath::new("big").unwrap())
        .unwrap()
        .unwrap();
    assert_eq!(big.len(), FILE_BYTES);
    let error = snapshot.read(&RepoPath::new("huge").unwrap()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot read `huge` from the repository: it has 1048577 bytes; at most 1048576 are read"
    );
}

#[test]
fn a_tree_that_contains_many_copies_of_itself_is_given_up() {
    let repo = TestRepo::empty();
    let id = blob(&repo, b"x");
    let mut tree = raw_tree(&repo, &[("100644", b"a", &id)]);
    let names: Vec<Vec<u8>> = (0..10).map(|n| format!("{n}").into_bytes()).collect();
    for _ in 0..10 {
        let entries: Vec<(&str, &[u8], &str)> = names
            .iter()
            .map(|name| ("40000", name.as_slice(), tree.as_str()))
            .collect();
        tree = raw_tree(&repo, &entries);
    }
    let commit = CommitId::new(repo.git(&["commit-tree", "-m", "x", &tree])).unwrap();
    let error = Mirror::of_clone(repo.path())
        .unwrap()
        .snapshot(&commit)
        .err()
        .unwrap();
    assert!(
        matches!(error.kind, SnapshotErrorKind::TooManyEntries),
        "{error}"
    );
}

#[test]
fn folders_below_the_deepest_are_skipped() {
    let repo = TestRepo::empty();
    let id = blob(&repo, b"x");
    let mut tree = raw_tree(&repo, &[("100644", b"a", &id)]);
    for _ in 0..=DEPTH {
        tree = raw_tree(&repo, &[("40000", b"d", &tree)]);
    }
    let snapshot = with_tree(&repo, &[("40000", b"d", &tree), ("100644", b"f", &id)]);
    assert_eq!(paths(&snapshot), ["f"]);
    assert_eq!(snapshot.skipped()[0].reason, "too deep");
}

#[test]
fn a_snapshot_may_be_used_from_several_threads() {
    fn check<T: Send + Sync>() {}
    check::<Snapshot>();
}

fn put(path: &std::path::Path, text: &str) {
    use std::io::Write as _;
    let mut file = std::fs::File::create(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

#[test]
fn a_folder_is_what_lies_there_without_what_git_ignores() {
    let repo = TestRepo::empty();
    for (file, text) in [
        ("a/tracked", "old"),
        ("gone", "x"),
        (".gitignore", "ignored\n"),
    ] {
        repo.commit(file, text, Signing::Not);
    }
    for (file, text) in [("a/tracked", "new"), ("a/new", "n"), ("ignored", "i")] {
        put(&repo.path().join(file), text);
    }
    std::fs::remove_file(repo.path().join("gone")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", repo.path().join("a/link")).unwrap();
    let whole = Snapshot::of_folder(repo.path()).unwrap();
    assert_eq!(paths(&whole), [".gitignore", "a/new", "a/tracked"]);
    assert_eq!(skipped(&whole), [("a/link", "a symbolic link")]);
    let read = |path: &str| whole.read(&RepoPath::new(path).unwrap()).unwrap();
    assert_eq!(read("a/tracked").as_deref(), Some(&b"new"[..]));
    assert_eq!(read("ignored"), None);

    let below = Snapshot::of_folder(&repo.path().join("a")).unwrap();
    assert_eq!(paths(&below), ["new", "tracked"]);

    let plain = tempfile::tempdir().unwrap();
    put(&plain.path().join("x"), "x");
    assert_eq!(paths(&Snapshot::of_folder(plain.path()).unwrap()), ["x"]);
    assert!(Snapshot::of_folder(&plain.path().join("not/there")).is_err());
}
