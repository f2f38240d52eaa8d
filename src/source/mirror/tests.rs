use std::time::Duration;

use tempfile::TempDir;

use super::*;
use crate::source::testing::{
    AcceptEnv, HttpServer, Signing, SshServer, TestRepo, command, make_ca, run,
};
use crate::source::{FetchError, FetchErrorKind, Limits, Remote, SshAccess, Transport};

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

fn over_ssh(accept: AcceptEnv) {
    let Some(server) = SshServer::start(accept) else {
        return;
    };
    let source = TestRepo::empty();
    let remote = server.remote(source.path());
    let (_folder, mirror) = mirror();
    let transport = server.transport();
    let empty = kind(mirror.fetch(&remote, None, &transport).unwrap_err());
    assert!(matches!(empty, FetchErrorKind::Empty), "{empty:?}");

    let first = source.commit("a", "1", Signing::Not);
    assert_eq!(
        mirror.list(&remote, Some("main"), &transport).unwrap(),
        first
    );
    let fetched = mirror.fetch(&remote, None, &transport).unwrap();
    assert!(received(&fetched) && fetched.commit == first, "{fetched:?}");
    let second = source.commit("a", "2", Signing::Not);
    let fetched = mirror.fetch(&remote, Some("main"), &transport).unwrap();
    assert!(
        matches!(fetched.transfer, Transfer::Received { objects: 3, .. }),
        "{fetched:?}"
    );
    assert_eq!(fetched.commit, second);
    let again = mirror.fetch(&remote, Some("main"), &transport).unwrap();
    assert_eq!(again.transfer, Transfer::AlreadyHere);
    let gone = kind(mirror.list(&remote, Some("trunk"), &transport).unwrap_err());
    assert_eq!(gone.to_string(), "it has no branch `trunk`; it has `main`");
    // Rewritten history shares the first commit.
    source.git(&["reset", "-q", "--hard", first.as_str()]);
    let third = source.commit("a", "3", Signing::Not);
    let fetched = mirror.fetch(&remote, None, &transport).unwrap();
    assert!(
        matches!(fetched.transfer, Transfer::Received { objects: 3, .. }),
        "{fetched:?}"
    );
    assert_eq!(fetched.commit, third);
}

#[test]
fn openssh_brings_commits_in_protocol_version_two() {
    over_ssh(AcceptEnv::Protocol);
}

#[test]
fn openssh_brings_commits_from_a_server_that_knows_only_the_old_protocol() {
    over_ssh(AcceptEnv::Nothing);
}

#[test]
fn ssh_failures_have_their_own_names() {
    let Some(server) = SshServer::start(AcceptEnv::Protocol) else {
        return;
    };
    let source = TestRepo::empty();
    source.commit("a", "1", Signing::Not);
    let remote = server.remote(source.path());
    let (_folder, mirror) = mirror();
    let listed = |remote: &Remote, transport: &Transport| {
        kind(mirror.list(remote, None, transport).unwrap_err())
    };

    let mut unpinned = server.transport();
    unpinned.ssh.known_hosts = vec![server.folder().join("none")];
    let kind = listed(&remote, &unpinned);
    assert!(
        matches!(kind, FetchErrorKind::HostKeyUnknown { .. }),
        "{kind:?}"
    );
    assert!(kind.fix().unwrap().contains("ssh-keyscan -p"), "{kind:?}");

    let mut wrong = server.transport();
    let file = server.folder().join("wrong");
    server.pin(&file, "client.pub");
    wrong.ssh.known_hosts = vec![file];
    let kind = listed(&remote, &wrong);
    assert!(
        matches!(kind, FetchErrorKind::HostKeyMismatch { .. }),
        "{kind:?}"
    );

    let mut stranger = server.transport();
    stranger.ssh.key = Some(server.folder().join("server"));
    let kind = listed(&remote, &stranger);
    assert!(
        matches!(kind, FetchErrorKind::AuthRefused { .. }),
        "{kind:?}"
    );

    let nowhere = server.remote(&server.folder().join("nowhere"));
    let kind = listed(&nowhere, &server.transport());
    assert!(
        matches!(kind, FetchErrorKind::NoSuchRepository { .. }),
        "{kind:?}"
    );

    let closed = Remote::parse("ssh://git@127.0.0.1:1/x").unwrap();
    let kind = listed(&closed, &server.transport());
    assert!(
        matches!(kind, FetchErrorKind::Unreachable { .. }),
        "{kind:?}"
    );
}

