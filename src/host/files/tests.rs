use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use super::*;
use crate::host::abreast;
use crate::host::{Attributes, Digest, PathState, durable};

mod hostile;
mod readers;

struct Place {
    dir: tempfile::TempDir,
    host: Host,
}

const ROOT: Owner = Owner::Ids { uid: 0, gid: 0 };
const MODE: FileMode = FileMode::from_bits(0o644);

/// An owner that the running user may set.
fn own() -> Owner {
    Owner::Ids {
        uid: rustix::process::geteuid().as_raw(),
        gid: rustix::process::getegid().as_raw(),
    }
}

fn place() -> Place {
    let dir = tempfile::tempdir().unwrap();
    let host = Host::below(dir.path()).unwrap();
    fs::create_dir(dir.path().join("etc")).unwrap();
    Place { dir, host }
}

fn path(text: &str) -> HostPath {
    HostPath::new(text).unwrap()
}

fn is_root(test: &str) -> bool {
    let is_root = rustix::process::geteuid().is_root();
    if !is_root {
        println!("SKIP {test}: needs root");
    }
    is_root
}

impl Place {
    fn at(&self, path: &str) -> std::path::PathBuf {
        self.dir.path().join(&path[1..])
    }

    fn put(&self, path: &str, content: &str) {
        durable::replace(&self.at(path), content.as_bytes(), MODE).unwrap();
    }

    fn names(&self, directory: &str) -> Vec<String> {
        self.host.list(&path(directory)).unwrap().unwrap()
    }
}

#[test]
fn staged_files_are_seen_when_they_are_placed_and_those_discarded_leave_nothing() {
    let place = place();
    let names: Vec<String> = (0..20).map(|number| format!("/etc/{number:02}")).collect();
    place.put("/etc/00", "old");
    let attributes = Attributes::default();
    let image = FileImage {
        content: b"new",
        owner: own(),
        mode: FileMode::from_bits(0o440),
        attributes: &attributes,
    };
    let stage = |name: &String| place.host.stage_file(&path(name), image, Over::Anything);
    for count in [2, 20] {
        let staged = abreast(&names[..count], stage);
        let mut staged: Vec<StagedFile> = staged.into_iter().map(Result::unwrap).collect();
        assert_eq!(fs::read_to_string(place.at("/etc/00")).unwrap(), "old");
        place.host.discard_staged(staged.pop().unwrap());
        for file in staged {
            place.host.place_staged(file).unwrap();
        }
        let placed: Vec<String> = (0..count - 1)
            .map(|number| format!("{number:02}"))
            .collect();
        assert_eq!(place.names("/etc"), placed);
        let metadata = fs::metadata(place.at("/etc/00")).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o7777, 0o440);
        assert_eq!(fs::read_to_string(place.at("/etc/00")).unwrap(), "new");
        place.put("/etc/00", "old");
    }
}

#[test]
fn a_staged_file_does_not_replace_what_must_not_be_there() {
    let place = place();
    let attributes = Attributes::default();
    let image = FileImage {
        content: b"new",
        owner: own(),
        mode: MODE,
        attributes: &attributes,
    };
    let staged = place.host.stage_file(&path("/etc/a"), image, Over::Nothing);
    let staged = staged.unwrap();
    place.put("/etc/a", "theirs");
    let error = place.host.place_staged(staged).unwrap_err();
    assert!(
        matches!(error.kind, FileErrorKind::InTheWay { .. }),
        "{error}"
    );
    assert_eq!(fs::read_to_string(place.at("/etc/a")).unwrap(), "theirs");
    assert_eq!(place.names("/etc"), ["a"]);
}

