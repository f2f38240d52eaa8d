//! Keys with a passphrase, typed on a real terminal; and every type of SSH key, against the real sops.

use std::path::PathBuf;

use crate::world::{World, sops, stderr, stdout};

const FILE: &str = "secrets/default.yml";
const PASSPHRASE: &str = "correct horse";

/// A key of ssh-keygen in `home/.ssh`, with its public half.
fn keygen(world: &World, kind: &str, passphrase: &str) -> (PathBuf, String) {
    let path = world.at(&format!("home/.ssh/id_{kind}"));
    world
        .command("ssh-keygen".as_ref())
        .args([
            "-q",
            "-t",
            kind,
            "-N",
            passphrase,
            "-C",
            "alice@laptop",
            "-f",
        ])
        .arg(&path)
        .assert()
        .success();
    let public = std::fs::read_to_string(path.with_extension("pub")).unwrap();
    (path, public.trim().to_owned())
}

/// A world whose one secret is for `recipient`.
fn with_secret(world: &World, recipient: &str) {
    world.write(
        "repo/.sops.yaml",
        &format!("keys:\n  - &alice {recipient}\ncreation_rules:\n  - age: [*alice]\n"),
    );
    let mut set = world.secrets(&["set", FILE, "a"]);
    set.write_stdin("hunter2").assert().success();
}

#[test]
fn sops_opens_what_is_for_an_ssh_key_and_the_other_way_round() {
    let Some(sops) = sops("ssh keys") else {
        return;
    };
    for kind in ["ed25519", "rsa"] {
        let world = World::new(&[]);
        let (_, public) = keygen(&world, kind, "");
        with_secret(&world, &format!("\"{public}\""));
        let theirs = world
            .command(&sops)
            .args(["decrypt", "--extract", "[\"a\"]", FILE])
            .assert()
            .success();
        assert_eq!(stdout(&theirs), "hunter2", "{kind}");
        world.write("repo/secrets/theirs.yml", "b: from sops\n");
        world
            .command(&sops)
            .args(["encrypt", "--in-place", "secrets/theirs.yml"])
            .assert()
            .success();
        let ours = world
            .secrets(&["get", "secrets/theirs.yml", "b"])
            .assert()
            .success();
        assert_eq!(stdout(&ours), "from sops", "{kind}");
    }
}

#[test]
fn the_passphrase_of_an_ssh_key_is_typed_unseen() {
    for kind in ["ed25519", "rsa"] {
        let world = World::new(&[]);
        let (path, public) = keygen(&world, kind, PASSPHRASE);
        with_secret(&world, &format!("\"{public}\""));
        let asked = format!("Passphrase of {}: ", path.display());
        let again = format!("That is not it. {asked}");
        let shown = world.on_terminal(
            &["get", FILE, "a"],
            &[(&asked, "wrong"), (&again, PASSPHRASE)],
        );
        assert!(shown.contains("hunter2"), "{shown}");
        assert!(
            !shown.contains("wrong") && !shown.contains("horse"),
            "{shown}"
        );
    }
}

#[test]
fn without_a_terminal_the_key_that_wanted_a_passphrase_is_named() {
    let world = World::new(&[]);
    let (path, public) = keygen(&world, "ed25519", PASSPHRASE);
    with_secret(&world, &format!("\"{public}\""));
    let refused = world.unattended(&["get", FILE, "a"]).assert().code(128);
    let said = stderr(&refused).replace(&path.display().to_string(), "KEY");
    insta::assert_snapshot!(said, @r"
    error: cannot open secrets/default.yml
      cause: it is encrypted to alice; none of these keys is here. Not usable: KEY (it needs a passphrase, and there is no terminal to ask for it)
      fix:   run this in a terminal, where the passphrase of KEY can be asked for, or use a key without one
    ");
}

#[test]
fn an_identity_file_that_age_protected_is_opened() {
    let world = World::new(&[]);
    let keys = world.at("keys.txt");
    let made = world
        .command("age-keygen".as_ref())
        .arg("-o")
        .arg(&keys)
        .output();
    if made.is_err() {
        println!("SKIP protected identity files: no age");
        return;
    }
    let public = world
        .command("age-keygen".as_ref())
        .arg("-y")
        .arg(&keys)
        .assert()
        .success();
    with_secret(&world, stdout(&public).trim());
    for (armor, sealed) in [("", "keys.age"), ("-a", "keys.asc")] {
        let sealed = world.at(sealed);
        let protect = format!("age -p {armor} -o {} {}", sealed.display(), keys.display());
        world.type_into(
            &protect,
            &[
                ("Enter passphrase", PASSPHRASE),
                ("Confirm passphrase", PASSPHRASE),
            ],
        );
        let shown = world.on_terminal(
            &["--identity", sealed.to_str().unwrap(), "get", FILE, "a"],
            &[("Passphrase of ", PASSPHRASE)],
        );
        assert!(shown.contains("hunter2"), "{shown}");
    }
}

#[test]
fn what_is_piped_in_is_not_taken_for_a_passphrase() {
    let world = World::new(&[]);
    let (path, public) = keygen(&world, "ed25519", PASSPHRASE);
    with_secret(&world, &format!("\"{public}\""));
    let command = format!(
        "printf new | {} secrets set {FILE} b",
        assert_cmd::cargo::cargo_bin("steadfast").display()
    );
    let asked = format!("Passphrase of {}: ", path.display());
    world.type_into(&command, &[(&asked, PASSPHRASE)]);
    let shown = world.on_terminal(&["get", FILE, "b"], &[(&asked, PASSPHRASE)]);
    assert!(shown.contains("new"), "{shown}");
}
