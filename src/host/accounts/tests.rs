use std::collections::BTreeSet;

use super::*;
use crate::host::{GroupName, Host, HostPath, UserName};

struct Machine {
    dir: tempfile::TempDir,
    host: Host,
}

fn machine() -> Machine {
    let dir = tempfile::tempdir().unwrap();
    let host = Host::below(dir.path()).unwrap();
    Machine { dir, host }
}

impl Machine {
    fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.dir.path().join("etc").join(file)).unwrap()
    }
}

fn user(text: &str) -> UserName {
    UserName::new(text).unwrap()
}

fn group(text: &str) -> GroupName {
    GroupName::new(text).unwrap()
}

fn spec(primary: &str) -> UserSpec {
    UserSpec {
        uid: None,
        group: group(primary),
        groups: BTreeSet::new(),
        description: Some("Ketan".to_owned()),
        home: HostPath::new("/home/ketan").unwrap(),
        shell: None,
        system: false,
        expires: Expires::Kept,
        subids: None,
    }
}

const SYSTEM_GROUP: GroupSpec = GroupSpec {
    gid: None,
    system: true,
};

#[test]
fn an_empty_root_has_the_superuser_alone_and_no_files() {
    let machine = machine();
    let accounts = machine.host.accounts().unwrap();
    assert_eq!(accounts.users[&user("root")].uid, 0);
    assert_eq!(accounts.groups[&group("root")].gid, 0);
    assert!(!machine.dir.path().join("etc").exists());
}

#[test]
fn an_account_is_made_with_its_home_and_groups_and_can_be_made_again() {
    let machine = machine();
    let host = &machine.host;
    host.create_group(&group("ketan"), &GroupSpec::default())
        .unwrap();
    host.create_group(&group("web"), &SYSTEM_GROUP).unwrap();
    let mut wanted = spec("ketan");
    wanted.groups.insert(group("web"));
    for _ in 0..2 {
        host.create_user(&user("ketan"), &wanted).unwrap();
    }
    assert_eq!(
        machine.read("passwd"),
        "root:x:0:0:root:/root:/bin/bash\nketan:x:1000:1000:Ketan:/home/ketan:/bin/sh\n"
    );
    assert_eq!(
        machine.read("group"),
        "root:x:0:\nketan:x:1000:\nweb:x:999:ketan\n"
    );
    assert_eq!(machine.read("shadow"), "root:*:::::::\nketan:!:::::::\n");
    assert!(machine.dir.path().join("home/ketan").is_dir());
    let found = &host.accounts().unwrap().users[&user("ketan")];
    assert_eq!((found.locked, &found.password_digest), (Some(false), &None));
}

#[test]
fn locking_and_changing_back_gives_the_same_password() {
    let machine = machine();
    let host = &machine.host;
    host.create_user(&user("ketan"), &spec("root")).unwrap();
    host.set_password_hash(&user("ketan"), "$y$j9T$abc$def")
        .unwrap();
    let before = host.accounts().unwrap().users[&user("ketan")].clone();
    host.lock_user(&user("ketan")).unwrap();
    host.lock_user(&user("ketan")).unwrap();
    let locked = host.accounts().unwrap().users[&user("ketan")].clone();
    assert_eq!(locked.locked, Some(true));
    assert_eq!(locked.password_digest, before.password_digest);
    assert!(
        machine
            .read("shadow")
            .contains("ketan:!$y$j9T$abc$def::::::1:\n")
    );
    host.modify_user(&user("ketan"), &spec("root")).unwrap();
    assert_eq!(host.accounts().unwrap().users[&user("ketan")], before);
}

