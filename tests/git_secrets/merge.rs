//! Merges: what both branches did is in the file, and what they cannot agree on is left in conflict.

use crate::world::{ALICE, BOB, FILE, World, new_ciphertext};

/// (what, base, ours, theirs, expected)
const CLEAN: [[&str; 5]; 7] = [
    [
        "keys apart",
        "a: 1\nb: 2\nc: 3\n",
        "a: one\nb: 2\nc: 3\n",
        "a: 1\nb: 2\nc: three\n",
        "a: one\nb: 2\nc: three\n",
    ],
    [
        "adjacent lines",
        "a: 1\nb: 2\n",
        "a: one\nb: 2\n",
        "a: 1\nb: two\n",
        "a: one\nb: two\n",
    ],
    [
        "added next to each other",
        "a: 1\n",
        "a: 1\nours: o\n",
        "a: 1\ntheirs: t\n",
        "a: 1\nours: o\ntheirs: t\n",
    ],
    [
        "removed and changed",
        "a: 1\nb: 2\nc: 3\n",
        "b: 2\nc: 3\n",
        "a: 1\nb: two\nc: 3\n",
        "b: two\nc: 3\n",
    ],
    [
        "nested",
        "db:\n    user: u\n    password: p\n    hosts:\n        - x\n",
        "db:\n    user: root\n    password: p\n    hosts:\n        - x\n",
        "db:\n    user: u\n    password: q\n    hosts:\n        - x\n        - z\n    port: 1\n",
        "db:\n    user: root\n    password: q\n    hosts:\n        - x\n        - z\n    port: 1\n",
    ],
    [
        "comments",
        "# all\na: 1\nb: 2 # two\n",
        "# all of it\na: 1\nb: 2 # two\n",
        "# all\na: one\nb: 2 # two\n# new\nc: 3\n",
        "# all of it\na: one\nb: 2 # two\n# new\nc: 3\n",
    ],
    [
        "texts of several lines",
        "k: |\n    1\n    2\nb: 2\n",
        "k: |\n    1\n    3\nb: 2\n",
        "k: |\n    1\n    2\nb: two\n",
        "k: |\n    1\n    3\nb: two\n",
    ],
];

#[test]
fn branches_that_change_different_values_merge_and_keep_their_ciphertext() {
    for [what, base, ours, theirs, expected] in CLEAN {
        let world = World::with(base);
        let said = world.merged(ours, theirs);
        assert_eq!(said.code, 0, "{what}: {}{}", said.stdout, said.stderr);
        assert_eq!(world.view(FILE), expected, "{what}");
        let text = world.read(FILE);
        let (one, other) = (
            world.git(&["show", "main~1:secrets/a.yml"]),
            world.git(&["show", "side:secrets/a.yml"]),
        );
        let before = world.git(&["show", "HEAD^1:secrets/a.yml"]);
        assert_eq!(
            new_ciphertext(&[&one, &other, &before], &text),
            ["mac"],
            "{what}"
        );
        if let Some(sops) = world.sops(&["decrypt", FILE]) {
            assert_eq!(sops.code, 0, "{what}: {}", sops.stderr);
        }
        assert_eq!(world.git(&["status", "--porcelain"]), "", "{what}");
    }
}

#[test]
fn rebase_and_cherry_pick_go_the_same_way() {
    let world = World::with("a: 1\nb: 2\nc: 3\n");
    world.parted(
        |world| {
            world.becomes(FILE, "a: 1\nb: two\nc: 3\n");
            world.commit("b");
            world.becomes(FILE, "a: 1\nb: two\nc: 3\nd: 4\n");
        },
        |world| world.becomes(FILE, "a: one\nb: 2\nc: 3\n"),
    );
    world.git(&["checkout", "-q", "-b", "picked"]);
    world.git(&["cherry-pick", "side"]);
    assert_eq!(world.view(FILE), "a: one\nb: 2\nc: 3\nd: 4\n");
    world.git(&["checkout", "-q", "side"]);
    world.git(&["rebase", "-q", "main"]);
    assert_eq!(world.view(FILE), "a: one\nb: two\nc: 3\nd: 4\n");
    // The other way round, past a commit that is in both.
    world.git(&["checkout", "-q", "picked"]);
    world.git(&["merge", "-q", "--no-edit", "side"]);
    assert_eq!(world.view(FILE), "a: one\nb: two\nc: 3\nd: 4\n");
    assert_eq!(world.secrets(&["view", FILE]).code, 0);
}

