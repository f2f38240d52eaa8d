use super::*;

fn ssh(text: &str) -> (Option<String>, String, Option<u16>, String) {
    match Remote::parse(text).unwrap().address {
        Address::Ssh(a) => (a.user, a.host, a.port, a.path),
        other => panic!("{text}: {other:?}"),
    }
}

fn refused(text: &str) -> RemoteErrorKind {
    Remote::parse(text).unwrap_err().reason
}

#[test]
fn ssh_urls_are_taken_apart() {
    let git = Some("git".to_owned());
    assert_eq!(
        ssh("ssh://git@example.org:2222/srv/conf.git"),
        (
            git.clone(),
            "example.org".into(),
            Some(2222),
            "/srv/conf.git".into()
        )
    );
    assert_eq!(
        ssh("ssh://git@[fd00::1]:22/conf.git"),
        (git, "fd00::1".into(), Some(22), "/conf.git".into())
    );
    assert_eq!(ssh("ssh://host/~/conf.git").3, "~/conf.git");
}

#[test]
fn scp_like_addresses_keep_their_relative_path() {
    assert_eq!(
        ssh("git@github.com:team/fleet.git"),
        (
            Some("git".into()),
            "github.com".into(),
            None,
            "team/fleet.git".into()
        )
    );
    assert_eq!(ssh("backup:/srv/conf.git").3, "/srv/conf.git");
    assert_eq!(ssh("git@[fd00::1]:conf.git").1, "fd00::1");
}

#[test]
fn paths_on_this_machine_need_no_scheme() {
    for text in [
        "/srv/conf.git",
        "file:///srv/conf.git",
        "file://localhost/srv/conf.git",
    ] {
        let remote = Remote::parse(text).unwrap();
        assert_eq!(remote.address(), &Address::Local("/srv/conf.git".into()));
        assert_eq!(remote.to_string(), text);
    }
    let relative = Remote::parse("./a:b").unwrap();
    assert_eq!(relative.address(), &Address::Local("./a:b".into()));
}

#[test]
fn hosts_and_users_that_look_like_options_are_refused() {
    assert_eq!(
        refused("ssh://-oProxyCommand=id/x"),
        RemoteErrorKind::BadHost
    );
    assert_eq!(refused("ssh://-l@host/x"), RemoteErrorKind::BadHost);
    assert_eq!(refused("-oProxyCommand=id:x"), RemoteErrorKind::BadHost);
    assert_eq!(refused("ssh://host name/x"), RemoteErrorKind::BadHost);
    assert_eq!(refused("host:--upload-pack=id"), RemoteErrorKind::BadPath);
    assert_eq!(refused("-x"), RemoteErrorKind::BadPath);
}

#[test]
fn other_protocols_are_refused_with_a_fix() {
    for text in ["git://host/x", "ext::sh -c id", "ftp://host/x", "fd::7/x"] {
        assert_eq!(refused(text), RemoteErrorKind::Protocol, "{text}");
    }
    assert_eq!(refused("http://example.org/x"), RemoteErrorKind::PlainHttp);
    assert!(Remote::parse("http://127.0.0.1:8080/x").is_ok());
    assert!(Remote::parse("http://localhost/x").is_ok());
    assert_eq!(
        refused("http://localhost.example.org/x"),
        RemoteErrorKind::PlainHttp
    );
}

#[test]
fn passwords_are_refused_and_not_repeated() {
    for text in [
        "https://anna:hunter2@example.org/x",
        "https://hunter2@example.org/x",
        "ssh://anna:hunter2@example.org/x",
        "https://anna:hun@ter2@example.org/x",
        "anna:hunter2@example.org/x",
    ] {
        let error = Remote::parse(text).unwrap_err();
        assert_eq!(error.reason, RemoteErrorKind::Credentials, "{text}");
        assert!(!error.to_string().contains("ter2"), "{error}");
    }
}

#[test]
fn empty_and_broken_addresses_say_why() {
    assert_eq!(refused(""), RemoteErrorKind::Empty);
    assert_eq!(refused("ssh:///x"), RemoteErrorKind::NoHost);
    assert_eq!(refused("ssh://host"), RemoteErrorKind::BadPath);
    assert_eq!(refused("ssh://host:99999/x"), RemoteErrorKind::BadPort);
    assert_eq!(refused("https://host/x?y"), RemoteErrorKind::Query);
    assert_eq!(refused("/srv/a\nb"), RemoteErrorKind::ControlCharacter);
}

proptest::proptest! {
    #[test]
    fn any_text_is_either_shown_as_written_or_refused(text in "\\PC{0,60}") {
        if let Ok(remote) = Remote::parse(&text) {
            proptest::prop_assert_eq!(remote.as_str(), text);
        }
    }

    #[test]
    fn what_is_run_never_begins_like_an_option(
        user in "[-a-z@]{0,5}",
        host in "[-a-z.:\\[\\]]{0,8}",
        path in "[-/a-z~:@]{0,8}",
    ) {
        for text in [format!("ssh://{user}@{host}/{path}"), format!("{user}@{host}:{path}"), format!("{host}:{path}")] {
            if let Ok(Address::Ssh(address)) = Remote::parse(&text).map(|remote| remote.address().clone()) {
                proptest::prop_assert!(!address.host.starts_with('-') && !address.host.is_empty());
                proptest::prop_assert!(!address.path.starts_with('-'));
                proptest::prop_assert!(address.user.is_none_or(|user| !user.starts_with('-')));
            }
        }
    }
}
