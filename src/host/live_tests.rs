//! On a whole live machine. These tests change it, so they run only on a host made for it: one with the marker file.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::exec::Program;
use super::memory::{self, SecretsBacking};
use super::{
    AccountError, Arriving, Expires, GroupName, GroupSpec, Hold, Host, HostPath, PackageError,
    PackageName, UserName, UserSpec,
};

fn test_host(name: &str) -> Option<Host> {
    const MARKER: &str = "/run/steadfast-test-host";
    if Path::new(MARKER).exists() {
        return Some(Host::live().unwrap());
    }
    println!("SKIP {name}: not on a test host ({MARKER})");
    None
}

fn user(text: &str) -> UserName {
    UserName::new(text).unwrap()
}

fn group(text: &str) -> GroupName {
    GroupName::new(text).unwrap()
}

#[test]
fn accounts_are_made_changed_and_locked_by_the_systems_tools() {
    let Some(host) = test_host("accounts_are_made_changed_and_locked_by_the_systems_tools") else {
        return;
    };
    // A run before this one may have left the account.
    let _ = Program::new("userdel").arg("ketan").run();
    for name in ["ketan", "web"] {
        host.create_group(
            &group(name),
            &GroupSpec {
                gid: None,
                system: name == "web",
            },
        )
        .unwrap();
    }
    let mut spec = UserSpec {
        uid: None,
        group: group("ketan"),
        groups: BTreeSet::new(),
        description: Some("Ketan".to_owned()),
        home: HostPath::new("/home/ketan").unwrap(),
        shell: None,
        system: false,
        expires: Expires::Kept,
        subids: None,
    };
    host.create_user(&user("ketan"), &spec).unwrap();
    assert!(Path::new("/home/ketan").is_dir());
    host.set_password_hash(&user("ketan"), "$y$j9T$abc$def")
        .unwrap();
    spec.groups.insert(group("web"));
    spec.shell = Some(HostPath::new("/bin/bash").unwrap());
    spec.description = Some("Ketan V".to_owned());
    host.modify_user(&user("ketan"), &spec).unwrap();
    host.modify_user(&user("ketan"), &spec).unwrap();
    let before = host.accounts().unwrap();
    let found = &before.users[&user("ketan")];
    assert_eq!(
        (found.shell.as_str(), found.description.as_str()),
        ("/bin/bash", "Ketan V")
    );
    assert_eq!(found.locked, Some(false));
    assert!(before.groups[&group("web")].members.contains("ketan"));
    host.lock_user(&user("ketan")).unwrap();
    assert_eq!(
        host.accounts().unwrap().users[&user("ketan")].locked,
        Some(true)
    );
    host.modify_user(&user("ketan"), &spec).unwrap();
    assert_eq!(host.accounts().unwrap(), before);
    let taken = UserSpec {
        uid: Some(found.uid),
        ..spec
    };
    let error = host.create_user(&user("other"), &taken).unwrap_err();
    assert!(matches!(error, AccountError::IdTaken { .. }), "{error}");
}

#[test]
fn an_account_without_a_password_can_be_locked_and_opened() {
    let Some(host) = test_host("an_account_without_a_password_can_be_locked_and_opened") else {
        return;
    };
    let spec = UserSpec {
        uid: None,
        group: group("nogroup"),
        groups: BTreeSet::new(),
        description: None,
        home: HostPath::new("/nonexistent").unwrap(),
        shell: None,
        system: true,
        expires: Expires::Kept,
        subids: None,
    };
    host.create_user(&user("daemon2"), &spec).unwrap();
    let before = host.accounts().unwrap();
    host.lock_user(&user("daemon2")).unwrap();
    host.lock_user(&user("daemon2")).unwrap();
    assert_eq!(
        host.accounts().unwrap().users[&user("daemon2")].locked,
        Some(true)
    );
    host.modify_user(&user("daemon2"), &spec).unwrap();
    assert_eq!(host.accounts().unwrap(), before);
}