#[test]
fn the_same_value_is_in_conflict_alone_and_only_as_ciphertext() {
    let world = World::with("a: 1\nb: base-value\nc: 3\n");
    let said = world.merged(
        "a: one\nb: our-value\nc: 3\n",
        "a: 1\nb: their-value\nc: three\n",
    );
    assert_eq!(said.code, 1, "{}", said.stderr);
    assert!(
        said.stderr
            .contains("secrets/a.yml: 1 value in conflict: b"),
        "{}",
        said.stderr
    );
    assert!(
        world
            .git(&["status", "--porcelain"])
            .contains("UU secrets/a.yml")
    );
    let text = world.read(FILE);
    assert!(!text.contains("-value"));
    let shape: Vec<&str> = text
        .lines()
        .take_while(|line| !line.starts_with("sops:"))
        .map(|line| line.split(':').next().unwrap())
        .collect();
    assert_eq!(
        shape,
        [
            "a",
            "<<<<<<< ours",
            "b",
            "=======",
            "b",
            ">>>>>>> theirs",
            "c"
        ]
    );
    assert_eq!(text.matches("<<<<<<<").count(), 1, "{text}");
    // A script takes a side; everything else is merged all the same.
    for (side, value) in [("--ours", "our-value"), ("--theirs", "their-value")] {
        world.secrets(&["merge", side, FILE]).ok();
        assert_eq!(world.view(FILE), format!("a: one\nb: {value}\nc: three\n"));
        if let Some(sops) = world.sops(&["decrypt", FILE]) {
            assert_eq!(
                sops.stdout,
                format!("a: one\nb: {value}\nc: three\n"),
                "{}",
                sops.stderr
            );
        }
    }
    // And again from git's three versions, whatever became of the file.
    world.write(FILE, "nonsense\n");
    let again = world.secrets(&["merge", FILE]);
    assert_eq!(again.code, 1);
    assert_eq!(world.read(FILE).matches("<<<<<<< ours").count(), 1);
}

#[test]
fn a_conflict_that_git_made_without_the_driver_is_merged_afterwards() {
    let world = World::with("a: 1\nb: 2\n");
    world.secrets(&["install-git", "--remove"]).ok();
    world.git(&["add", "-A"]);
    world.git(&["commit", "-q", "-m", "no driver"]);
    let said = world.merged("a: one\nb: 2\n", "a: 1\nb: two\n");
    assert_eq!(said.code, 1);
    assert!(world.read(FILE).contains("<<<<<<< HEAD"));
    world.secrets(&["merge", FILE]).ok();
    assert_eq!(world.view(FILE), "a: one\nb: two\n");
    world.git(&["commit", "-q", "-a", "--no-edit"]);
    let nothing = world.secrets(&["merge", FILE]);
    assert_eq!(nothing.code, 1);
    assert!(
        nothing.stderr.contains("is not in conflict"),
        "{}",
        nothing.stderr
    );
}

