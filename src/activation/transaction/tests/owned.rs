//! What is ours stays known as ours, and what was not comes back as it was.

use super::*;
use crate::host::{Attributes, FileImage, Over, Owner, Ownership};

fn with_file(content: &str) -> Manifest {
    let mut manifest = settled_manifest();
    manifest.paths.insert(path("/etc/fresh"), file(content));
    manifest
}

fn settled_manifest() -> Manifest {
    let mut manifest = manifest();
    manifest.paths.insert(path("/etc/old"), file("1"));
    manifest
}

#[test]
fn a_file_of_an_activation_that_was_killed_is_ours_still_when_its_entry_changes() {
    let mut kills = 0;
    for events in 0.. {
        let bed = Bed::new();
        let manifest = settled_manifest();
        let ending = bed.go(&manifest, &Unwatched, &healthy());
        assert_eq!(ending.outcome, Outcome::Committed);
        if !kill_at(&bed, &with_file("2"), events, &healthy()) {
            break;
        }
        kills += 1;
        bed.recover(Recovery::Automatic);
        let ending = bed.go(&with_file("3"), &Unwatched, &healthy());
        assert_eq!(ending.outcome, Outcome::Committed, "killed after {events}");
        assert_eq!(bed.read("/etc/fresh").unwrap(), "3");
        let ending = bed.go(&manifest, &Unwatched, &healthy());
        assert_eq!(ending.outcome, Outcome::Committed);
        assert_eq!(bed.read("/etc/fresh"), None, "killed after {events}");
    }
    assert!(kills > 5, "only {kills} kills: the test shows nothing");
}

#[test]
fn an_original_comes_back_with_every_byte_its_owner_mode_and_attributes() {
    let bed = Bed::new();
    let at = path("/etc/motd");
    bed.host.make_parents(&at).unwrap();
    let owner = match bed.host.ownership() {
        Ownership::Kept => Owner::Ids {
            uid: 1234,
            gid: 4321,
        },
        Ownership::Ignored => Owner::Unknown,
    };
    let image = FileImage {
        content: b"\0from before\xff\r\n",
        owner,
        mode: FileMode::from_bits(0o4751),
        attributes: &Attributes::default().with("user.note", b"kept\0"),
    };
    bed.host.put_file(&at, image, Over::Nothing).unwrap();
    let before = bed.host.look(&at).unwrap();
    let mut manifest = manifest();
    for content in ["1", "2"] {
        manifest.paths.insert(at.clone(), backup(content));
        let ending = bed.go(&manifest, &Unwatched, &healthy());
        assert_eq!(ending.outcome, Outcome::Committed);
        assert_eq!(bed.read("/etc/motd").unwrap(), content);
        assert!(bed.plan_lines(&manifest).is_empty());
    }
    manifest.paths.clear();
    bed.go(&manifest, &Unwatched, &healthy());
    assert_eq!(bed.host.look(&at).unwrap(), before);
    let content = bed.host.read_file(&at, 100).unwrap().unwrap();
    assert_eq!(content, image.content);
}
