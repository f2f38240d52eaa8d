use super::*;
use crate::source::testing::{Signing, TestRepo};

fn all(_file: &RepoPath) -> bool {
    true
}

fn texts(clone: &WorkingClone, history: &History, file: &str) -> Vec<String> {
    let versions = &history.versions[&RepoPath::new(file).unwrap()];
    let mut texts: Vec<String> = versions
        .iter()
        .map(|blob| String::from_utf8(clone.read(*blob).unwrap().unwrap()).unwrap())
        .collect();
    texts.sort();
    texts
}

#[test]
fn the_history_has_every_version_of_every_branch_once() {
    let repo = TestRepo::empty();
    repo.commit("secrets/a.yml", "1", Signing::Not);
    repo.commit("secrets/a.yml", "2", Signing::Not);
    repo.git(&["switch", "-q", "-c", "side"]);
    repo.commit("secrets/a.yml", "side", Signing::Not);
    repo.git(&["switch", "-q", "main"]);
    repo.git(&["rm", "-q", "secrets/a.yml"]);
    repo.commit("b.yml", "2", Signing::Not);
    repo.git(&["switch", "-q", "--detach", "HEAD~1"]);
    let clone = WorkingClone::around(repo.path()).unwrap().unwrap();
    let history = clone.history(&all).unwrap();
    assert_eq!(history.commits, 4);
    assert_eq!(texts(&clone, &history, "secrets/a.yml"), ["1", "2", "side"]);
    assert_eq!(texts(&clone, &history, "b.yml"), ["2"]);
    let only_b = clone.history(&|file| file.as_str() == "b.yml").unwrap();
    assert_eq!(only_b.versions.len(), 1);
    assert!(!clone.is_shallow());
}

#[test]
fn below_the_top_only_what_is_there_is_seen() {
    let repo = TestRepo::empty();
    repo.commit("other/a.yml", "no", Signing::Not);
    repo.commit("infra/secrets/a.yml", "yes", Signing::Not);
    let clone = WorkingClone::around(&repo.path().join("infra"))
        .unwrap()
        .unwrap();
    assert_eq!(clone.prefix(), "infra/");
    let history = clone.history(&all).unwrap();
    let files: Vec<&str> = history.versions.keys().map(RepoPath::as_str).collect();
    assert_eq!(files, ["secrets/a.yml"]);
    let staged: Vec<RepoPath> = clone.staged().unwrap().into_keys().collect();
    assert_eq!(staged, [RepoPath::new("secrets/a.yml").unwrap()]);
}

#[test]
fn what_is_staged_is_not_what_lies_in_the_work_tree() {
    let repo = TestRepo::empty();
    repo.commit("a.yml", "committed", Signing::Not);
    let write = |text: &str| {
        crate::host::durable::replace(
            &repo.path().join("a.yml"),
            text.as_bytes(),
            crate::host::FileMode::from_bits(0o644),
        )
        .unwrap();
    };
    write("staged");
    repo.git(&["add", "a.yml"]);
    write("later");
    let clone = WorkingClone::around(repo.path()).unwrap().unwrap();
    let staged = clone.staged().unwrap();
    let blob = staged[&RepoPath::new("a.yml").unwrap()];
    assert_eq!(clone.read(blob).unwrap().unwrap(), b"staged");
}

#[test]
fn a_shallow_clone_says_so_and_a_place_without_git_has_no_clone() {
    let repo = TestRepo::empty();
    repo.commit("a.yml", "1", Signing::Not);
    repo.commit("a.yml", "2", Signing::Not);
    let folder = tempfile::tempdir().unwrap();
    assert!(WorkingClone::around(folder.path()).unwrap().is_none());
    let url = format!("file://{}", repo.path().display());
    let target = folder.path().join("shallow");
    repo.git(&[
        "clone",
        "-q",
        "--depth",
        "1",
        &url,
        target.to_str().unwrap(),
    ]);
    let clone = WorkingClone::around(&target).unwrap().unwrap();
    assert!(clone.is_shallow());
    assert_eq!(clone.history(&all).unwrap().commits, 1);
    let empty = TestRepo::empty();
    let clone = WorkingClone::around(empty.path()).unwrap().unwrap();
    assert_eq!(clone.history(&all).unwrap(), History::default());
    assert!(clone.staged().unwrap().is_empty());
}