#[test]
fn a_written_file_has_content_mode_and_owner_and_nothing_is_left_beside_it() {
    let place = place();
    let motd = path("/etc/motd");
    let mode = FileMode::from_bits(0o4750);
    place.host.write_file(&motd, b"hello", own(), mode).unwrap();
    let owner = match place.host.ownership() {
        Ownership::Kept => own(),
        Ownership::Ignored => Owner::Unknown,
    };
    assert_eq!(
        place.host.look(&motd).unwrap(),
        PathState::File {
            content: Digest::of(b"hello"),
            mode,
            owner,
            attributes: Attributes::default(),
        }
    );
    assert_eq!(place.names("/etc"), ["motd"]);
    assert_eq!(place.host.read_file(&motd, 5).unwrap().unwrap(), b"hello");
    let error = place.host.read_file(&motd, 4).unwrap_err();
    assert!(matches!(error.kind, FileErrorKind::TooLarge { .. }));
}

#[test]
fn owners_are_set_by_root() {
    if !is_root("owners_are_set_by_root") {
        return;
    }
    let place = place();
    let owner = Owner::Ids {
        uid: 1234,
        gid: 4321,
    };
    let setuid = FileMode::from_bits(0o4755);
    place
        .host
        .write_file(&path("/etc/x"), b"", owner, setuid)
        .unwrap();
    let found = fs::metadata(place.at("/etc/x")).unwrap();
    assert_eq!(
        (found.uid(), found.gid(), found.mode() & 0o7777),
        (1234, 4321, 0o4755)
    );
}

#[test]
fn every_kind_of_thing_is_seen_for_what_it_is() {
    let place = place();
    symlink("/nowhere", place.at("/etc/dangling")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        place.at("/etc/fifo"),
        rustix::fs::FileType::Fifo,
        Mode::RUSR,
        0,
    )
    .unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(place.at("/etc/socket")).unwrap();
    let look = |text| place.host.look(&path(text)).unwrap();
    assert_eq!(look("/etc/none"), PathState::Absent);
    assert_eq!(look("/none/at/all"), PathState::Absent);
    assert_eq!(
        look("/etc/dangling"),
        PathState::Symlink {
            target: "/nowhere".to_owned()
        }
    );
    assert!(matches!(look("/etc"), PathState::Directory { .. }));
    for (name, words) in [("/etc/fifo", "a FIFO"), ("/etc/socket", "a socket")] {
        assert_eq!(
            look(name),
            PathState::Other {
                what: words.to_owned()
            }
        );
        let error = place.host.read_file(&path(name), 10).unwrap_err();
        assert!(
            matches!(error.kind, FileErrorKind::InTheWay { .. }),
            "{error}"
        );
    }
}

#[test]
fn a_linked_or_blocked_parent_is_refused_by_every_act() {
    let place = place();
    let outside = tempfile::tempdir().unwrap();
    symlink(outside.path(), place.at("/var")).unwrap();
    place.put("/etc/file", "x");
    let host = &place.host;
    for (target, expected) in [
        ("/var/x", "is a symbolic link to"),
        ("/etc/file/x", "is not a directory"),
    ] {
        let target = path(target);
        let errors = [
            host.write_file(&target, b"x", ROOT, MODE).unwrap_err(),
            host.make_directory(&target, ROOT, MODE).unwrap_err(),
            host.make_symlink(&target, "y").unwrap_err(),
            host.remove(&target).unwrap_err(),
            host.read_file(&target, 1).unwrap_err(),
        ];
        for error in errors {
            let cause = error.kind.to_string();
            assert!(cause.contains(expected), "{cause}");
            assert!(error.hint().is_some());
        }
        let PathState::Other { what } = host.look(&target).unwrap() else {
            panic!("a blocked parent was not seen");
        };
        assert!(what.contains(expected), "{what}");
        assert_eq!(host.list(&target).unwrap(), None);
    }
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
}

