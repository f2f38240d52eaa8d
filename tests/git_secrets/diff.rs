//! What changed, with and without a key, by `secrets diff` and by git itself.

use crate::world::{FILE, World};

#[test]
fn a_diff_names_what_changed_and_shows_no_value() {
    let mut world = World::with("a: 1\nm:\n    old: canary-1\n    kept: k\n");
    world.becomes(FILE, "a: canary-2\nm:\n    kept: k\n    new: canary-3\n");
    world.encrypted("secrets/b.yml", "x: 1\n");
    let expected = "secrets/a.yml\n  ~ a\n  + m/new\n  - m/old\n";
    assert_eq!(world.secrets(&["diff"]).ok().stdout, expected);
    assert_eq!(
        world
            .secrets(&["diff", "HEAD", "--", "secrets"])
            .ok()
            .stdout,
        expected
    );
    assert_eq!(world.secrets(&["diff", "--staged"]).ok().stdout, "");
    world.key = "";
    assert_eq!(
        world.secrets(&["diff", "secrets/a.yml"]).ok().stdout,
        expected
    );
    world.key = crate::world::ALICE[1];
    world.commit("changed");
    let range = world.secrets(&["diff", "HEAD~1..HEAD"]).ok().stdout;
    assert_eq!(
        range,
        format!("{expected}\nsecrets/b.yml (new)\n  readers: +alice +bob\n")
    );
    let json: serde_json::Value = serde_json::from_str(
        &world
            .secrets(&["diff", "HEAD~1", "HEAD", "--json"])
            .ok()
            .stdout,
    )
    .unwrap();
    assert_eq!(
        json["files"][0]["values"][1]["path"],
        serde_json::json!(["m", "new"])
    );
    assert_eq!(json["files"][0]["compared_by"], "value");
    let values = world
        .secrets(&["diff", "HEAD~1..HEAD", "--show-values", "--", FILE])
        .ok()
        .stdout;
    for line in ["\n-a: 1\n", "\n+a: canary-2\n"] {
        assert!(values.contains(line), "{values}");
    }
    let unknown = world.secrets(&["diff", "nonsense"]);
    assert!(
        unknown.stderr.contains("git knows no revision `nonsense`"),
        "{}",
        unknown.stderr
    );
}

#[test]
fn a_diff_tells_a_rotation_and_readers_from_values() {
    let mut world = World::with("a: 1\nb: 2\n");
    world.rules("*alice");
    world.secrets(&["rekey", "--rotate"]).ok();
    assert_eq!(
        world.secrets(&["diff"]).ok().stdout,
        "secrets/a.yml\n  the data key was rotated\n  readers: -bob\n"
    );
    world.key = "";
    let hidden = world.secrets(&["diff"]).ok().stdout;
    assert_eq!(
        hidden,
        "secrets/a.yml\n  the data key was rotated; which values changed cannot be told without a key\n  readers: -bob\n"
    );
    world.key = crate::world::ALICE[1];
    world.write(FILE, "a: 1\n");
    assert_eq!(
        world.secrets(&["diff"]).ok().stdout,
        "secrets/a.yml (in the clear now)\n  readers: -alice -bob\n"
    );
    let two = world.secrets(&["diff", FILE, FILE]).ok();
    assert_eq!(two.stdout, "");
}

#[test]
fn git_diff_and_log_show_the_text_without_the_noise() {
    let mut world = World::with("a: 1\nb: 2\n");
    world.becomes(FILE, "a: 1\nb: two\n");
    let diff = world.git(&["diff"]);
    assert!(diff.contains("\n-b: 2\n+b: two\n"), "{diff}");
    assert!(
        !diff.contains("mac") && !diff.contains("lastmodified"),
        "{diff}"
    );
    world.commit("two");
    let log = world.git(&["log", "-p", "-1", "--format=%s"]);
    assert!(log.contains("\n-b: 2\n+b: two\n"), "{log}");
    world.rules("*alice");
    world.secrets(&["rekey"]).ok();
    let diff = world.git(&["diff", "--", FILE]);
    assert!(diff.contains("\n-# readable for bob\n"), "{diff}");
    // Who has no key sees which lines changed, and git does not fail.
    world.git(&["checkout", "-q", "."]);
    world.key = "";
    let log = world.git(&["log", "-p", "-1", "--format=%s"]);
    assert_eq!(log.matches("\n+b: ENC[").count(), 1, "{log}");
    assert!(!log.contains("mac"), "{log}");
    // Nothing decrypted stays in git's object database.
    let notes = world.git(&["for-each-ref", "refs/notes"]);
    assert_eq!(notes, "");
    let plain = world.repo("plain.yml");
    std::fs::copy(world.repo(".sops.yaml"), &plain).unwrap();
    let text = world.secrets(&["textconv", "plain.yml"]).ok().stdout;
    assert_eq!(text, world.read(".sops.yaml"));
}
