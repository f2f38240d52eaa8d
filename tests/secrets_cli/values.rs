//! Values and whole files: `get`, `set`, `unset`, `view`, `encrypt`, `host-key`.

use std::fs;
use std::path::Path;

use crate::world::{ALICE, BOB, CANARY, World, stderr, stdout};

#[test]
fn values_come_from_stdin_or_a_file() {
    let world = World::new();
    world.set("secrets/a.yml", "db/password", &format!("{CANARY}\n"));
    assert_eq!(world.get("secrets/a.yml", "db/password", BOB[1]), CANARY);
    let pem = "-----BEGIN-----\nabc\n-----END-----\n";
    world.set("secrets/a.yml", "tls/key", pem);
    assert_eq!(world.get("secrets/a.yml", "tls/key", BOB[1]), pem);
    world
        .alice(&["set", "secrets/a.yml", "raw", "--raw"])
        .write_stdin("x\n")
        .assert()
        .success();
    assert_eq!(world.get("secrets/a.yml", "raw", BOB[1]), "x\n");
    let before = world.read("secrets/a.yml");
    let again = world
        .alice(&["set", "secrets/a.yml", "db/password"])
        .write_stdin(CANARY)
        .assert()
        .success();
    assert!(stderr(&again).contains("has this value already"));
    world.assert_silent(&again);
    assert_eq!(world.read("secrets/a.yml"), before);
    world
        .alice(&["unset", "secrets/a.yml", "raw"])
        .assert()
        .success();
    let missing = world
        .alice(&["get", "secrets/a.yml", "raw"])
        .assert()
        .code(1);
    assert!(stderr(&missing).contains("there is no `raw` in it"));
    let missing = world
        .alice(&["get", "secrets/a.yml", "password"])
        .assert()
        .code(1);
    assert!(
        stderr(&missing).contains("there is `db/password`"),
        "{}",
        stderr(&missing)
    );
}

#[test]
fn files_in_the_clear_are_pointed_out_and_can_be_encrypted() {
    let world = World::new();
    world.write("secrets/plain.yml", "token: abc\n");
    world.set("secrets/a.yml", "a", "1");
    let list = world.secrets(&["list"], "").assert().success();
    insta::assert_snapshot!(stdout(&list), @r"
    FILE           READABLE FOR
    secrets/a.yml  alice, bob
    ");
    assert!(stderr(&list).contains("secrets/plain.yml is not encrypted"));
    let view = world.alice(&["view", "secrets/plain.yml"]).assert().code(1);
    assert!(stderr(&view).contains("steadfast secrets encrypt -i secrets/plain.yml"));
    world
        .alice(&["encrypt", "-i", "secrets/plain.yml"])
        .assert()
        .success();
    assert!(!world.read("secrets/plain.yml").contains("abc"));
    assert_eq!(world.get("secrets/plain.yml", "token", BOB[1]), "abc");
}

#[test]
fn a_host_key_is_printed_as_sops_needs_it() {
    let world = World::new();
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/ssh-to-age");
    for name in ["vector1", "vector1.pub"] {
        let file = vectors.join(name);
        let output = world
            .secrets(
                &["host-key", "--json", "--file", file.to_str().unwrap()],
                "",
            )
            .assert()
            .success();
        let json: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
        assert_eq!(json["keys"][0]["age"], ALICE[0], "{name}");
    }
    let scanned = format!(
        "# chicago:22\nchicago {}",
        fs::read_to_string(vectors.join("vector1.pub")).unwrap()
    );
    let output = world
        .secrets(&["host-key", "--file", "-"], "")
        .write_stdin(scanned)
        .assert()
        .success();
    insta::assert_snapshot!(stdout(&output), @r"
    age         age1ng0fdfkz7kyqkdhu8quts5gm7j4yjudzmw2z0utl06sne5vqd5lqnyp9ga
    ssh         ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBOCdSWjIMfzszdPo7IKIjJSHWCqqJzCc1q6X8BSXLQc
    fingerprint SHA256:vFeo7Itv7i9r7JgdDSJ21k6yeygQ4vZLwSBSe1FLwfA
    ");
    let root = world.at("root");
    fs::create_dir_all(root.join("etc/ssh")).unwrap();
    fs::copy(
        vectors.join("vector2"),
        root.join("etc/ssh/ssh_host_ed25519_key"),
    )
    .unwrap();
    let output = world
        .secrets(&["host-key", "--root", root.to_str().unwrap()], "")
        .assert()
        .success();
    assert!(stdout(&output).contains(BOB[0]));
}

#[test]
fn who_has_no_key_is_told_what_to_do() {
    let world = World::new();
    world.set("secrets/a.yml", "a", CANARY);
    let keyless = world
        .secrets(&["view", "secrets/a.yml"], "AGE-SECRET-KEY-1BROKEN")
        .assert()
        .code(128);
    insta::assert_snapshot!(stderr(&keyless), @r"
    error: cannot open secrets/a.yml
      cause: it is encrypted to alice, bob; none of these keys is here. Not usable: SOPS_AGE_KEY (line 1 is not an age identity)
      fix:   put an age key into ~/.config/sops/age/keys.txt, or name one with --identity FILE
    ");
    let outside = world
        .alice(&["rekey"])
        .current_dir(world.at("home"))
        .assert()
        .code(1);
    assert!(
        stderr(&outside).contains("there is no .sops.yaml in"),
        "{}",
        stderr(&outside)
    );
    // The host key that ssh-to-age knows as Alice's opens her files too.
    let vector = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/ssh-to-age/vector1");
    let named = world
        .secrets(
            &[
                "get",
                "secrets/a.yml",
                "a",
                "--identity",
                vector.to_str().unwrap(),
            ],
            "",
        )
        .assert()
        .success();
    assert_eq!(stdout(&named), CANARY);
}

#[test]
fn a_mistyped_name_is_answered_with_those_that_are_there() {
    let world = World::new();
    world.set("secrets/default.yml", "db/password", "x");
    let said = world
        .alice(&["get", "secrets/default.yml", "db/pasword"])
        .assert();
    assert!(stderr(&said.code(1)).contains("there is `db/password`"));
    let said = world.alice(&["view", "secrets/defualt.yml"]).assert();
    assert!(stderr(&said.code(100)).contains("`steadfast secrets list`"));
    let said = world
        .alice(&["encrypt", "-i", "secrets/default.yml"])
        .assert();
    assert!(stderr(&said.code(203)).contains("it is encrypted already"));
}

#[test]
fn an_empty_pipe_sets_nothing_unless_that_is_said() {
    let world = World::new();
    world.set("secrets/default.yml", "db/password", "x");
    let set = ["set", "secrets/default.yml", "db/password"];
    let said = world.alice(&set).write_stdin("").assert().code(7);
    assert!(stderr(&said).contains("no value for db/password came from stdin"));
    world
        .alice(&[&set[..], &["--stdin"]].concat())
        .write_stdin("")
        .assert()
        .code(0);
}