#[test]
fn recipients_and_a_rotated_key_are_merged_with_the_values() {
    // Ours takes Bob out and rotates; theirs changes a value.
    let world = World::with("a: 1\nb: 2\n");
    world.parted(
        |world| world.becomes(FILE, "a: 1\nb: two\n"),
        |world| {
            world.rules("*alice");
            world.secrets(&["rekey", "--rotate"]).ok();
        },
    );
    world.git(&["merge", "-q", "--no-edit", "side"]);
    assert_eq!(world.view(FILE), "a: 1\nb: two\n");
    let text = world.read(FILE);
    assert!(text.contains(ALICE[0]) && !text.contains(BOB[0]));
    let ours = world.git(&["show", "HEAD^1:secrets/a.yml"]);
    assert_eq!(new_ciphertext(&[&ours], &text), ["b", "mac"]);
    if let Some(sops) = world.sops(&["decrypt", FILE]) {
        assert_eq!(sops.stdout, "a: 1\nb: two\n", "{}", sops.stderr);
    }

    // Theirs adds Bob; ours changes a value.
    let world = World::bare();
    world.rules("*alice");
    world.encrypted(FILE, "a: 1\nb: 2\n");
    world.secrets(&["install-git"]).ok();
    std::fs::remove_file(world.repo(".git/hooks/pre-commit")).unwrap();
    world.commit("begin");
    world.parted(
        |world| {
            world.rules("*alice, *bob");
            world.secrets(&["rekey"]).ok();
        },
        |world| world.becomes(FILE, "a: one\nb: 2\n"),
    );
    world.git(&["merge", "-q", "--no-edit", "side"]);
    let text = world.read(FILE);
    assert!(text.contains(ALICE[0]) && text.contains(BOB[0]));
    assert_eq!(world.view(FILE), "a: one\nb: 2\n");
}

#[test]
fn a_file_that_both_made_is_merged_and_one_that_a_side_removed_is_gits_own() {
    let world = World::with("a: 1\n");
    world.parted(
        |world| world.encrypted("secrets/new.yml", "t: 1\nboth: 2\n"),
        |world| world.encrypted("secrets/new.yml", "o: 1\nboth: 2\n"),
    );
    world.git(&["merge", "-q", "--no-edit", "side"]);
    assert_eq!(world.view("secrets/new.yml"), "o: 1\nt: 1\nboth: 2\n");
    if let Some(sops) = world.sops(&["decrypt", "secrets/new.yml"]) {
        assert_eq!(sops.code, 0, "{}", sops.stderr);
    }
    world.git(&["branch", "-q", "-D", "side"]);
    world.parted(
        |world| std::fs::remove_file(world.repo(FILE)).unwrap(),
        |world| world.becomes(FILE, "a: one\n"),
    );
    let said = world.try_git(&["merge", "-q", "--no-edit", "side"]);
    assert_eq!(said.code, 1);
    assert!(
        world
            .git(&["status", "--porcelain"])
            .contains("UD secrets/a.yml")
    );
    let refused = world.secrets(&["merge", FILE]);
    assert!(
        refused.stderr.contains("one side removed secrets/a.yml"),
        "{}",
        refused.stderr
    );
    assert_eq!(world.view(FILE), "a: one\n");
}

#[test]
fn without_a_key_nothing_is_lost_and_nothing_is_broken() {
    let mut world = World::with("a: 1\nb: 2\n");
    world.parted(
        |world| world.becomes(FILE, "a: 1\nb: two\n"),
        |world| world.becomes(FILE, "a: one\nb: 2\n"),
    );
    let (ours, theirs) = (world.read(FILE), world.git(&["show", "side:secrets/a.yml"]));
    world.key = "";
    let said = world.try_git(&["merge", "-q", "--no-edit", "side"]);
    assert_eq!(said.code, 1);
    assert!(
        said.stderr.contains("it is encrypted to alice, bob"),
        "{}",
        said.stderr
    );
    assert!(
        said.stderr
            .contains("`steadfast secrets merge secrets/a.yml`"),
        "{}",
        said.stderr
    );
    let text = world.read(FILE);
    assert_eq!(
        text,
        format!("<<<<<<< ours\n{ours}=======\n{theirs}>>>>>>> theirs\n")
    );
    // Where the key is, it goes on from there.
    world.key = ALICE[1];
    world.secrets(&["merge", FILE]).ok();
    assert_eq!(world.view(FILE), "a: one\nb: two\n");

    // A fast path that needs no key: only one side changed the file.
    world.git(&["merge", "--abort"]);
    world.key = "";
    let [base, ours, theirs] =
        ["base", "ours", "theirs"].map(|name| world.at(name).display().to_string());
    for (path, text) in [(&base, "x"), (&ours, "x"), (&theirs, "z")] {
        std::io::Write::write_all(&mut std::fs::File::create(path).unwrap(), text.as_bytes())
            .unwrap();
    }
    world
        .secrets(&["merge", &base, &ours, &theirs, "7", FILE])
        .ok();
    assert_eq!(std::fs::read_to_string(&ours).unwrap(), "z");
}

