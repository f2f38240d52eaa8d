//! `onboard` and `who`.

use crate::world::{ALICE, BOB, World, public};

#[test]
fn a_host_opens_exactly_what_it_uses() {
    let world = World::new();
    let key = world.ssh_key("dallas");
    assert!(!world.opens(&key, "secrets/default.yml"));
    let before = world.read("secrets/other.yml");
    let said = world.onboard("dallas", &key).ends_with(0);
    assert!(said.stdout.contains("git add -A -- .sops.yaml hosts/dallas/ssh_host_ed25519_key.pub secrets/default.yml secrets/tls.yml"), "{}", said.stdout);
    assert!(world.opens(&key, "secrets/default.yml") && world.opens(&key, "secrets/tls.yml"));
    assert!(!world.opens(&key, "secrets/other.yml"));
    assert_eq!(world.read("secrets/other.yml"), before);
    for person in [ALICE[1], BOB[1]] {
        assert_eq!(
            world.get("secrets/tls.yml", "web/key", person).stdout,
            "two"
        );
    }
    let rules = world.read(".sops.yaml");
    assert!(rules.starts_with("# who\nkeys:\n  - &alice"), "{rules}");
    assert!(rules.contains("  - &dallas age1"), "{rules}");
    assert!(rules.contains("  - path_regex: ^(secrets/default\\.yml|secrets/tls\\.yml)$\n    age: [*alice, *bob, *dallas]\n  # all\n  - path_regex: ^secrets/.*\\.ya?ml$\n    age: [*alice, *bob]\n"), "{rules}");
    world.ci(&["check", "--strict"]).ends_with(0);
    // Done twice, the second time changes nothing.
    let files = world.files();
    let said = world.alice(&["onboard", "dallas"]).ends_with(0);
    assert!(said.stderr.contains("nothing to do"), "{}", said.stderr);
    assert_eq!(world.files(), files);
}

#[test]
fn a_second_host_with_the_same_files_is_added_to_the_rule() {
    let world = World::new();
    world
        .onboard("dallas", &world.ssh_key("dallas"))
        .ends_with(0);
    world.write("hosts/x/host.yml", &world.read("hosts/dallas/host.yml"));
    world.onboard("x", &world.ssh_key("x")).ends_with(0);
    let rules = world.read(".sops.yaml");
    assert_eq!(rules.matches("path_regex").count(), 2, "{rules}");
    assert!(rules.contains("[*alice, *bob, *dallas, *x]"), "{rules}");
    // One more with fewer files gets a rule of its own, with the others' keys.
    world.write("hosts/y/host.yml", "secrets:\n  db/password: {}\n");
    world.onboard("y", &world.ssh_key("y")).ends_with(0);
    let rules = world.read(".sops.yaml");
    assert!(
        rules.contains(
            "  - path_regex: ^secrets/default\\.yml$\n    age: [*alice, *bob, *dallas, *x, *y]\n"
        ),
        "{rules}"
    );
    world.ci(&["check", "--strict"]).ends_with(0);
    let who = world.ci(&["who", "y", "--json"]).ends_with(0).json();
    assert_eq!(who["files"].as_array().unwrap().len(), 1);
    assert_eq!(
        who["files"][0]["hosts"],
        serde_json::json!(["dallas", "x", "y"])
    );
    assert_eq!(
        who["files"][0]["used_by"],
        serde_json::json!(["dallas", "x", "y"])
    );
}

#[test]
fn a_dry_run_changes_nothing() {
    let world = World::new();
    let files = world.files();
    let key = public(&world.ssh_key("dallas"));
    let said = world
        .ci(&["onboard", "dallas", "--file", &key, "--dry-run"])
        .ends_with(0);
    assert!(said.stdout.contains("+dallas"), "{}", said.stdout);
    assert_eq!(world.files(), files);
}

