//! A tree whose people are against us: whatever they made of it, nothing outside of it is touched.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::process::Command;

use rustix::fs::{CWD, XattrFlags};

use super::*;

impl Place {
    fn image<'a>(content: &'a [u8], attributes: &'a Attributes) -> FileImage<'a> {
        FileImage {
            content,
            owner: own(),
            mode: MODE,
            attributes,
        }
    }
}

#[test]
fn what_appeared_since_somebody_looked_is_not_replaced() {
    let place = place();
    let none = Attributes::default();
    let file = path("/etc/motd");
    let host = &place.host;
    host.put_file(&file, Place::image(b"ours", &none), Over::Nothing)
        .unwrap();
    place.put("/etc/motd", "an administrator's");
    symlink("nowhere", place.at("/etc/link")).unwrap();
    for (at, found) in [("/etc/motd", "a file"), ("/etc/link", "a symbolic link")] {
        for error in [
            host.put_file(&path(at), Place::image(b"x", &none), Over::Nothing)
                .unwrap_err(),
            host.put_symlink(&path(at), "x", Over::Nothing).unwrap_err(),
        ] {
            assert_eq!(error.kind.to_string(), format!("{found} is in the way"));
        }
    }
    assert_eq!(
        fs::read(place.at("/etc/motd")).unwrap(),
        b"an administrator's"
    );
    assert_eq!(place.names("/etc"), ["link", "motd"]);
}

#[test]
fn another_name_of_a_file_outside_keeps_content_mode_and_owner() {
    let place = place();
    let outside = tempfile::tempdir_in(place.dir.path().parent().unwrap()).unwrap();
    let secret = outside.path().join("secret");
    durable::replace(&secret, b"outside", MODE).unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    fs::hard_link(&secret, place.at("/etc/motd")).unwrap();
    // The same content with another mode, and other content.
    for content in ["outside", "ours"] {
        place
            .host
            .write_file(&path("/etc/motd"), content.as_bytes(), own(), MODE)
            .unwrap();
        assert_eq!(fs::read(place.at("/etc/motd")).unwrap(), content.as_bytes());
        assert_eq!(fs::read(&secret).unwrap(), b"outside");
        let found = fs::metadata(&secret).unwrap();
        assert_eq!((found.mode() & 0o7777, found.nlink()), (0o600, 1));
    }
}

#[test]
fn attributes_are_given_kept_and_taken_with_the_file() {
    let place = place();
    let file = path("/etc/app.conf");
    let probe = place.at("/etc/probe");
    durable::replace(&probe, b"", MODE).unwrap();
    if rustix::fs::setxattr(&probe, "user.note", b"x", XattrFlags::empty()).is_err() {
        println!("SKIP: no extended attributes on this file system");
        return;
    }
    // user 1000 may read; the mask is the mode's.
    let list = [
        &2_u32.to_le_bytes()[..],
        &[1, 0, 0, 0, 255, 255, 255, 255],
        &[2, 0, 4, 0, 232, 3, 0, 0],
        &[4, 0, 0, 0, 255, 255, 255, 255],
        &[16, 0, 0, 0, 255, 255, 255, 255],
        &[32, 0, 0, 0, 255, 255, 255, 255],
    ]
    .concat();
    let all = Attributes::default()
        .with("user.note", b"kept")
        .with("system.posix_acl_access", &list);
    let host = &place.host;
    for mode in [0o640, 0o600, 0o644] {
        let image = FileImage {
            mode: FileMode::from_bits(mode),
            ..Place::image(b"x", &all)
        };
        host.put_file(&file, image, Over::Anything).unwrap();
        let PathState::File {
            attributes,
            mode: found,
            ..
        } = host.look(&file).unwrap()
        else {
            panic!("no file");
        };
        assert_eq!((attributes, found.bits()), (all.clone(), mode));
    }
    let mut raw = [0; 64];
    let length = rustix::fs::getxattr(
        place.at("/etc/app.conf"),
        "system.posix_acl_access",
        &mut raw[..],
    )
    .unwrap();
    let rights = |entry: usize| raw[..length][4 + entry * 8 + 2];
    assert_eq!([rights(0), rights(1), rights(3), rights(4)], [6, 4, 4, 4]);
    host.write_file(&file, b"x", own(), MODE).unwrap();
    let PathState::File { attributes, .. } = host.look(&file).unwrap() else {
        panic!("no file");
    };
    assert!(attributes.is_empty(), "{attributes:?}");
}

