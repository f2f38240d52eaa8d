use super::*;
use crate::host::FileErrorKind;
use std::time::Duration;

const MODE: FileMode = FileMode::from_bits(0o640);

#[test]
fn a_file_is_replaced_with_its_mode_and_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.json");
    replace(&path, b"one", MODE).unwrap();
    replace(&path, b"two", MODE).unwrap();
    assert_eq!(read(&path, 10).unwrap().unwrap(), b"two");
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o640);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn a_failed_replacement_leaves_no_temporary() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.json");
    fs::create_dir(&path).unwrap();
    let error = replace(&path, b"x", MODE).unwrap_err();
    assert!(error.to_string().starts_with("cannot write "), "{error}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn a_link_is_replaced_in_one_step() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("current");
    replace_link(&path, Path::new("generations/1")).unwrap();
    replace_link(&path, Path::new("generations/2")).unwrap();
    assert_eq!(fs::read_link(&path).unwrap(), Path::new("generations/2"));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn appended_lines_follow_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    append(&path, b"a\n", MODE).unwrap();
    append(&path, b"b\n", MODE).unwrap();
    assert_eq!(read(&path, 10).unwrap().unwrap(), b"a\nb\n");
}

#[test]
fn missing_is_none_and_too_large_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f");
    assert!(read(&path, 10).unwrap().is_none());
    replace(&path, b"0123456789", MODE).unwrap();
    assert!(read(&path, 10).is_ok());
    let error = read(&path, 9).unwrap_err();
    assert!(matches!(
        error.kind,
        FileErrorKind::TooLarge { limit_bytes: 9 }
    ));
}

#[test]
fn a_held_lock_names_its_holder_and_a_dropped_one_is_free() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("lock");
    let held = lock(&path).unwrap();
    let error = lock(&path).unwrap_err();
    assert!(
        matches!(error, LockError::Held { pid: Some(pid), .. } if pid == std::process::id()),
        "{error}"
    );
    drop(held);
    drop(lock(&path).unwrap());
}

#[test]
fn a_removed_file_can_be_removed_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f");
    replace(&path, b"x", MODE).unwrap();
    remove(&path).unwrap();
    remove(&path).unwrap();
    syncfs(dir.path()).unwrap();
}

#[test]
fn a_replaced_file_keeps_its_mode_where_that_is_asked() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    replace_keeping(&path, b"1", FileMode::from_bits(0o640)).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o604)).unwrap();
    replace_keeping(&path, b"2", FileMode::from_bits(0o640)).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"2");
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o7777,
        0o604
    );
}

#[test]
fn unfinished_files_go_when_their_process_is_gone() {
    let directory = tempfile::tempdir().unwrap();
    let alive = temporary_beside(&directory.path().join("x"));
    // Larger than any process id can be.
    let dead = directory
        .path()
        .join(".steadfast-p99999999-0123456789abcdef");
    let others = directory
        .path()
        .join(".steadfast-00000001-0123456789abcdef");
    for path in [&alive, &dead, &others] {
        fs::File::create(path).unwrap();
    }
    sweep_the_dead(directory.path());
    assert_eq!(
        [&alive, &dead, &others].map(|path| path.exists()),
        [true, false, true]
    );
}

#[test]
fn room_is_kept_until_it_is_released() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("reserve");
    reserve(&path, 1 << 20, FileMode::from_bits(0o600)).unwrap();
    let kept = reserved_bytes(&path).unwrap();
    // A file system that promises nothing keeps nothing.
    assert!(kept == 0 || kept >= 1 << 20, "{kept}");
    reserve(&path, 1 << 20, FileMode::from_bits(0o600)).unwrap();
    assert_eq!(reserved_bytes(&path), Some(kept));
    remove(&path).unwrap();
    assert_eq!(reserved_bytes(&path), None);
}

#[test]
fn a_lock_that_is_handed_over_is_held_until_both_are_done_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("lock");
    let is_held = || matches!(lock(&path), Err(LockError::Held { .. }));
    let ours = lock(&path).unwrap();
    let kept_by_systemd = ours.share().unwrap();
    drop(inherited_lock(&path, ours.share().unwrap()).unwrap());
    assert!(is_held());
    drop(ours);
    assert!(!is_held());
    drop(kept_by_systemd);

    let stranger = std::fs::File::open(dir.path()).unwrap().into();
    assert!(inherited_lock(&path, stranger).is_err());
}

#[test]
fn a_lock_is_waited_for_until_it_is_free_and_no_longer_than_asked() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("lock");
    let ours = lock(&path).unwrap();
    let error = lock_within(&path, Duration::from_millis(50)).unwrap_err();
    assert!(matches!(error, LockError::Held { .. }), "{error}");
    let waiting = std::thread::spawn(move || lock_within(&path, Duration::from_mins(2)));
    std::thread::sleep(Duration::from_millis(50));
    drop(ours);
    drop(waiting.join().unwrap().unwrap());
}