#[test]
fn secrets_lie_on_a_ramfs_that_is_mounted_once() {
    let Some(host) = test_host("secrets_lie_on_a_ramfs_that_is_mounted_once") else {
        return;
    };
    let path = HostPath::new("/run/secrets-test.d").unwrap();
    for _ in 0..2 {
        assert_eq!(host.mount_ramfs(&path).unwrap(), SecretsBacking::Ramfs);
    }
    let mounts = fs::read_to_string("/proc/mounts").unwrap();
    let ours: Vec<&str> = mounts
        .lines()
        .filter(|line| line.contains(path.as_str()))
        .collect();
    assert_eq!(ours.len(), 1, "{ours:?}");
    for word in ["ramfs", "nosuid", "nodev", "noexec", "mode=751"] {
        assert!(ours[0].contains(word), "{ours:?}");
    }
    assert!(memory::memory_backed(path.as_path()).unwrap());
    memory::lock_memory().unwrap();
}

#[test]
fn the_kernel_takes_names_and_parameters() {
    let Some(host) = test_host("the_kernel_takes_names_and_parameters") else {
        return;
    };
    let before = host.hostname().unwrap();
    host.set_hostname("renamed").unwrap();
    assert_eq!(host.hostname().unwrap(), "renamed");
    host.set_hostname(&before).unwrap();
    let set = host.set_sysctl("net.ipv4.ip_local_port_range", "20000 60000");
    if let Err(error) = set {
        println!("SKIP parameters: {error}: {:?}", error.hint());
        return;
    }
    assert_eq!(
        host.sysctl("net.ipv4.ip_local_port_range")
            .unwrap()
            .unwrap(),
        "20000 60000"
    );
    let error = host
        .set_sysctl("net.ipv4.ip_forward", "nonsense")
        .unwrap_err();
    assert!(error.hint().is_some(), "{error:?}");
}

#[test]
fn a_package_that_is_nowhere_is_refused_before_anything_is_installed() {
    let Some(host) = test_host("a_package_that_is_nowhere_is_refused") else {
        return;
    };
    // `curl-` is an order to remove curl, for apt.
    let packages = ["no-such-package-at-all", "dpkg-"].map(|name| PackageName::new(name).unwrap());
    let error = host
        .install_packages(&packages.into(), &mut |_| Ok(()))
        .unwrap_err();
    assert!(
        matches!(
            error,
            PackageError::Unknown { .. } | PackageError::Update { .. }
        ),
        "{error}"
    );
    assert!(error.hint().is_some());
}

#[test]
fn a_package_is_installed_once() {
    let Some(host) = test_host("a_package_is_installed_once") else {
        return;
    };
    let packages: BTreeSet<_> = [PackageName::new("hello").unwrap()].into();
    let mut told = Vec::new();
    let mut remember = |arriving: &BTreeMap<PackageName, Arriving>| {
        told.push(arriving.keys().cloned().collect::<BTreeSet<_>>());
        Ok(())
    };
    if let Err(error) = host.install_packages(&packages, &mut remember) {
        println!(
            "SKIP a_package_is_installed_once: {error}: {:?}",
            error.hint()
        );
        return;
    }
    assert_eq!(told, std::slice::from_ref(&packages));
    let has_it = || {
        host.installed_packages()
            .unwrap()
            .unwrap()
            .versions
            .contains_key("hello")
    };
    assert!(has_it());
    let again = host.install_packages(&packages, &mut |_| Ok(())).unwrap();
    assert!(again.is_empty(), "{again:?}");
    host.hold_packages(&packages, Hold::Set).unwrap();
    assert!(
        host.installed_packages()
            .unwrap()
            .unwrap()
            .held
            .contains("hello")
    );
    host.hold_packages(&packages, Hold::Release).unwrap();
    assert_eq!(host.remove_packages(&packages).unwrap(), packages);
    assert!(!has_it());
}

/// Last, because the rest of the process can no longer be dumped.
#[test]
fn a_hardened_process_cannot_be_dumped() {
    if test_host("a_hardened_process_cannot_be_dumped").is_none() {
        return;
    }
    memory::harden_process().unwrap();
    let limits = fs::read_to_string("/proc/self/limits").unwrap();
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"))
        .unwrap();
    assert!(core.contains(" 0 "), "{core}");
}
