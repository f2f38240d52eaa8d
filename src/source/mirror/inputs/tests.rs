use tempfile::TempDir;

use super::*;
use crate::source::testing::{AcceptEnv, HttpServer, NOW, Signing, SshServer, TestRepo, keygen};
use crate::source::{Pin, PinErrorKind, RepoPath};

fn mirror() -> (TempDir, Mirror) {
    let folder = TempDir::new().unwrap();
    let mirror = Mirror::open(&folder.path().join("inputs")).unwrap();
    (folder, mirror)
}

fn input() -> (TestRepo, CommitId, CommitId) {
    let repo = TestRepo::empty();
    let first = repo.commit("modules/nfs/module.yml", "description: one\n", Signing::Not);
    let second = repo.commit("modules/nfs/module.yml", "description: two\n", Signing::Not);
    (repo, first, second)
}

fn locked(
    mirror: &Mirror,
    remote: &Remote,
    commit: &CommitId,
    transport: &Transport,
) -> Result<Fetched, FetchErrorKind> {
    let wanted = Wanted::Locked(commit, Some("main"));
    let fetched = mirror.fetch_input(remote, wanted, transport);
    fetched.map_err(|error| *error.kind)
}

/// An older commit comes by its id, and nothing is asked for it again.
fn comes_by_its_id(remote: &Remote, older: &CommitId, transport: &Transport) {
    let (_folder, mirror) = mirror();
    let fetched = locked(&mirror, remote, older, transport).unwrap();
    assert_eq!(fetched.commit, *older);
    assert!(matches!(fetched.transfer, Transfer::Received { .. }));
    assert!(mirror.has_input(older));
    let nowhere = Remote::parse("/nowhere/at/all").unwrap();
    let again = locked(&mirror, &nowhere, older, transport).unwrap();
    assert_eq!(again.transfer, Transfer::AlreadyHere);
}

/// A commit that nobody has is told from a server that cannot be reached.
fn is_gone(remote: &Remote, transport: &Transport) {
    let nobodys = CommitId::new("5".repeat(40)).unwrap();
    let (_folder, mirror) = mirror();
    let kind = locked(&mirror, remote, &nobodys, transport).unwrap_err();
    assert!(
        matches!(kind, FetchErrorKind::CommitGone { .. }),
        "{kind:?}"
    );
    assert!(kind.fix().unwrap().contains("inputs update"));
}

#[test]
fn a_locked_commit_comes_from_this_machine_by_its_id() {
    let (repo, first, _) = input();
    comes_by_its_id(&repo.remote(), &first, &Transport::of_host());
    is_gone(&repo.remote(), &Transport::of_host());
}

#[test]
fn a_locked_commit_comes_over_ssh_by_its_id() {
    for accept in [AcceptEnv::Protocol, AcceptEnv::Nothing] {
        let Some(server) = SshServer::start(accept) else {
            return;
        };
        let (repo, first, _) = input();
        let remote = server.remote(repo.path());
        comes_by_its_id(&remote, &first, &server.transport());
        is_gone(&remote, &server.transport());
    }
}

#[test]
fn a_locked_commit_comes_over_http_by_its_id() {
    let (repo, first, _) = input();
    let server = HttpServer::start(repo.path());
    comes_by_its_id(&server.remote(".git"), &first, &Transport::of_host());
    is_gone(&server.remote(".git"), &Transport::of_host());
}

#[test]
fn a_rewritten_branch_does_not_take_the_locked_commit_away() {
    let (repo, _, second) = input();
    let (_folder, mirror) = mirror();
    let transport = Transport::of_host();
    locked(&mirror, &repo.remote(), &second, &transport).unwrap();
    repo.git(&["commit", "-q", "--amend", "-m", "rewritten"]);
    let rewritten = repo.id("HEAD");
    let newest = mirror
        .fetch_input(&repo.remote(), Wanted::Newest(Some("main")), &transport)
        .unwrap();
    assert_eq!(newest.commit, rewritten);
    assert!(mirror.has_input(&second), "it is kept by its id");
    assert!(!mirror.builds_on(&rewritten, &second));
}

#[test]
fn what_is_new_is_told_newest_first() {
    let (repo, first, second) = input();
    let third = repo.commit(
        "modules/nfs/module.yml",
        "description: three\n",
        Signing::Not,
    );
    let (_folder, mirror) = mirror();
    let wanted = Wanted::Newest(None);
    mirror
        .fetch_input(&repo.remote(), wanted, &Transport::of_host())
        .unwrap();
    let log = mirror.log(&first, &third, 20);
    let commits: Vec<&CommitId> = log.iter().map(|one| &one.commit).collect();
    assert_eq!(commits, [&third, &second]);
}

