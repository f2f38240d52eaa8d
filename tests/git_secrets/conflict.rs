//! A file in conflict: what shows it, who settles it, and what is told to whoever reads it.

use crate::world::{ALICE, FILE, World, new_ciphertext};

/// A file in conflict on `b`; `a` and `c` are merged.
fn in_conflict() -> World {
    let world = World::with("a: 1\nb: base-value\nc: 3\n");
    let said = world.merged(
        "a: one\nb: our-value\nc: 3\n",
        "a: 1\nb: their-value\nc: three\n",
    );
    assert_eq!(said.code, 1);
    world
}

const SHOWN: &str =
    "a: one\n<<<<<<< ours\nb: our-value\n=======\nb: their-value\n>>>>>>> theirs\nc: three\n";

#[test]
fn edit_shows_a_conflict_decrypted_and_seals_a_whole_file() {
    let world = in_conflict();
    let seen = world.at("tmp/seen");
    let script = format!(
        "cp \"$1\" '{}'\nprintf 'a: one\\nb: agreed\\nc: three\\n' > \"$1\"",
        seen.display()
    );
    let said = world.edit(FILE, &script).ok();
    assert_eq!(std::fs::read_to_string(&seen).unwrap(), SHOWN);
    assert_eq!(
        said.stderr,
        "secrets/a.yml is merged; `git add secrets/a.yml` says so to git\n"
    );
    assert_eq!(world.view(FILE), "a: one\nb: agreed\nc: three\n");
    let (ours, theirs) = (
        world.git(&["show", "main:secrets/a.yml"]),
        world.git(&["show", "side:secrets/a.yml"]),
    );
    assert_eq!(
        new_ciphertext(&[&ours, &theirs], &world.read(FILE)),
        ["b", "mac"]
    );
    if let Some(sops) = world.sops(&["decrypt", FILE]) {
        assert_eq!(
            sops.stdout, "a: one\nb: agreed\nc: three\n",
            "{}",
            sops.stderr
        );
    }
    world.git(&["add", FILE]);
    world.git(&["commit", "-q", "--no-edit"]);
}

#[test]
fn edit_takes_no_text_with_markers_and_leaves_the_file_alone() {
    let world = in_conflict();
    let before = world.read(FILE);
    let kept = world.edit(FILE, "sed -i '/^=====/d' \"$1\"");
    assert_eq!(kept.code, 1);
    assert!(
        kept.stderr
            .contains("line 2: there is still a conflict marker"),
        "{}",
        kept.stderr
    );
    assert_eq!(world.read(FILE), before);
    let unchanged = world.edit(FILE, "true");
    assert_eq!(unchanged.code, 200);
    assert_eq!(unchanged.stderr, "secrets/a.yml is still in conflict\n");
    assert_eq!(world.read(FILE), before);
}

#[test]
fn a_conflict_is_settled_from_its_markers_when_git_has_forgotten_the_versions() {
    let world = in_conflict();
    world.git(&["add", FILE]);
    world
        .edit(
            FILE,
            "sed -i -e '/^<<<<<<</,/^=======/d' -e '/^>>>>>>>/d' \"$1\"",
        )
        .ok();
    assert_eq!(world.view(FILE), "a: one\nb: their-value\nc: three\n");

    // Two whole files between markers, and a merge of lines that broke the MAC.
    let mut world = World::with("a: 1\nb: 2\n");
    world.key = "";
    let said = {
        world.key = ALICE[1];
        world.parted(
            |world| world.becomes(FILE, "a: 1\nb: two\n"),
            |world| world.becomes(FILE, "a: one\nb: 2\n"),
        );
        world.key = "";
        world.try_git(&["merge", "-q", "--no-edit", "side"])
    };
    assert_eq!(said.code, 1);
    world.key = ALICE[1];
    // Nothing is left in conflict once both can be opened: saved though nothing was typed.
    world.edit(FILE, "true").ok();
    assert_eq!(world.view(FILE), "a: one\nb: two\n");
}

#[test]
fn whoever_reads_a_file_in_conflict_is_told_what_to_do() {
    let world = in_conflict();
    let said = world.secrets(&["view", FILE]);
    assert!(
        said.stderr.contains("line 2: the file is in conflict"),
        "{}",
        said.stderr
    );
    assert!(
        said.stderr.contains("a.yml` shows both versions decrypted"),
        "{}",
        said.stderr
    );
}