#[test]
fn a_server_that_says_nothing_runs_into_the_time_limit() {
    let silent = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = silent.local_addr().unwrap().port();
    let (_folder, mirror) = mirror();
    let mut transport = local();
    transport.limits.time = Duration::from_millis(300);
    for text in [
        format!("ssh://127.0.0.1:{port}/x"),
        format!("http://127.0.0.1:{port}/x"),
    ] {
        let kind = kind(
            mirror
                .list(&Remote::parse(&text).unwrap(), None, &transport)
                .unwrap_err(),
        );
        assert!(
            matches!(kind, FetchErrorKind::TimedOut { .. }),
            "{text}: {kind:?}"
        );
    }
}

#[test]
fn http_brings_commits_and_asks_once_when_nothing_moved() {
    let source = TestRepo::empty();
    let first = source.commit("a", "1", Signing::Not);
    let server = HttpServer::start(source.path());
    let (_folder, mirror) = mirror();
    let remote = server.remote(".git");
    assert!(received(&mirror.fetch(&remote, None, &local()).unwrap()));
    let asked = server.requests();
    assert_eq!(
        asked.iter().filter(|line| line.starts_with("POST")).count(),
        2,
        "{asked:?}"
    );

    let again = mirror.fetch(&remote, Some("main"), &local()).unwrap();
    assert_eq!(
        again,
        Fetched {
            commit: first,
            transfer: Transfer::AlreadyHere
        }
    );
    assert_eq!(
        server.requests(),
        [
            "GET /.git/info/refs?service=git-upload-pack",
            "POST /.git/git-upload-pack"
        ],
        "one listing, no fetch"
    );
    let second = source.commit("a", "2", Signing::Not);
    let fetched = mirror
        .fetch(&server.remote("moved/.git"), None, &local())
        .unwrap();
    assert_eq!(fetched.commit, second);
}

#[test]
fn http_failures_have_their_own_names() {
    let source = TestRepo::empty();
    let server = HttpServer::start(source.path());
    let (_folder, mirror) = mirror();
    let listed = |path: &str| {
        kind(
            mirror
                .list(&server.remote(path), None, &local())
                .unwrap_err(),
        )
    };
    assert!(matches!(listed(".git"), FetchErrorKind::Empty));
    assert!(matches!(
        listed("nowhere"),
        FetchErrorKind::NoSuchRepository { .. }
    ));
    assert!(matches!(
        listed("private/x"),
        FetchErrorKind::AuthRefused { .. }
    ));
    let away = listed("away/x");
    assert!(
        matches!(away, FetchErrorKind::Redirected { .. }),
        "{away:?}"
    );
    let closed = Remote::parse("http://127.0.0.1:1/x").unwrap();
    let kind = kind(mirror.list(&closed, None, &local()).unwrap_err());
    assert!(
        matches!(kind, FetchErrorKind::Unreachable { .. }),
        "{kind:?}"
    );
}

/// The CA store is found through the environment, which belongs to a whole process: so this test runs itself again.
#[test]
fn https_believes_the_hosts_ca_store_and_nobody_else() {
    const REMOTE: &str = "STEADFAST_TEST_REMOTE";
    const NAME: &str = "source::mirror::tests::https_believes_the_hosts_ca_store_and_nobody_else";
    if let Ok(remote) = std::env::var(REMOTE) {
        let (_folder, mirror) = mirror();
        let remote = Remote::parse(&remote).unwrap();
        assert!(received(&mirror.fetch(&remote, None, &local()).unwrap()));
        return;
    }
    let ca = TempDir::new().unwrap();
    make_ca(ca.path());
    let source = TestRepo::empty();
    source.commit("a", "1", Signing::Not);
    let server = HttpServer::start_tls(source.path(), ca.path());
    let remote = server.remote(".git");

    let (_folder, mirror) = mirror();
    let kind = kind(mirror.list(&remote, None, &local()).unwrap_err());
    assert!(
        matches!(kind, FetchErrorKind::Certificate { .. }),
        "{kind:?}"
    );
    let mut again = command(std::env::current_exe().unwrap().to_str().unwrap());
    again
        .args(["--exact", NAME])
        .env("SSL_CERT_FILE", ca.path().join("ca.crt"))
        .env(REMOTE, remote.as_str());
    assert!(run(&mut again, b"").contains("1 passed"));
}

#[test]
fn a_sha256_server_is_refused_before_anything_is_sent() {
    let source = TestRepo::with_format("sha256");
    source.git(&["commit", "-q", "--allow-empty", "-m", "x"]);
    let server = HttpServer::start(source.path());
    let (_folder, mirror) = mirror();
    let kind = kind(
        mirror
            .fetch(&server.remote(".git"), None, &local())
            .unwrap_err(),
    );
    assert!(matches!(kind, FetchErrorKind::Sha256), "{kind:?}");
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