#[test]
fn a_missing_parent_is_an_error_that_names_it() {
    let place = place();
    let error = place
        .host
        .write_file(&path("/opt/app/conf"), b"x", ROOT, MODE)
        .unwrap_err();
    assert!(error.is_not_found());
    assert!(
        error.kind.to_string().ends_with("/opt does not exist"),
        "{error:?}"
    );
    assert_eq!(
        place.host.make_parents(&path("/opt/app/conf")).unwrap(),
        [path("/opt"), path("/opt/app")]
    );
    assert!(
        place
            .host
            .make_parents(&path("/opt/app/conf"))
            .unwrap()
            .is_empty()
    );
}

#[test]
fn a_link_is_replaced_never_written_through() {
    let place = place();
    place.put("/etc/target", "safe");
    symlink("target", place.at("/etc/link")).unwrap();
    place
        .host
        .write_file(&path("/etc/link"), b"new", own(), MODE)
        .unwrap();
    assert_eq!(fs::read(place.at("/etc/target")).unwrap(), b"safe");
    assert!(
        fs::symlink_metadata(place.at("/etc/link"))
            .unwrap()
            .is_file()
    );
}

#[test]
fn a_directory_in_the_way_stays_and_no_temporary_is_left() {
    let place = place();
    fs::create_dir_all(place.at("/etc/dir/sub")).unwrap();
    let dir = path("/etc/dir");
    for error in [
        place.host.write_file(&dir, b"x", own(), MODE).unwrap_err(),
        place.host.make_symlink(&dir, "x").unwrap_err(),
    ] {
        assert_eq!(error.kind.to_string(), "a directory is in the way");
    }
    assert_eq!(place.host.remove(&dir).unwrap(), Removed::NotEmpty);
    assert_eq!(place.names("/etc"), ["dir"]);
    place.put("/etc/file", "x");
    let error = place
        .host
        .make_directory(&path("/etc/file"), own(), MODE)
        .unwrap_err();
    assert_eq!(error.kind.to_string(), "a file is in the way");
}

#[test]
fn removing_says_what_was_there() {
    let place = place();
    place.put("/etc/file", "x");
    symlink("/nowhere", place.at("/etc/link")).unwrap();
    fs::create_dir(place.at("/etc/dir")).unwrap();
    for name in ["/etc/file", "/etc/link", "/etc/dir"] {
        assert_eq!(place.host.remove(&path(name)).unwrap(), Removed::Yes);
        assert_eq!(place.host.remove(&path(name)).unwrap(), Removed::WasAbsent);
    }
    assert_eq!(
        place.host.remove(&path("/no/parent")).unwrap(),
        Removed::WasAbsent
    );
}

#[test]
fn a_directory_gets_its_mode_when_made_and_when_there() {
    let place = place();
    for bits in [0o750, 0o2775] {
        let mode = FileMode::from_bits(bits);
        place
            .host
            .make_directory(&path("/etc/d"), own(), mode)
            .unwrap();
        assert_eq!(
            fs::metadata(place.at("/etc/d")).unwrap().mode() & 0o7777,
            bits
        );
    }
}

#[test]
fn a_directory_is_born_with_its_mode_if_it_is_its_makers_and_closed_if_it_is_to_be_given_away() {
    let host = place().host;
    let mode = FileMode::from_bits(0o755);
    let account = Acting::As { uid: 7, gid: 8 };
    let born = |maker, owner| host.mode_at_birth(maker, owner, mode).as_raw_mode();
    assert_eq!(born(Acting::Ourselves, own()), 0o755);
    assert_eq!(born(account, Owner::Ids { uid: 7, gid: 8 }), 0o755);
    if is_root("a directory to be given away") {
        assert_eq!(
            born(Acting::Ourselves, Owner::Ids { uid: 7, gid: 8 }),
            0o700
        );
        assert_eq!(born(account, own()), 0o700);
    }
}

