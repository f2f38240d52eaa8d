//! `check`.

use std::fs;

use crate::world::{ALICE, World};

fn kinds(world: &World, args: &[&str]) -> Vec<String> {
    let args = [&["check", "--json"], args].concat();
    let answer = world.ci(&args).json();
    let findings = answer["findings"].as_array().unwrap().clone();
    findings
        .iter()
        .map(|it| {
            format!(
                "{} {}",
                it["file"].as_str().unwrap(),
                it["kind"].as_str().unwrap()
            )
        })
        .collect()
}

fn whole() -> World {
    let world = World::new();
    world
        .onboard("dallas", &world.ssh_key("dallas"))
        .ends_with(0);
    world.commit("joins");
    world.ci(&["check", "--strict"]).ends_with(0);
    world
}

#[test]
fn every_kind_of_mistake_is_found_at_once_and_without_a_key() {
    let world = whole();
    world.write("secrets/clear.yml", "a: 1\n");
    world.write("secrets/empty.yml", "");
    let broken = world
        .read("secrets/other.yml")
        .replace("lastmodified", "lastchanged");
    world.write("secrets/broken.yml", &broken);
    let leaf = world
        .read("secrets/other.yml")
        .replacen("x: ENC[", "y: open\nx: ENC[", 1);
    world.write("secrets/leaf.yml", &leaf);
    world.write(
        "hosts/dallas/host.yml",
        "secrets:\n  db/password: {}\n  db/nothing: {}\n  x: { file: /secrets/other.yml }\n",
    );
    world.write("hosts/austin/host.yml", "secrets:\n  db/password: {}\n");
    world.write("hosts/wrong/host.yml", "secrets: 3\n");
    let rules = world
        .read(".sops.yaml")
        .replacen("age: [*alice, *bob]", "age: [*alice]", 1);
    world.write(".sops.yaml", &rules);
    let found = kinds(&world, &[]);
    for expected in [
        "secrets/clear.yml in_the_clear",
        "secrets/broken.yml invalid_file",
        "secrets/leaf.yml clear_value",
        "secrets/other.yml recipients",
        "hosts/dallas/host.yml no_value",
        "hosts/dallas/host.yml cannot_open",
        "hosts/austin/host.yml no_host_key",
        "hosts/wrong/host.yml invalid_host",
        ".sops.yaml never_used",
    ] {
        assert!(
            found.iter().any(|it| it == expected),
            "{expected} in {found:#?}"
        );
    }
    let said = world.ci(&["check"]).ends_with(3);
    assert!(
        said.stdout.contains("secrets/leaf.yml:1: the value `y`"),
        "{}",
        said.stdout
    );
    assert!(said.stdout.contains("fix: "), "{}", said.stdout);
}

#[test]
fn what_a_host_never_uses_is_a_warning_that_strict_does_not_let_pass() {
    let world = whole();
    world.write("hosts/dallas/host.yml", "secrets:\n  db/password: {}\n");
    let said = world.ci(&["check"]).ends_with(0);
    assert!(
        said.stdout
            .contains("dallas can open secrets/tls.yml, and uses nothing of it"),
        "{}",
        said.stdout
    );
    world.ci(&["check", "--strict"]).ends_with(3);
}

#[test]
fn broken_rules_are_a_finding() {
    let world = whole();
    world.write(".sops.yaml", "creation_rules: [\n");
    assert_eq!(kinds(&world, &[]), [".sops.yaml invalid_rules"]);
    world.ci(&["check"]).ends_with(3);
    let nowhere = World::empty();
    nowhere.ci(&["check"]).ends_with(1);
}

#[test]
fn a_key_at_hand_verifies_what_it_opens() {
    let world = whole();
    let text = world.read("secrets/other.yml");
    let mac = text.find("mac: ENC[").unwrap();
    let moved = text.replace("lastmodified: \"2", "lastmodified: \"1");
    assert!(mac > 0 && moved != text);
    world.write("secrets/other.yml", &moved);
    world.ci(&["check"]).ends_with(0);
    let said = world.alice(&["check"]).ends_with(3);
    assert!(
        said.stdout.contains("secrets/other.yml: the file's MAC"),
        "{}",
        said.stdout
    );
    let said = world
        .ci(&["check", "--verify", "--strict", "--json"])
        .ends_with(3)
        .json();
    assert_eq!(said["findings"].as_array().unwrap().len(), 3, "{said}");
}

#[test]
fn before_a_commit_only_what_is_staged_counts() {
    let world = whole();
    world.write("secrets/new.yml", "a: 1\n");
    assert_eq!(kinds(&world, &["--staged"]), Vec::<String>::new());
    world.git(&["add", "secrets/new.yml"]);
    assert_eq!(
        kinds(&world, &["--staged"]),
        ["secrets/new.yml in_the_clear"]
    );
    world.ci(&["check", "--staged"]).ends_with(3);
    // Encrypted in the work tree, and still in the clear in the index.
    world
        .alice(&["encrypt", "-i", "secrets/new.yml"])
        .ends_with(0);
    world.ci(&["check", "--staged"]).ends_with(3);
    world.git(&["add", "secrets/new.yml"]);
    world.ci(&["check", "--staged"]).ends_with(0);
    let outside = World::without_git();
    outside.ci(&["check", "--staged"]).ends_with(1);
}

#[test]
fn an_interrupted_rekey_is_a_finding_and_the_next_one_goes_on() {
    let world = whole();
    world.write(
        ".steadfast-rekey.json",
        r#"{"version":1,"stage":"preparing","files":[{"file":"secrets/other.yml","temporary":".steadfast-0123456789abcdef","before":null}]}"#,
    );
    world.write("secrets/.steadfast-0123456789abcdef", "x");
    assert_eq!(kinds(&world, &[]), [".sops.yaml interrupted"]);
    let said = world.alice(&["rekey"]).ends_with(0);
    assert!(said.stderr.contains("interrupted"), "{}", said.stderr);
    assert!(!world.repo("secrets/.steadfast-0123456789abcdef").exists());
    world.ci(&["check", "--strict"]).ends_with(0);
    assert_eq!(
        world.get("secrets/other.yml", "x", ALICE[1]).stdout,
        "three"
    );
    assert!(fs::read_dir(world.repo("secrets")).unwrap().count() == 3);
}

#[test]
fn work_that_is_left_to_do_does_not_keep_the_commit_of_a_leave_from_being_made() {
    let world = World::new();
    let key = world.ssh_key("dallas");
    world.onboard("dallas", &key).ends_with(0);
    world.commit("dallas joins");
    world.alice(&["offboard", "dallas"]).ends_with(0);
    world.git(&["add", "-A"]);
    assert!(
        kinds(&world, &["--staged"])
            .iter()
            .all(|it| it.ends_with(" must_change") || it.ends_with(" no_host_key"))
    );
    world.ci(&["check", "--staged"]).ends_with(0);
    world.ci(&["check", "--staged", "--strict"]).ends_with(3);
    world.ci(&["check"]).ends_with(3);
}
