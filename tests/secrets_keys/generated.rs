//! `secrets new`.

use crate::world::{ALICE, World, stderr, stdout};

const FILE: &str = "secrets/default.yml";

fn world() -> World {
    World::new(&[("alice", ALICE[0])])
}

#[test]
fn a_password_is_made_stored_and_never_shown() {
    let world = world();
    let made = world
        .alice(&["new", FILE, "db/password"])
        .assert()
        .success();
    assert_eq!(stdout(&made), "");
    assert_eq!(
        stderr(&made),
        "secrets/default.yml is made, for alice, with a new db/password\n"
    );
    let password = world.get(FILE, "db/password");
    assert_eq!(password.len(), 32);
    assert!(password.bytes().all(|byte| byte.is_ascii_alphanumeric()));

    let mut made = world.alice(&["new", FILE, "api/token", "--kind", "hex", "--bytes", "20"]);
    let made = made.assert().success();
    assert_eq!(stderr(&made), "api/token in secrets/default.yml is new\n");
    assert_eq!(world.get(FILE, "api/token").len(), 40);
    assert_eq!(world.get(FILE, "db/password"), password);
}

#[test]
fn a_value_that_is_there_is_replaced_only_when_that_is_said() {
    let world = world();
    world
        .alice(&["new", FILE, "db/password"])
        .assert()
        .success();
    let before = world.get(FILE, "db/password");
    for key in ["db/password", "db"] {
        let refused = world.alice(&["new", FILE, key]).assert().code(1);
        let said = stderr(&refused);
        assert!(
            said.contains(&format!("secrets/default.yml has a `{key}` already")),
            "{said}"
        );
        assert!(said.contains("--replace"), "{said}");
    }
    assert_eq!(world.get(FILE, "db/password"), before);
    let args = ["new", FILE, "db/password", "--replace", "--length", "20"];
    world.alice(&args).assert().success();
    assert_eq!(world.get(FILE, "db/password").len(), 20);
}

#[test]
fn a_key_pair_prints_its_public_half_and_stores_both() {
    let world = world();
    for (kind, key, begins) in [
        ("wireguard", "wireguard/chicago", ""),
        ("ssh-key", "deploy", "ssh-ed25519 AAAA"),
        ("age", "backup/age", "age1"),
    ] {
        let made = world
            .alice(&["new", FILE, key, "--kind", kind])
            .assert()
            .success();
        let public = stdout(&made);
        assert!(
            public.starts_with(begins) && public.lines().count() == 1,
            "{public}"
        );
        assert_eq!(world.get(FILE, &format!("{key}/public")), public.trim_end());
        let private = world.get(FILE, &format!("{key}/private"));
        assert!(!public.contains(private.trim_end()) && !stderr(&made).contains(&private));
        let both = format!("{key}/private and {key}/public");
        assert!(stderr(&made).contains(&both), "{}", stderr(&made));
    }
    assert!(world.get(FILE, "deploy/public").ends_with(" deploy"));
    let json = ["new", FILE, "second", "--kind", "age", "--json"];
    let answer: serde_json::Value =
        serde_json::from_str(&stdout(&world.alice(&json).assert().success())).unwrap();
    assert_eq!(
        answer["keys"],
        serde_json::json!(["second/private", "second/public"])
    );
    assert_eq!(answer["created"], false);
    assert_eq!(answer["public"], world.get(FILE, "second/public").as_str());
}

#[test]
fn a_file_of_any_format_is_made_for_a_key_pair() {
    let world = world();
    for (file, key, private, public) in [
        ("secrets/a.env", "WG", "WG", "WG_PUBLIC"),
        ("secrets/a.ini", "vpn/wg", "vpn/wg", "vpn/wg_public"),
        (
            "secrets/a.json",
            "vpn/wg",
            "vpn/wg/private",
            "vpn/wg/public",
        ),
    ] {
        let args = ["new", file, key, "--kind", "wireguard"];
        let made = world.alice(&args).assert().success();
        assert_eq!(world.get(file, public), stdout(&made).trim_end(), "{file}");
        assert_eq!(world.get(file, private).len(), 44, "{file}");
    }
}

#[test]
fn a_passphrase_has_words_and_an_option_of_another_kind_is_refused() {
    let world = world();
    let args = [
        "new",
        FILE,
        "wifi",
        "--kind",
        "passphrase",
        "--words",
        "5",
        "--separator",
        " ",
    ];
    world.alice(&args).assert().success();
    assert_eq!(world.get(FILE, "wifi").split(' ').count(), 5);
    let mut refused = world.alice(&["new", FILE, "x", "--kind", "hex", "--words", "5"]);
    let said = stderr(&refused.assert().code(1));
    assert!(
        said.contains("--words means nothing for a secret of the kind hex"),
        "{said}"
    );
    assert!(said.contains("--kind passphrase"), "{said}");
    let mut refused = world.alice(&["new", FILE, "x", "--alphabet", "emoji"]);
    let said = stderr(&refused.assert().code(2));
    assert!(said.contains("not a class of characters"), "{said}");
}

#[test]
fn a_new_file_is_opened_in_the_editor_with_its_rule_said() {
    let world = world();
    let editor = world.program("editor", "printf 'a: 1\\n' > \"$1\"\n");
    let made = world
        .alice(&["new", FILE])
        .env("EDITOR", &editor)
        .assert()
        .success();
    let said = stderr(&made);
    assert!(
        said.starts_with("secrets/default.yml is new: rule 1 of .sops.yaml, for alice\n"),
        "{said}"
    );
    assert_eq!(world.get(FILE, "a"), "1");
    let refused = world
        .alice(&["new", FILE])
        .env("EDITOR", &editor)
        .assert()
        .code(1);
    let said = stderr(&refused);
    assert!(
        said.contains("secrets/default.yml is there already"),
        "{said}"
    );
    assert!(said.contains("secrets edit secrets/default.yml"), "{said}");
}