#[test]
fn files_of_the_real_sops_merge_like_our_own() {
    let Some(_) = crate::world::sops() else {
        return;
    };
    let world = World::bare();
    world.write(
        FILE,
        "a: 1\nb: 2\nl:\n    - same\n    - same\n# note\nc: 3\n",
    );
    world.sops(&["encrypt", "-i", FILE]).unwrap().ok();
    world.secrets(&["install-git"]).ok();
    std::fs::remove_file(world.repo(".git/hooks/pre-commit")).unwrap();
    world.commit("begin");
    world.parted(
        |world| {
            world
                .sops(&["set", FILE, "[\"c\"]", "\"three\""])
                .unwrap()
                .ok();
            world
                .sops(&["set", FILE, "[\"new\"]", "\"n1\""])
                .unwrap()
                .ok();
        },
        |world| {
            world
                .sops(&["set", FILE, "[\"a\"]", "\"one\""])
                .unwrap()
                .ok();
        },
    );
    world.git(&["merge", "-q", "--no-edit", "side"]);
    let expected = "a: one\nb: 2\nl:\n    - same\n    - same\n# note\nc: three\nnew: n1\n";
    assert_eq!(world.view(FILE), expected);
    assert_eq!(
        world.sops(&["decrypt", FILE]).unwrap().ok().stdout,
        expected
    );
    // Sides that only sops wrote, one of them with a new data key.
    world.git(&["branch", "-q", "-D", "side"]);
    world.parted(
        |world| {
            world.sops(&["rotate", "-i", FILE]).unwrap().ok();
        },
        |world| {
            world.sops(&["unset", FILE, "[\"b\"]"]).unwrap().ok();
        },
    );
    world.git(&["merge", "-q", "--no-edit", "side"]);
    let expected = expected.replace("b: 2\n", "");
    assert_eq!(
        world.sops(&["decrypt", FILE]).unwrap().ok().stdout,
        expected
    );
}

#[test]
fn branches_with_several_common_ancestors_merge() {
    let world = World::with("a: 1\nb: 2\n");
    world.git(&["checkout", "-q", "-b", "x"]);
    world.becomes(FILE, "a: x\nb: 2\n");
    world.commit("x");
    world.git(&["checkout", "-q", "-b", "other", "main"]);
    world.becomes(FILE, "a: 1\nb: other\n");
    world.commit("other");
    world.git(&["tag", "first"]);
    world.git(&["merge", "-q", "--no-edit", "x"]);
    world.git(&["checkout", "-q", "x"]);
    world.git(&["merge", "-q", "--no-edit", "first"]);
    world.becomes(FILE, "a: mine\nb: other\n");
    world.commit("a again");
    world.git(&["checkout", "-q", "other"]);
    world.becomes(FILE, "a: x\nb: yours\n");
    world.commit("b again");
    assert_eq!(
        world
            .git(&["merge-base", "--all", "x", "other"])
            .lines()
            .count(),
        2
    );
    world.git(&["merge", "-q", "--no-edit", "x"]);
    assert_eq!(world.view(FILE), "a: mine\nb: yours\n");
}
