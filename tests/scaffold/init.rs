//! `init`: a new repository.

use crate::world::World;

#[test]
fn a_new_repository_is_committed_has_nothing_wrong_and_opens_for_its_person_alone() {
    let world = World::new();
    let said = world
        .steadfast(&["init", "fleet", "--json"])
        .ends_with(0)
        .json();
    assert_eq!(said["user"], "anna");
    assert_eq!(said["hosts"].as_array().unwrap().len(), 4);
    assert_eq!(world.git("fleet", &["status", "--porcelain"]), "");
    assert_eq!(
        world.git("fleet", &["log", "--format=%an <%ae> %h"]),
        format!(
            "Anna Example <anna@example.com> {}",
            said["commit"].as_str().unwrap()
        )
    );
    world.steadfast(&["check", "fleet"]).ends_with(0);
    world
        .steadfast(&["config", "show", "chicago", "--repo", "fleet"])
        .ends_with(0);

    let person = world.read("fleet/users/anna.yml");
    assert!(
        person.contains(world.read("home/.ssh/id_ed25519.pub").trim()),
        "{person}"
    );
    assert!(
        person.contains("name: Anna Example, email: anna@example.com"),
        "{person}"
    );
    let get = [
        "secrets",
        "--repo",
        "fleet",
        "get",
        "fleet/secrets/default.yml",
    ];
    let password = |world: &World| {
        let said = world.steadfast(&[&get[..], &["backups/restic/password"]].concat());
        said.ends_with(0).stdout
    };
    assert_eq!(password(&world).trim().len(), 32);
    for filled in said["to_fill_in"].as_array().unwrap() {
        world
            .steadfast(&[&get[..], &[filled.as_str().unwrap()]].concat())
            .ends_with(0);
    }
    let example = crate::world::checkout().join("repo-example/DEMO-KEYS-NOT-SECRET/ketan");
    let stranger = World::new();
    let fleet = world.at("fleet").to_str().unwrap().to_owned();
    let file = format!("{fleet}/secrets/default.yml");
    let args = [
        "secrets",
        "--repo",
        &fleet,
        "view",
        &file,
        "--identity",
        example.to_str().unwrap(),
    ];
    stranger.steadfast(&args).ends_with(128);

    // Another one has other secrets.
    world.steadfast(&["init", "again"]).ends_with(0);
    let again = world.steadfast(&[
        "secrets",
        "--repo",
        "again",
        "get",
        "again/secrets/default.yml",
        "backups/restic/password",
    ]);
    assert_ne!(again.ends_with(0).stdout, password(&world));
}

#[test]
fn hosts_are_chosen_and_others_are_left_out() {
    let world = World::new();
    let said = world
        .steadfast(&[
            "init",
            "fleet",
            "--hosts",
            "boulder,yakima",
            "--user",
            "kim",
        ])
        .ends_with(0);
    assert!(
        said.stdout.contains("for boulder, yakima, committed as"),
        "{}",
        said.stdout
    );
    assert!(world.at("fleet/hosts/yakima/disk.yml").exists());
    assert!(!world.at("fleet/hosts/chicago").exists());
    assert!(world.at("fleet/users/kim.yml").exists());
    world.steadfast(&["check", "fleet"]).ends_with(0);
    let said = world
        .steadfast(&["init", "other", "--hosts", "dallas"])
        .ends_with(1);
    assert!(
        said.stderr.contains("its hosts are boulder, chicago"),
        "{}",
        said.stderr
    );
    assert!(!world.at("other").exists());
    // As every verb takes it.
    world
        .steadfast(&["init", "one", "--host", "boulder", "--user", "kim"])
        .ends_with(0);
    assert!(world.at("one/hosts/boulder").exists());
    assert!(!world.at("one/hosts/yakima").exists());
}

#[test]
fn an_age_key_may_open_the_secrets_instead_of_the_ssh_key() {
    let world = World::new();
    let recipient = "age1ng0fdfkz7kyqkdhu8quts5gm7j4yjudzmw2z0utl06sne5vqd5lqnyp9ga";
    world
        .steadfast(&["init", "fleet", "--recipient", recipient])
        .ends_with(0);
    assert!(
        world
            .read("fleet/.sops.yaml")
            .contains(&format!("- &anna {recipient}\n"))
    );
    assert!(world.read("fleet/users/anna.yml").contains("ssh-ed25519 "));
}

#[test]
fn what_stands_in_the_way_is_said_and_nothing_is_left_behind() {
    let world = World::new();
    world.write("full/mine", "x");
    let said = world.steadfast(&["init", "full"]).ends_with(1);
    assert!(said.stderr.contains("full is not empty"), "{}", said.stderr);
    assert_eq!(world.files("full").len(), 1);

    let said = world
        .steadfast(&["init", "fleet", "--key", "home/.ssh/id_ed25519"])
        .ends_with(1);
    assert!(
        said.stderr.contains("--key home/.ssh/id_ed25519.pub"),
        "{}",
        said.stderr
    );

    let run = world
        .command(env!("CARGO_BIN_EXE_steadfast"))
        .env("USER", "root");
    let said = run.args(["init", "fleet"]).ends_with(1);
    assert!(said.stderr.contains("--user NAME"), "{}", said.stderr);

    world.write("home/.gitconfig", "");
    let said = world.steadfast(&["init", "fleet"]).ends_with(1);
    assert!(
        said.stderr.contains("git config --global user.name"),
        "{}",
        said.stderr
    );

    // A commit that is refused by the person's own hook takes everything back.
    world.write(
        "home/.gitconfig",
        &format!(
            "[user]\n  name = A\n  email = a@b\n[core]\n  hooksPath = {}\n",
            world.at("hooks").display()
        ),
    );
    world.write(
        "hooks/pre-commit",
        "#!/bin/sh\necho not today >&2\nexit 1\n",
    );
    world
        .command("chmod")
        .args(["+x", "hooks/pre-commit"])
        .ends_with(0);
    let said = world.steadfast(&["init", "fleet"]).ends_with(1);
    assert!(said.stderr.contains("not today"), "{}", said.stderr);
    assert!(!world.at("fleet").exists());
}
