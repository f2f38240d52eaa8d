//! Who can read what: `secrets rekey`.

use crate::world::{BOB, CANARY, World, stderr, stdout};

#[test]
fn a_rekey_makes_every_file_match_the_rules_at_once() {
    let world = World::new();
    world.rules("*alice");
    world.set("secrets/a.yml", "a", CANARY);
    world.set("secrets/b.yml", "b", "2");
    world.rules("*alice, *bob");
    world.set("secrets/c.yml", "c", "3");
    let untouched = world.read("secrets/c.yml");
    let value = |text: &str| {
        text.lines()
            .find(|line| line.starts_with("a:"))
            .unwrap()
            .to_owned()
    };
    let before = world.read("secrets/a.yml");

    let check = world.secrets(&["rekey", "--check"], "").assert().code(3);
    insta::assert_snapshot!(stdout(&check), @r"
    FILE           GAINED BY  LOST BY
    secrets/a.yml  +bob
    secrets/b.yml  +bob
    ");
    assert_eq!(world.read("secrets/a.yml"), before);

    let done = world.alice(&["rekey"]).assert().success();
    assert_eq!(stderr(&done), "2 files rekeyed, 1 file as before\n");
    world.assert_silent(&done);
    assert_eq!(world.read("secrets/c.yml"), untouched);
    assert_eq!(value(&world.read("secrets/a.yml")), value(&before));
    assert_eq!(world.get("secrets/a.yml", "a", BOB[1]), CANARY);
    world.secrets(&["rekey", "--check"], "").assert().code(0);

    world.rules("*bob");
    let json = world.alice(&["rekey", "--json"]).assert().success();
    let json: serde_json::Value = serde_json::from_str(&stdout(&json)).unwrap();
    assert_eq!(json["changes"][0]["lost"][0], "alice");
    assert_eq!(json["done"], true);
    let closed = world.alice(&["view", "secrets/a.yml"]).assert().code(128);
    assert!(
        stderr(&closed).contains("it is encrypted to bob"),
        "{}",
        stderr(&closed)
    );
}

#[test]
fn a_rekey_changes_all_files_or_none() {
    let world = World::new();
    world.rules("*alice");
    world.set("secrets/a.yml", "a", "1");
    world.rules("*bob");
    world
        .secrets(&["set", "secrets/b.yml", "b"], BOB[1])
        .write_stdin("2")
        .assert()
        .success();
    world.rules("*alice, *bob");
    let before = (world.read("secrets/a.yml"), world.read("secrets/b.yml"));
    let refused = world.alice(&["rekey"]).assert().code(1);
    let said = stderr(&refused);
    assert!(
        said.contains("nothing was rekeyed: one file stands in the way"),
        "{said}"
    );
    assert!(said.contains("secrets/b.yml"), "{said}");
    assert_eq!(
        (world.read("secrets/a.yml"), world.read("secrets/b.yml")),
        before
    );
}