#[test]
fn a_list_that_a_directory_hands_down_gives_nobody_more_than_is_declared() {
    let place = place();
    // Everything for user 1000 in whatever is made here.
    let list = [
        &2_u32.to_le_bytes()[..],
        &[1, 0, 7, 0, 255, 255, 255, 255],
        &[2, 0, 7, 0, 232, 3, 0, 0],
        &[4, 0, 5, 0, 255, 255, 255, 255],
        &[16, 0, 7, 0, 255, 255, 255, 255],
        &[32, 0, 5, 0, 255, 255, 255, 255],
    ]
    .concat();
    let name = "system.posix_acl_default";
    if rustix::fs::setxattr(place.at("/etc"), name, &list, XattrFlags::empty()).is_err() {
        println!("SKIP: no access lists on this file system");
        return;
    }
    let mode = FileMode::from_bits(0o660);
    let file = path("/etc/secret.conf");
    place.host.write_file(&file, b"x", own(), mode).unwrap();
    let PathState::File {
        attributes,
        mode: found,
        ..
    } = place.host.look(&file).unwrap()
    else {
        panic!("no file");
    };
    assert_eq!((attributes, found), (Attributes::default(), mode));
}

/// Runs a program; whether it is there and succeeded.
#[expect(
    clippy::disallowed_methods,
    reason = "chattr and mount have no other door"
)]
fn did(program: &str, arguments: &[&str]) -> bool {
    let output = Command::new(program).args(arguments).output();
    output.is_ok_and(|output| output.status.success())
}

#[test]
fn an_immutable_file_is_named_and_stays() {
    let place = place();
    place.put("/etc/resolv.conf", "somebody's");
    let at = place.at("/etc/resolv.conf");
    if !did("chattr", &["+i", at.to_str().unwrap()]) {
        println!("SKIP: chattr +i does not work here");
        return;
    }
    let file = path("/etc/resolv.conf");
    let host = &place.host;
    let errors = [
        host.write_file(&file, b"x", own(), MODE).unwrap_err(),
        host.make_symlink(&file, "x").unwrap_err(),
        host.remove(&file).unwrap_err(),
    ];
    assert!(did("chattr", &["-i", at.to_str().unwrap()]));
    for error in errors {
        let text = error.kind.to_string();
        assert!(text.ends_with("/etc/resolv.conf is immutable"), "{text}");
        assert!(error.hint().unwrap().starts_with("chattr -i"));
    }
    assert_eq!(fs::read(&at).unwrap(), b"somebody's");
    assert_eq!(place.names("/etc"), ["resolv.conf"]);
}

#[test]
fn what_is_mounted_over_a_path_stays_and_so_does_what_it_shows() {
    let place = place();
    let outside = tempfile::tempdir().unwrap();
    durable::replace(&outside.path().join("file"), b"outside", MODE).unwrap();
    place.put("/etc/motd", "below");
    fs::create_dir(place.at("/etc/dir")).unwrap();
    let (file, dir) = (place.at("/etc/motd"), place.at("/etc/dir"));
    let bind = |from: &std::path::Path, to: &std::path::Path| {
        did(
            "mount",
            &["--bind", from.to_str().unwrap(), to.to_str().unwrap()],
        )
    };
    if !bind(&outside.path().join("file"), &file) {
        println!("SKIP: nothing can be mounted here");
        return;
    }
    assert!(bind(outside.path(), &dir));
    let host = &place.host;
    let errors = [
        host.write_file(&path("/etc/motd"), b"x", own(), MODE)
            .unwrap_err(),
        host.remove(&path("/etc/motd")).unwrap_err(),
    ];
    let removed = host.remove(&path("/etc/dir"));
    for mounted in [&file, &dir] {
        assert!(did("umount", &[mounted.to_str().unwrap()]));
    }
    for error in errors {
        assert_eq!(error.kind.to_string(), "a mount point is in the way");
    }
    assert_eq!(removed.unwrap(), Removed::NotEmpty);
    assert_eq!(fs::read(outside.path().join("file")).unwrap(), b"outside");
    assert_eq!(fs::read(&file).unwrap(), b"below");
    assert_eq!(place.names("/etc"), ["dir", "motd"]);
}