#[test]
fn another_key_is_refused_unless_it_replaces_the_old_one() {
    let world = World::new();
    let (old, new) = (world.ssh_key("old"), world.ssh_key("new"));
    world.onboard("dallas", &old).ends_with(0);
    let files = world.files();
    let said = world.onboard("dallas", &new).ends_with(1);
    assert!(said.stderr.contains("--replace"), "{}", said.stderr);
    assert_eq!(world.files(), files);
    let said = world
        .alice(&["onboard", "dallas", "--file", &public(&new), "--replace"])
        .ends_with(0);
    assert!(said.stdout.contains("-dallas (old key)"), "{}", said.stdout);
    assert!(world.opens(&new, "secrets/default.yml") && !world.opens(&old, "secrets/default.yml"));
    world.ci(&["check", "--strict"]).ends_with(0);
    // Two hosts must not have one key.
    let said = world.onboard("other", &new).ends_with(1);
    assert!(
        said.stderr.contains("the key of other is that of dallas"),
        "{}",
        said.stderr
    );
}

#[test]
fn a_fingerprint_that_differs_stops_it() {
    let world = World::new();
    let key = public(&world.ssh_key("dallas"));
    let files = world.files();
    let said = world
        .alice(&[
            "onboard",
            "dallas",
            "--file",
            &key,
            "--fingerprint",
            "SHA256:no",
        ])
        .ends_with(1);
    assert!(said.stderr.contains("not SHA256:no"), "{}", said.stderr);
    assert_eq!(world.files(), files);
    let said = world.alice(&["onboard", "austin"]).ends_with(1);
    assert!(said.stderr.contains("--ssh-keyscan"), "{}", said.stderr);
}

#[test]
fn a_host_without_a_host_file_is_registered_alone() {
    let world = World::new();
    let said = world
        .onboard("austin", &world.ssh_key("austin"))
        .ends_with(0);
    assert!(
        said.stderr.contains("no hosts/austin/host.yml"),
        "{}",
        said.stderr
    );
    assert!(world.read(".sops.yaml").contains("- &austin age1"));
    assert!(world.repo("hosts/austin/ssh_host_ed25519_key.pub").exists());
    world.ci(&["rekey", "--check"]).ends_with(0);
}

#[test]
fn a_wrong_host_file_and_a_rule_in_another_shape_stop_it_without_a_trace() {
    let world = World::new();
    let key = world.ssh_key("dallas");
    world.write("hosts/dallas/host.yml", "secrets: 3\n");
    let files = world.files();
    let said = world.onboard("dallas", &key).ends_with(1);
    assert!(
        said.stderr.contains("hosts/dallas/host.yml"),
        "{}",
        said.stderr
    );
    assert_eq!(world.files(), files);
    world.write("hosts/dallas/host.yml", "secrets:\n  db/password: {}\n");
    world.write(".sops.yaml", "creation_rules: []\n");
    let files = world.files();
    world.onboard("dallas", &key).ends_with(1);
    assert_eq!(world.files(), files);
}

#[test]
fn who_answers_for_files_secrets_hosts_and_people() {
    let world = World::new();
    world
        .onboard("dallas", &world.ssh_key("dallas"))
        .ends_with(0);
    let all = world.ci(&["who"]).ends_with(0);
    let rows: Vec<String> = all
        .stdout
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(
        rows,
        [
            "FILE PEOPLE HOSTS",
            "secrets/default.yml alice, bob dallas",
            "secrets/other.yml alice, bob",
            "secrets/tls.yml alice, bob dallas",
        ]
    );
    let files = |about: &str| {
        let answer = world.ci(&["who", about, "--json"]).ends_with(0).json();
        let files = answer["files"].as_array().unwrap().clone();
        files
            .iter()
            .map(|file| file["file"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(files("dallas"), ["secrets/default.yml", "secrets/tls.yml"]);
    assert_eq!(files("bob").len(), 3);
    assert_eq!(files("tls"), ["secrets/tls.yml"]);
    assert_eq!(files("web/key"), ["secrets/tls.yml"]);
    assert_eq!(files("secrets/other.yml"), ["secrets/other.yml"]);
    let said = world.ci(&["who", "dalas"]).ends_with(1);
    assert!(
        said.stderr.contains("did you mean `dallas`?"),
        "{}",
        said.stderr
    );
}