#[test]
fn a_parent_that_others_can_change_is_refused() {
    if !is_root("a_parent_that_others_can_change_is_refused") {
        return;
    }
    let place = place();
    let open = place.at("/open");
    fs::create_dir(&open).unwrap();
    let user = Owner::Ids {
        uid: 1234,
        gid: 1234,
    };
    let write = |owner| place.host.write_file(&path("/open/x"), b"", owner, MODE);
    let refused = |owner| write(owner).unwrap_err().kind.to_string();
    let set = |uid, gid, mode| {
        std::os::unix::fs::chown(&open, Some(uid), Some(gid)).unwrap();
        fs::set_permissions(&open, fs::Permissions::from_mode(mode)).unwrap();
    };
    set(0, 0, 0o777);
    assert!(refused(ROOT).ends_with("writable by everybody"));
    set(0, 0, 0o1777);
    write(ROOT).unwrap();
    set(0, 50, 0o775);
    assert!(refused(ROOT).ends_with("writable by group id 50"));
    set(0, 0, 0o775);
    write(ROOT).unwrap();
    set(1234, 1234, 0o775);
    assert!(refused(ROOT).contains("owned by user id 1234"));
    write(user).unwrap();
    // Nothing is left there that could be exchanged.
    assert_eq!(place.host.remove(&path("/open/x")).unwrap(), Removed::Yes);
    fs::create_dir(open.join("sub")).unwrap();
    let below = path("/open/sub/x");
    let error = place.host.write_file(&below, b"", ROOT, MODE).unwrap_err();
    assert!(
        matches!(error.kind, FileErrorKind::UnsafeParent { .. }),
        "{error}"
    );
}

#[test]
fn only_leftovers_of_the_transaction_are_swept() {
    let place = place();
    place.put("/etc/.steadfast-00000007-0123456789abcdef", "half");
    symlink("x", place.at("/etc/.steadfast-00000007-fedcba9876543210")).unwrap();
    let others = [
        ".steadfast-00000007-notes",
        ".steadfast-00000008-0123456789abcdef",
        ".steadfast-0123456789abcdef",
        "motd",
    ];
    for other in others {
        place.put(&format!("/etc/{other}"), "mine");
    }
    assert_eq!(place.host.sweep_temporaries(&path("/etc"), 7).unwrap(), 2);
    assert_eq!(place.names("/etc"), others);
    assert_eq!(place.host.sweep_temporaries(&path("/none"), 7).unwrap(), 0);
}

#[test]
fn unfinished_files_carry_the_number_of_their_transaction() {
    let place = place();
    let name = place.host.temporary_name();
    assert!(is_temporary(&name));
    assert_eq!(process_of(&name), Some(std::process::id()));
    let name = place.host.within(42).temporary_name();
    assert!(name.starts_with(".steadfast-00000042-"), "{name}");
    assert!(is_temporary(&name));
    assert_eq!(process_of(&name), None);
    assert!(!is_temporary(".steadfast-42-0123456789abcdef"));
}

#[test]
fn directories_that_are_gone_need_no_sync() {
    let place = place();
    let directories = [path("/etc"), path("/gone")].into();
    place.host.sync_directories(&directories).unwrap();
}

/// Somebody exchanges the parent by a link to elsewhere, again and again; nothing may ever land there.
#[test]
fn an_exchanged_parent_never_leads_elsewhere() {
    let place = place();
    let elsewhere = tempfile::tempdir().unwrap();
    fs::create_dir(place.at("/etc/real")).unwrap();
    symlink(elsewhere.path(), place.at("/etc/trap")).unwrap();
    let (real, trap) = (place.at("/etc/real"), place.at("/etc/trap"));
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            use rustix::fs::{CWD, RenameFlags, renameat_with};
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                renameat_with(CWD, &real, CWD, &trap, RenameFlags::EXCHANGE).unwrap();
            }
        });
        let target = path("/etc/real/file");
        for _ in 0..300 {
            // Either it lands in the real directory, or it is refused.
            let _ = place.host.write_file(&target, b"x", own(), MODE);
            let _ = place.host.make_symlink(&target, "y");
            let _ = place.host.remove(&target);
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
}
