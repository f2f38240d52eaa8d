//! Kills at every moment, and what recovery makes of what it finds.

use super::*;

#[test]
fn a_kill_at_any_moment_ends_in_the_old_generation_or_the_new_one() {
    let (old, new) = (settled().tree(), tree_of_second());
    for probes in [healthy(), unhealthy()] {
        let mut outcomes = BTreeSet::new();
        for events in 0.. {
            let bed = settled();
            if !kill_at(&bed, &second(), events, &probes) {
                assert!(events > 20, "only {events} moments were tried");
                break;
            }
            let recovered = bed.recover(Recovery::Automatic);
            outcomes.insert(
                format!("{recovered:?}")
                    .split_whitespace()
                    .next()
                    .unwrap()
                    .to_owned(),
            );
            assert_whole(&bed, &old, &new, &format!("killed after {events} events"));
        }
        assert!(
            outcomes.contains("Discarded") && outcomes.contains("RolledBack"),
            "{outcomes:?}"
        );
    }
}

#[test]
fn a_recovery_that_is_killed_is_recovered_from() {
    let (old, new) = (settled().tree(), tree_of_second());
    for events in [4, 9, 16, 25] {
        for again in 0.. {
            let bed = settled();
            assert!(kill_at(&bed, &second(), events, &healthy()));
            if !kill_recovery_at(&bed, again) {
                break;
            }
            bed.recover(Recovery::Automatic);
            let at = format!("killed after {events}, recovery after {again} events");
            assert_whole(&bed, &old, &new, &at);
        }
    }
}

#[test]
fn early_boot_brings_files_back_and_leaves_the_rest_to_the_agent() {
    let bed = settled();
    let before = bed.tree();
    assert!(kill_at(&bed, &second(), 12, &healthy()));
    assert!(matches!(
        bed.recover(Recovery::EarlyBoot),
        Recovered::FilesBack { .. }
    ));
    assert_eq!(bed.tree(), before);
    assert!(bed.is_open());
    assert!(matches!(
        bed.recover(Recovery::EarlyBoot),
        Recovered::FilesBack { .. }
    ));
    assert!(matches!(
        bed.recover(Recovery::Automatic),
        Recovered::RolledBack { .. }
    ));
    assert_eq!(bed.tree(), before);
}

#[test]
fn a_rollback_that_fails_is_stuck_until_a_human_retries() {
    let bed = settled();
    assert!(kill_at(&bed, &second(), 12, &healthy()));
    let current = bed.store.current().unwrap().unwrap();
    // The object that the way back needs is gone.
    let lost = Digest::of(b"motd");
    let lost_path = find(&bed.directory.path().join("state/objects"), lost.as_str());
    let moved = lost_path.with_extension("moved");
    std::fs::rename(&lost_path, &moved).unwrap();
    let recovered = bed.recover(Recovery::Automatic);
    let Recovered::Stuck { reason, .. } = &recovered else {
        panic!("{recovered:?}");
    };
    assert!(reason.contains("then the rollback failed"), "{reason}");
    assert_eq!(bed.recover(Recovery::Automatic), recovered);
    std::fs::rename(&moved, &lost_path).unwrap();
    assert!(matches!(
        bed.recover(Recovery::Retry),
        Recovered::RolledBack { .. }
    ));
    assert_eq!(bed.plan_lines(&current.manifest), [""; 0]);
}

fn find(directory: &Path, digest: &str) -> std::path::PathBuf {
    let mut found = walkdir::WalkDir::new(directory).into_iter().flatten();
    let is_it = |entry: &walkdir::DirEntry| {
        let text = entry.path().display().to_string().replace('/', "");
        entry.file_type().is_file() && text.ends_with(digest)
    };
    found.find(is_it).unwrap().into_path()
}

#[test]
fn files_of_a_killed_process_are_swept() {
    let bed = settled();
    assert!(kill_at(&bed, &second(), 12, &healthy()));
    let left = bed
        .directory
        .path()
        .join("host/etc/app/.steadfast-00000002-0123456789abcdef");
    std::os::unix::fs::symlink("nowhere", &left).unwrap();
    bed.recover(Recovery::Automatic);
    assert!(left.symlink_metadata().is_err());
}
