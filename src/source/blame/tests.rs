use super::*;
use crate::source::testing::{Signing, TestRepo};

fn path() -> RepoPath {
    RepoPath::new("hosts/a/host.yml").unwrap()
}

fn blamed(blame: &Blame, text: &str) -> Vec<String> {
    let count = u32::try_from(text.lines().count()).unwrap();
    let lines = (1..=count).collect();
    let found = blame.lines(&path(), text.as_bytes(), &lines);
    let words = found.into_values().map(|state| match state {
        LineState::Committed(revision) => revision.commit.to_string(),
        LineState::NotCommitted => "not committed".to_owned(),
        LineState::Unknown { reason } => reason,
    });
    words.collect()
}

#[test]
fn each_line_has_the_commit_that_wrote_it_last() {
    let repo = TestRepo::empty();
    let first = repo.commit("hosts/a/host.yml", "a\nb\nc\n", Signing::Not);
    let second = repo.commit("hosts/a/host.yml", "a\nB\nc\n", Signing::Not);
    let blame = Blame::of_folder(repo.path()).unwrap();
    assert_eq!(
        blamed(&blame, "a\nB\nc\n"),
        [first.as_str(), second.as_str(), first.as_str()]
    );
    let before = Blame::of_commit(repo.path(), &first).unwrap();
    assert_eq!(blamed(&before, "a\nb\nc\n"), vec![first.to_string(); 3]);
}

#[test]
fn lines_that_are_only_in_the_folder_say_so_and_others_keep_their_commit() {
    let repo = TestRepo::empty();
    let first = repo.commit("hosts/a/host.yml", "a\nb\n", Signing::Not);
    let blame = Blame::of_folder(repo.path()).unwrap();
    assert_eq!(
        blamed(&blame, "new\na\nchanged\n"),
        ["not committed", first.as_str(), "not committed"]
    );
    let inside = Blame::of_folder(&repo.path().join("hosts")).unwrap();
    let file = RepoPath::new("a/host.yml").unwrap();
    let found = inside.lines(&file, b"a\nb\n", &[2].into());
    assert!(matches!(&found[&2], LineState::Committed(revision) if revision.commit == first));
}

#[test]
fn a_file_that_git_does_not_know_is_not_committed() {
    let repo = TestRepo::empty();
    repo.commit("other", "x\n", Signing::Not);
    let blame = Blame::of_folder(repo.path()).unwrap();
    assert_eq!(blamed(&blame, "a\n"), ["not committed"]);
    let new = TestRepo::empty();
    let blame = Blame::of_folder(new.path()).unwrap();
    assert_eq!(blamed(&blame, "a\n"), ["not committed"]);
    let nowhere = tempfile::tempdir().unwrap();
    assert!(Blame::of_folder(nowhere.path()).is_none());
}
