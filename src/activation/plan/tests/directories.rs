use super::paths::with;
use super::world::*;
use crate::generation::PathKind;
use crate::host::FileMode;

#[test]
fn a_file_becomes_a_directory_and_back() {
    let mut world = World::fresh();
    world.go(&with("/etc/a", file("x")));
    let plan = world.go(&with("/etc/a/b", file("y")));
    assert_eq!(
        text(&plan),
        "remove file /etc/a\ncreate directory /etc/a\ncreate file /etc/a/b"
    );
    let plan = world.go(&with("/etc/a", file("x")));
    assert_eq!(
        text(&plan),
        "remove file /etc/a/b\nremove directory /etc/a\nupdate file /etc/a"
    );
}

#[test]
fn a_directory_that_loses_its_entry_but_not_its_files_is_what_it_was_made_as() {
    let mut private = entry(directory_kind());
    if let PathKind::Directory { mode, .. } = &mut private.kind {
        *mode = FileMode::from_bits(0o700);
    }
    let plain = with("/etc/a/b", file("x"));
    let mut declared = plain.clone();
    declared.paths.insert(path("/etc/a"), private);

    let mut world = World::fresh();
    world.go(&plain);
    let made = world.tree();
    world.go(&declared);
    assert_ne!(world.tree(), made);
    world.go(&plain);
    assert_eq!(world.tree(), made);

    // One that was there before has its original instead.
    let mut world = World::fresh();
    world.put("/etc/a", directory_state());
    let before = world.tree();
    world.go(&declared);
    world.go(&plain);
    assert_eq!(world.tree()[&path("/etc/a")], before[&path("/etc/a")]);
}

#[test]
fn an_empty_directory_that_somebody_put_in_the_place_of_our_link_stays_when_ours_below_it_goes() {
    for ours in [entry(link_kind("b")), file("x")] {
        let mut world = World::fresh();
        world.go(&with("/etc/a", ours));
        world.put("/etc/a", directory_state());
        world.go(&with("/etc/a/b", file("y")));
        world.go(&manifest());
        assert_eq!(world.tree()[&path("/etc/a")], directory_state());
        assert!(!world.tree().contains_key(&path("/etc/a/b")));
    }
}
