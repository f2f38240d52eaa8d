//! The mirror and real servers: OpenSSH, HTTP and HTTPS, and how each fails.

use super::*;
use crate::source::testing::{AcceptEnv, HttpServer, SshServer, command, make_ca};

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
    const NAME: &str =
        "source::mirror::tests::served::https_believes_the_hosts_ca_store_and_nobody_else";
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
