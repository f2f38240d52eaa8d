use super::*;

fn name(text: &str) -> UserName {
    UserName::new(text).unwrap()
}

/// Accounts with keys; `!` before a name says that it cannot be logged into, `*` that it can become root.
fn logins(accounts: &[&str]) -> Logins {
    let mut logins = Logins::default();
    for text in accounts {
        let account = name(text.trim_start_matches(['!', '*']));
        let failure = text.starts_with('!').then(|| "refused".to_owned());
        if failure.is_none() {
            logins.able.insert(account.clone());
            if text.starts_with('*') {
                logins.operators.insert(account.clone());
            }
        }
        logins.with_keys.push((account, failure));
    }
    logins
}

fn compared(before: &[&str], now: &[&str]) -> Result<(), String> {
    compare(&logins(before), &logins(now), Operators::Kept)
}

#[test]
fn people_come_and_go_as_long_as_one_of_them_can_become_root() {
    assert_eq!(compared(&["*anna", "*ketan"], &["*anna"]), Ok(()));
    assert_eq!(compared(&["*anna"], &["*ketan"]), Ok(()));
    assert_eq!(compared(&["ketan"], &[]), Ok(()), "no operator was lost");
    let error = compared(&["*anna", "ketan"], &["ketan"]).unwrap_err();
    assert_eq!(
        error,
        "nobody with a key can become root any more, as anna could"
    );
    let last = (logins(&["*anna"]), logins(&[]));
    assert!(compare(&last.0, &last.1, Operators::MayGo).is_ok());
}

#[test]
fn a_login_that_is_broken_for_all_who_have_keys_is_told_from_one_person_going() {
    let error = compared(&["ketan"], &["!ketan"]).unwrap_err();
    assert_eq!(
        error,
        "nobody can log in with a key any more: ketan: refused"
    );
    assert_eq!(compared(&["anna", "ketan"], &["anna", "!ketan"]), Ok(()));
    assert_eq!(
        compared(&["!ketan"], &["!ketan"]),
        Ok(()),
        "it did not work before"
    );
}

#[test]
fn keys_that_others_could_change_are_none_as_for_sshd() {
    let directory = tempfile::tempdir().unwrap();
    let home = directory.path().join("home");
    let ssh = home.join(".ssh");
    std::fs::create_dir_all(&ssh).unwrap();
    let file = ssh.join("authorized_keys");
    std::fs::File::create(&file).unwrap();
    let set = |path: &Path, mode| {
        std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    };
    let uid = std::fs::metadata(&file).unwrap().uid();
    for (path, mode) in [(&home, 0o755), (&ssh, 0o700), (&file, 0o600)] {
        set(path, mode);
    }
    assert_eq!(unsafe_path(&file, &home, uid), None);
    set(&file, 0o666);
    assert_eq!(unsafe_path(&file, &home, uid), Some(file.clone()));
    set(&file, 0o600);
    set(&ssh, 0o775);
    assert_eq!(unsafe_path(&file, &home, uid), Some(ssh));
}

#[test]
fn comments_are_no_keys() {
    assert!(!has_keys(b"\n  # ssh-ed25519 AAAA\n"));
    assert!(has_keys(b"# of ketan\nssh-ed25519 AAAA ketan\n"));
}
