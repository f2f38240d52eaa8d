use super::*;
use crate::source::{Address, Remote};

fn address(text: &str) -> SshAddress {
    match Remote::parse(text).unwrap().address() {
        Address::Ssh(address) => address.clone(),
        other => panic!("{other:?}"),
    }
}

fn cause_of(stderr: &str) -> FetchErrorKind {
    cause(
        stderr,
        &address("ssh://git@example.org:2222/x"),
        Some("/etc/ssh/ssh_host_ed25519_key".into()),
        "/etc/steadfast/known_hosts /etc/ssh/ssh_known_hosts".to_owned(),
    )
}

#[test]
fn the_command_line_lets_nothing_be_taken_for_an_option() {
    let access = SshAccess {
        key: Some("/k%d".into()),
        known_hosts: vec!["/a b".into(), "/c".into()],
        connect_timeout: Duration::from_secs(7),
    };
    let arguments = arguments(&address("ssh://git@example.org:2222/it's/x.git"), &access);
    let tail: Vec<&str> = arguments
        .iter()
        .rev()
        .take(7)
        .rev()
        .map(String::as_str)
        .collect();
    assert_eq!(
        tail,
        [
            "-p",
            "2222",
            "-l",
            "git",
            "--",
            "example.org",
            r"git-upload-pack '/it'\''s/x.git'"
        ]
    );
    assert!(arguments.contains(&r#"UserKnownHostsFile="/a b" "/c""#.to_owned()));
    assert!(arguments.contains(&r#"IdentityFile="/k%%d""#.to_owned()));
    assert!(arguments.contains(&"StrictHostKeyChecking=yes".to_owned()));
}

#[test]
fn what_openssh_says_becomes_a_cause_with_a_fix() {
    let unknown = cause_of(
        "No ED25519 host key is known for [example.org]:2222 and you have requested strict checking.\n\
         Host key verification failed.",
    );
    assert!(
        matches!(unknown, FetchErrorKind::HostKeyUnknown { .. }),
        "{unknown:?}"
    );
    let fix = unknown.fix().unwrap();
    assert!(
        fix.contains("ssh-keyscan -p 2222 example.org >> /etc/steadfast/known_hosts"),
        "{fix}"
    );
    let denied = cause_of("git@example.org: Permission denied (publickey).");
    assert!(
        denied
            .fix()
            .unwrap()
            .contains("/etc/ssh/ssh_host_ed25519_key.pub"),
        "{denied:?}"
    );
    for text in [
        "ssh: Could not resolve hostname example.org: Name or service not known",
        "ssh: connect to host example.org port 22: Connection refused",
        "kex_exchange_identification: read: Connection reset by peer",
        "",
    ] {
        let kind = cause_of(text);
        assert!(
            matches!(kind, FetchErrorKind::Unreachable { .. }),
            "{text}: {kind:?}"
        );
    }
    assert!(matches!(
        cause_of("fatal: '/x' does not appear to be a git repository"),
        FetchErrorKind::NoSuchRepository { .. }
    ));
    assert!(matches!(
        cause_of("fatal: detected dubious ownership in repository at '/x'"),
        FetchErrorKind::Server { .. }
    ));
}
