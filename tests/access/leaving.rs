//! `offboard`, and the ledger of values to change.

use crate::world::{BOB, World};

/// The values that `check` still wants changed.
fn to_change(world: &World) -> Vec<String> {
    let answer = world.ci(&["check", "--json"]).json();
    let findings = answer["findings"].as_array().unwrap().clone();
    let open = findings.iter().filter(|it| it["kind"] == "must_change");
    open.map(|it| it["what"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_host_that_leaves_is_out_and_every_value_it_could_ever_read_is_named() {
    let world = World::new();
    let (first, key) = (world.ssh_key("first"), world.ssh_key("dallas"));
    world.onboard("dallas", &first).ends_with(0);
    world.set("secrets/tls.yml", "old/pin", "gone");
    world.commit("first key");
    world
        .alice(&["unset", "secrets/tls.yml", "old/pin"])
        .ends_with(0);
    world
        .alice(&[
            "onboard",
            "dallas",
            "--file",
            &crate::world::public(&key),
            "--replace",
        ])
        .ends_with(0);
    world.set("secrets/tls.yml", "new", "later");
    world.commit("second key");
    let before = world.read(".sops.yaml");
    assert!(before.contains("*dallas"));

    let dry = world
        .ci(&["offboard", "dallas", "--dry-run", "--json"])
        .ends_with(0)
        .json();
    assert_eq!(
        dry["keys"].as_array().unwrap().len(),
        4,
        "two keys, each in two forms: {dry}"
    );
    let said = world
        .alice(&["offboard", "dallas", "--json"])
        .ends_with(0)
        .json();
    let values = |of: &str| {
        let values = said[of].as_array().unwrap().iter();
        values
            .map(|it| {
                format!(
                    "{} {}",
                    it["file"].as_str().unwrap(),
                    it["key"][0].as_str().unwrap()
                )
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(
        values("must_change"),
        [
            "secrets/default.yml db",
            "secrets/tls.yml new",
            "secrets/tls.yml web"
        ]
    );
    assert_eq!(values("gone"), ["secrets/tls.yml old"]);
    assert!(!world.opens(&key, "secrets/default.yml") && !world.opens(&first, "secrets/tls.yml"));
    let rules = world.read(".sops.yaml");
    assert!(
        !rules.contains("dallas") && rules.contains("# me"),
        "{rules}"
    );
    assert_eq!(
        rules.matches("path_regex").count(),
        1,
        "the rule for its files says nothing new: {rules}"
    );
    assert!(!world.repo("hosts/dallas/ssh_host_ed25519_key.pub").exists());
    assert_eq!(
        world.get("secrets/tls.yml", "web/key", BOB[1]).stdout,
        "two"
    );
    world.commit("dallas leaves");

    assert_eq!(to_change(&world).len(), 3);
    // A new data key changes no value.
    world.alice(&["rekey", "--rotate"]).ends_with(0);
    assert_eq!(to_change(&world).len(), 3);
    world
        .alice(&["rotate", "-i", "secrets/default.yml"])
        .ends_with(0);
    assert_eq!(to_change(&world).len(), 3);
    world.set("secrets/default.yml", "db/password", "fresh");
    assert_eq!(to_change(&world).len(), 2);
    world.set("secrets/tls.yml", "web/key", "fresh");
    world
        .alice(&["unset", "secrets/tls.yml", "new"])
        .ends_with(0);
    assert!(to_change(&world).is_empty());
    // Named again, nothing that was changed since has to be changed again.
    world.commit("changed");
    world.alice(&["offboard", "dallas"]).ends_with(0);
    assert!(to_change(&world).is_empty());
}

#[test]
fn the_ledger_holds_no_secret() {
    let world = World::new();
    world
        .onboard("dallas", &world.ssh_key("dallas"))
        .ends_with(0);
    world.commit("joins");
    world.alice(&["offboard", "dallas"]).ends_with(0);
    let ledger = world.read(".steadfast/must-change.yml");
    assert!(
        !ledger.contains("two") && !ledger.contains("ENC["),
        "{ledger}"
    );
}

#[test]
fn a_person_leaves_by_their_anchor_and_other_branches_count() {
    let world = World::new();
    world.git(&["switch", "-q", "-c", "side"]);
    world.set("secrets/side.yml", "y", "side");
    world.commit("side");
    world.git(&["switch", "-q", "--detach", "main"]);
    let said = world
        .alice(&["offboard", "bob", "--json"])
        .ends_with(0)
        .json();
    assert_eq!(said["commits"], 2);
    assert_eq!(said["gone"][0]["file"], "secrets/side.yml");
    assert_eq!(said["must_change"].as_array().unwrap().len(), 3);
    assert_ne!(world.get("secrets/other.yml", "x", BOB[1]).code, 0);
    let said = world.alice(&["offboard", "nobody"]).ends_with(1);
    assert!(
        said.stderr.contains("is and was no host or person"),
        "{}",
        said.stderr
    );
}

#[test]
fn the_last_reader_cannot_leave() {
    let world = World::new();
    world.alice(&["offboard", "bob"]).ends_with(0);
    let files = world.files();
    let said = world.alice(&["offboard", "alice"]).ends_with(1);
    assert!(
        said.stderr.contains("nobody would be left"),
        "{}",
        said.stderr
    );
    assert_eq!(world.files(), files);
}

#[test]
fn without_the_whole_history_it_must_be_said() {
    let world = World::without_git();
    let files = world.files();
    let said = world.alice(&["offboard", "bob"]).ends_with(1);
    assert!(
        said.stderr.contains("--incomplete-history"),
        "{}",
        said.stderr
    );
    assert_eq!(world.files(), files);
    let said = world
        .alice(&["offboard", "bob", "--incomplete-history"])
        .ends_with(0);
    assert!(said.stderr.contains("no history"), "{}", said.stderr);
    assert_eq!(to_change(&world).len(), 3);

    let origin = World::new();
    origin.set("secrets/other.yml", "x", "2");
    origin.commit("second");
    let shallow = World::empty();
    let url = format!("file://{}", origin.repo("").display());
    shallow.git(&["clone", "-q", "--depth", "1", &url, "."]);
    let said = shallow.alice(&["offboard", "bob"]).ends_with(1);
    assert!(said.stderr.contains("--unshallow"), "{}", said.stderr);
    shallow
        .alice(&["offboard", "bob", "--incomplete-history"])
        .ends_with(0);
}