#[test]
fn names_nobody_can_spell_are_left_alone() {
    let place = place();
    let odd = [
        &b"line\nbreak"[..],
        b"\xff\xfe",
        b".steadfast-00000001-0123456789abcdef\n",
    ];
    fs::create_dir(place.at("/etc/dir")).unwrap();
    for name in odd {
        let odd = place.at("/etc/dir").join(OsStr::from_bytes(name));
        durable::replace(&odd, b"x", MODE).unwrap();
    }
    symlink(OsStr::from_bytes(b"\xff"), place.at("/etc/odd")).unwrap();
    let host = &place.host;
    host.write_file(&path("/etc/dir/ours"), b"x", own(), MODE)
        .unwrap();
    assert_eq!(host.sweep_temporaries(&path("/etc/dir"), 1).unwrap(), 0);
    assert_eq!(host.remove(&path("/etc/dir")).unwrap(), Removed::NotEmpty);
    assert_eq!(fs::read_dir(place.at("/etc/dir")).unwrap().count(), 4);
    // It could not be put back as it was, so it is nothing that can be taken over.
    let PathState::Other { what } = host.look(&path("/etc/odd")).unwrap() else {
        panic!("a link that cannot be written down was taken for one");
    };
    assert!(what.contains("not UTF-8"), "{what}");
}

/// A directory of ours changes places with a link to elsewhere, and the file itself with one that leads out, again and
/// again; nothing may land there, and nothing there may be seen, changed or removed.
#[test]
fn whoever_swaps_directories_and_files_under_our_hands_gets_nothing() {
    use rustix::fs::{RenameFlags, renameat_with};
    let place = place();
    let elsewhere = tempfile::tempdir().unwrap();
    durable::replace(&elsewhere.path().join("file"), b"elsewhere", MODE).unwrap();
    fs::create_dir(place.at("/etc/real")).unwrap();
    symlink(elsewhere.path(), place.at("/etc/trap")).unwrap();
    place.put("/etc/real/file", "ours");
    symlink(elsewhere.path().join("file"), place.at("/etc/real/lure")).unwrap();
    let done = std::sync::atomic::AtomicBool::new(false);
    let mut landed = 0;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let (real, trap) = (place.at("/etc/real"), place.at("/etc/trap"));
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                let swap = |a: &std::path::Path, b: &std::path::Path| {
                    let _ = renameat_with(CWD, a, CWD, b, RenameFlags::EXCHANGE);
                };
                swap(&real, &trap);
                swap(&real.join("file"), &real.join("lure"));
                swap(&trap.join("file"), &trap.join("lure"));
            }
        });
        let target = path("/etc/real/file");
        let host = &place.host;
        for _ in 0..500 {
            if let Ok(PathState::File { content, .. }) = host.look(&target) {
                assert_ne!(content, Digest::of(b"elsewhere"));
            }
            if let Ok(Some(read)) = host.read_file(&target, 100) {
                assert_ne!(read, b"elsewhere");
            }
            landed += usize::from(host.write_file(&target, b"ours", own(), MODE).is_ok());
            // Refused when the directory is a link at that moment.
            let _ = host.make_directory(&path("/etc/real/sub"), own(), MODE);
            let _ = host.remove(&path("/etc/real/sub"));
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    assert!(
        landed > 0,
        "nothing was ever written: the test shows nothing"
    );
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 1);
    let found = elsewhere.path().join("file");
    assert_eq!(fs::read(&found).unwrap(), b"elsewhere");
    assert_eq!(fs::metadata(&found).unwrap().nlink(), 1);
}
