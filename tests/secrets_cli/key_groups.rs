//! Key groups and keys of services that are not used here, as rules and commands meet them.

use crate::world::{ALICE, BOB, CANARY, World, stderr};

fn rules(world: &World, rule: &str) {
    let anchors = format!("keys:\n  - &alice {}\n  - &bob {}\n", ALICE[0], BOB[0]);
    world.write(".sops.yaml", &format!("{anchors}creation_rules:\n{rule}"));
}

fn both(world: &World) -> assert_cmd::Command {
    let keys = format!("{}\n{}", ALICE[1], BOB[1]);
    world.secrets(&["get", "secrets/a.yml", "a"], &keys)
}

#[test]
fn a_rekey_follows_its_rule_into_several_groups_and_back() {
    let world = World::new();
    world.rules("*alice");
    world.set("secrets/a.yml", "a", CANARY);
    rules(&world, "  - key_groups: [{age: [*alice]}, {age: [*bob]}]\n");
    world.alice(&["rekey", "--check"]).assert().code(3);
    world.alice(&["rekey"]).assert().success();
    world.alice(&["rekey", "--check"]).assert().code(0);
    assert!(world.read("secrets/a.yml").contains("shamir_threshold: 2"));
    let alone = world
        .alice(&["get", "secrets/a.yml", "a"])
        .assert()
        .code(128);
    assert!(
        stderr(&alone).contains("keys of 1 are here"),
        "{}",
        stderr(&alone)
    );
    let output = both(&world).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), CANARY);
    world.rules("*bob");
    let keys = format!("{}\n{}", ALICE[1], BOB[1]);
    world.secrets(&["rekey"], &keys).assert().success();
    assert!(!world.read("secrets/a.yml").contains("key_groups"));
    assert_eq!(world.get("secrets/a.yml", "a", BOB[1]), CANARY);
}

#[test]
fn a_key_of_a_service_stays_with_its_rule_and_is_in_the_way_only_of_new_data_keys() {
    let world = World::new();
    world.rules("*alice");
    world.set("secrets/a.yml", "a", CANARY);
    let entry = "    pgp:\n        - created_at: \"2024-01-02T03:04:05Z\"\n          enc: text\n          fp: ABCD\n";
    let sealed = world.read("secrets/a.yml");
    world.write(
        "secrets/a.yml",
        &sealed.replace("    lastmodified:", &format!("{entry}    lastmodified:")),
    );
    rules(&world, "  - {age: [*alice, *bob], pgp: [ABCD]}\n");
    world.alice(&["rekey"]).assert().success();
    assert!(world.read("secrets/a.yml").contains(entry));
    world.alice(&["rekey", "--check"]).assert().code(0);
    world.set("secrets/a.yml", "b", "2");
    assert!(world.read("secrets/a.yml").contains(entry));

    let before = world.read("secrets/a.yml");
    let rotated = world.alice(&["rekey", "--rotate"]).assert().code(1);
    assert!(
        stderr(&rotated).contains("`pgp ABCD`"),
        "{}",
        stderr(&rotated)
    );
    rules(&world, "  - {age: [*alice, *bob], pgp: [ABCD, EF01]}\n");
    let new = world.alice(&["rekey"]).assert().code(1);
    assert!(stderr(&new).contains("`pgp EF01`"), "{}", stderr(&new));
    assert_eq!(world.read("secrets/a.yml"), before);

    rules(&world, "  - age: [*alice]\n");
    world.alice(&["rekey", "--rotate"]).assert().success();
    assert!(!world.read("secrets/a.yml").contains("pgp"));
    assert_eq!(world.get("secrets/a.yml", "a", ALICE[1]), CANARY);
}
