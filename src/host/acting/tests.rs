#![expect(clippy::disallowed_methods, reason = "a test's own temporary files")]

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::geteuid;

use crate::host::{FileMode, Host, HostPath, Owner};

const ACCOUNT: u32 = 54_321;
const OWNER: Owner = Owner::Ids {
    uid: ACCOUNT,
    gid: ACCOUNT,
};
const MODE: FileMode = FileMode::from_bits(0o600);

/// A root with the home of an account in it, and a directory of root's.
struct Place {
    dir: tempfile::TempDir,
    host: Host,
}

impl Place {
    /// `None` where nobody else's rights can be taken on, which is said.
    fn new(test: &str) -> Option<Self> {
        if !geteuid().is_root() {
            println!("SKIP {test}: needs root");
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        // Or the account could not get to its home.
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let host = Host::below(dir.path()).unwrap();
        for (path, owner) in [
            ("home", 0),
            ("home/k", ACCOUNT),
            ("home/k/app", ACCOUNT),
            ("vault", 0),
        ] {
            fs::create_dir(dir.path().join(path)).unwrap();
            chown(dir.path().join(path), Some(owner), Some(owner)).unwrap();
        }
        Some(Self { dir, host })
    }

    fn at(&self, path: &str) -> std::path::PathBuf {
        self.dir.path().join(path)
    }
}

fn path(text: &str) -> HostPath {
    HostPath::new(text).unwrap()
}

#[test]
fn what_is_made_in_a_home_is_the_accounts_links_too() {
    let Some(place) = Place::new("what_is_made_in_a_home_is_the_accounts_links_too") else {
        return;
    };
    let host = &place.host;
    host.write_file(&path("/home/k/a"), b"a", OWNER, MODE)
        .unwrap();
    host.make_directory(&path("/home/k/d"), OWNER, FileMode::from_bits(0o700))
        .unwrap();
    host.make_symlink(&path("/home/k/l"), "a").unwrap();
    host.make_symlink(&path("/vault/l"), "a").unwrap();
    for (at, uid) in [
        ("home/k/a", ACCOUNT),
        ("home/k/d", ACCOUNT),
        ("home/k/l", ACCOUNT),
        ("vault/l", 0),
    ] {
        let found = fs::symlink_metadata(place.at(at)).unwrap();
        assert_eq!((found.uid(), found.gid()), (uid, uid), "{at}");
    }
    assert!(geteuid().is_root(), "the thread is itself again");
}

#[test]
fn what_is_roots_in_a_home_is_neither_changed_nor_given_away() {
    let Some(place) = Place::new("what_is_roots_in_a_home_is_neither_changed_nor_given_away")
    else {
        return;
    };
    let host = &place.host;
    fs::create_dir(place.at("home/k/roots")).unwrap();
    fs::write(place.at("home/k/roots/file"), "root").unwrap();
    fs::write(place.at("home/k/secret"), "root").unwrap();
    fs::set_permissions(place.at("home/k/secret"), fs::Permissions::from_mode(0o600)).unwrap();
    let file = path("/home/k/roots/file");
    assert!(host.remove(&file).is_err());
    assert!(host.make_symlink(&file, "x").is_err());
    assert!(host.write_file(&file, b"x", OWNER, MODE).is_err());
    assert!(
        host.make_directory(&path("/home/k/roots"), OWNER, MODE)
            .is_err()
    );
    assert_eq!(fs::read(place.at("home/k/roots/file")).unwrap(), b"root");
    for at in ["home/k/roots", "home/k/roots/file", "home/k/secret"] {
        assert_eq!(fs::metadata(place.at(at)).unwrap().uid(), 0, "{at}");
    }
    // What lies there can be replaced: that much the account could do itself.
    host.write_file(&path("/home/k/secret"), b"new", OWNER, MODE)
        .unwrap();
    assert_eq!(
        fs::metadata(place.at("home/k/secret")).unwrap().uid(),
        ACCOUNT
    );
}

#[test]
fn a_home_whose_directories_become_links_leads_root_nowhere() {
    let Some(place) = Place::new("a_home_whose_directories_become_links_leads_root_nowhere") else {
        return;
    };
    fs::write(place.at("vault/conf"), "vault").unwrap();
    fs::write(place.at("vault/other"), "vault").unwrap();
    let over = AtomicBool::new(false);
    let mut written = 0;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let (app, real) = (place.at("home/k/app"), place.at("home/k/real"));
            while !over.load(Ordering::Relaxed) {
                fs::rename(&app, &real).unwrap();
                symlink(place.at("vault"), &app).unwrap();
                fs::remove_file(&app).unwrap();
                fs::rename(&real, &app).unwrap();
            }
        });
        for round in 0..3000 {
            let host = &place.host;
            let file = path("/home/k/app/conf");
            written += usize::from(host.write_file(&file, b"home", OWNER, MODE).is_ok());
            // What fails does so because the directory is a link or gone at that moment.
            let _ = host.make_symlink(&path("/home/k/app/link"), "conf");
            let _ = host.make_directory(&path("/home/k/app/sub"), OWNER, MODE);
            let _ = host.remove(&path("/home/k/app/other"));
            if round % 2 == 0 {
                let _ = host.remove(&file);
            }
        }
        over.store(true, Ordering::Relaxed);
    });
    assert!(
        written > 0,
        "nothing was ever written: the test shows nothing"
    );
    let mut names: Vec<_> = fs::read_dir(place.at("vault"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["conf", "other"]);
    for at in ["vault/conf", "vault/other"] {
        assert_eq!(fs::read(place.at(at)).unwrap(), b"vault");
        let found = fs::metadata(place.at(at)).unwrap();
        assert_eq!((found.uid(), found.mode() & 0o777), (0, 0o644), "{at}");
    }
}