#[test]
fn ids_are_never_changed_and_never_shared() {
    let machine = machine();
    let host = &machine.host;
    host.create_user(&user("ketan"), &spec("root")).unwrap();
    let with_uid = |uid| UserSpec {
        uid: Some(uid),
        ..spec("root")
    };
    let error = host
        .create_user(&user("ketan"), &with_uid(2000))
        .unwrap_err();
    assert_eq!(error.to_string(), "user ketan has the id 1000, not 2000");
    let error = host
        .create_user(&user("other"), &with_uid(1000))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "user other cannot have the id 1000, which is that of user ketan"
    );
    let error = host
        .create_user(&user("other"), &spec("nobody"))
        .unwrap_err();
    assert!(matches!(error, AccountError::NoGroup { .. }), "{error}");
}

#[test]
fn lines_that_are_not_understood_survive() {
    let machine = machine();
    let etc = machine.dir.path().join("etc");
    std::fs::create_dir(&etc).unwrap();
    let odd = "root:x:0:0:root:/root:/bin/bash\nDebian-exim:x:100:102::/var/spool/exim4:/usr/sbin/nologin\nodd line\n+::::::\n";
    crate::host::durable::replace(
        &etc.join("passwd"),
        odd.as_bytes(),
        crate::host::FileMode::from_bits(0o644),
    )
    .unwrap();
    machine
        .host
        .create_user(&user("ketan"), &spec("root"))
        .unwrap();
    let text = machine.read("passwd");
    assert!(text.contains("odd line\nketan:x:1000:0:"), "{text}");
    assert!(text.ends_with("\n+::::::\n"), "{text}");
}

#[test]
fn a_hash_that_could_forge_a_line_is_refused_and_not_repeated() {
    let machine = machine();
    machine
        .host
        .create_user(&user("ketan"), &spec("root"))
        .unwrap();
    for bad in ["", "a:b", "a\nroot::0:0:::"] {
        let error = machine
            .host
            .set_password_hash(&user("ketan"), bad)
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "the password hash of user ketan is not a crypt(3) hash"
        );
    }
}

#[test]
fn the_superuser_is_never_locked() {
    let machine = machine();
    let error = machine.host.lock_user(&user("root")).unwrap_err();
    assert!(matches!(error, AccountError::Superuser { .. }));
}

#[test]
fn expiry_and_subordinate_ids_are_written_once_and_groups_are_left() {
    let machine = machine();
    let host = &machine.host;
    for name in ["ketan", "sudo"] {
        host.create_group(&group(name), &SYSTEM_GROUP).unwrap();
    }
    let range = SubIds {
        start: 100_000,
        count: 65_536,
    };
    let wanted = UserSpec {
        groups: [group("sudo")].into(),
        expires: Expires::On(21_183),
        subids: Some(range),
        ..spec("ketan")
    };
    host.create_user(&user("ketan"), &wanted).unwrap();
    host.modify_user(&user("ketan"), &wanted).unwrap();
    assert_eq!(machine.read("subuid"), "ketan:100000:65536\n");
    assert_eq!(machine.read("subgid"), "ketan:100000:65536\n");
    assert!(machine.read("shadow").contains("ketan:!::::::21183:\n"));
    let accounts = host.accounts().unwrap();
    assert_eq!(accounts.subuids["ketan"], [range]);
    assert_eq!(accounts.users[&user("ketan")].expires, Some(21_183));

    let kept = spec("ketan");
    host.modify_user(&user("ketan"), &kept).unwrap();
    assert!(machine.read("shadow").contains("ketan:!::::::21183:\n"));
    let never = UserSpec {
        expires: Expires::Never,
        ..spec("ketan")
    };
    host.modify_user(&user("ketan"), &never).unwrap();
    assert!(machine.read("shadow").contains("ketan:!:::::::\n"));

    assert!(machine.read("group").contains(":ketan\n"));
    let groups = [group("sudo"), group("nowhere")].into();
    host.leave_groups(&user("ketan"), &groups).unwrap();
    assert!(!machine.read("group").contains(":ketan\n"));
    host.leave_groups(&user("ketan"), &groups).unwrap();
}