#[test]
fn inputs_that_are_not_used_any_more_are_forgotten() {
    let (repo, first, second) = input();
    let (_folder, mirror) = mirror();
    let transport = Transport::of_host();
    locked(&mirror, &repo.remote(), &first, &transport).unwrap();
    locked(&mirror, &repo.remote(), &second, &transport).unwrap();
    mirror.forget_inputs_but(&[second.clone()].into());
    assert!(!mirror.has_input(&first) && mirror.has_input(&second));
}

fn pin(repo: &TestRepo, commit: &CommitId) -> Pin {
    let (_folder, mirror) = mirror();
    let wanted = Wanted::Newest(None);
    let transport = Transport::of_host();
    mirror
        .fetch_input(&repo.remote(), wanted, &transport)
        .unwrap();
    Pin {
        name: crate::source::InputName::new("community").unwrap(),
        remote: repo.remote(),
        branch: None,
        directory: "modules".into(),
        signers: Vec::new(),
        commit: commit.clone(),
        tree: mirror.snapshot(commit).unwrap().digest().unwrap(),
    }
}

#[test]
fn a_pinned_input_is_what_was_locked_or_it_is_refused() {
    let (repo, first, second) = input();
    let (_folder, mirror) = mirror();
    let transport = Transport::of_host();
    let good = pin(&repo, &second);
    let mount = mirror.input(&good, &transport, NOW).unwrap();
    assert_eq!(
        mount.prefix(),
        format!("community@{}:", &second.as_str()[..7])
    );
    // The commit of one version with the files of another.
    let forged = Pin {
        commit: first,
        ..good
    };
    let Err(error) = mirror.input(&forged, &transport, NOW) else {
        panic!("taken");
    };
    assert!(matches!(*error.kind, PinErrorKind::OtherTree { .. }));
}

#[test]
fn signatures_are_asked_of_the_signers_that_are_named() {
    let folder = TempDir::new().unwrap();
    let anna = keygen(folder.path(), "anna", "ed25519");
    let mallory = keygen(folder.path(), "mallory", "ed25519");
    let public = std::fs::read_to_string(anna.with_extension("pub")).unwrap();
    let table = [
        (Signing::With(&anna), None),
        (Signing::With(&mallory), Some("signers:")),
        (Signing::Not, Some("sign it")),
    ];
    for (signing, fix) in table {
        let repo = TestRepo::empty();
        let commit = repo.commit("modules/nfs/module.yml", "description: x\n", signing);
        let pin = Pin {
            signers: vec![public.trim().to_owned()],
            ..pin(&repo, &commit)
        };
        let (_folder, mirror) = mirror();
        let taken = mirror.input(&pin, &Transport::of_host(), NOW + 3_600);
        match (taken, fix) {
            (Ok(_), None) => {}
            (Err(error), Some(fix)) => {
                assert!(matches!(*error.kind, PinErrorKind::Refused(_)));
                assert!(error.fix().unwrap().contains(fix), "{:?}", error.fix());
            }
            (taken, _) => panic!("{:?}", taken.err()),
        }
    }
}

#[test]
fn links_and_submodules_of_an_input_are_no_files() {
    let repo = TestRepo::empty();
    std::os::unix::fs::symlink("/etc/shadow", repo.path().join("shadow")).unwrap();
    let commit = repo.commit("modules/nfs/module.yml", "description: x\n", Signing::Not);
    let (_folder, mirror) = mirror();
    let mount = mirror
        .input(&pin(&repo, &commit), &Transport::of_host(), NOW)
        .unwrap();
    let prefix = mount.prefix();
    let snapshot = crate::source::Snapshot::in_memory(std::collections::BTreeMap::new());
    let snapshot = snapshot.with_input(mount);
    let paths: Vec<String> = snapshot.paths().map(ToString::to_string).collect();
    assert_eq!(paths, [format!("{prefix}modules/nfs/module.yml")]);
    let link = RepoPath::new(format!("{prefix}shadow")).unwrap();
    assert_eq!(snapshot.read(&link).unwrap(), None);
    assert_eq!(snapshot.skipped()[0].reason, "a symbolic link");
}
