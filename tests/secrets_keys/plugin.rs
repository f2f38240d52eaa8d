//! Keys that an age plugin has, with a real plugin: a shell script that speaks the protocol.

use bech32::{Bech32, Hrp};

use crate::world::{ALICE, World, sops, stderr, stdout};

const FILE: &str = "secrets/default.yml";

/// Turns the first twenty characters of a file key's base64 text around: enough for a test, and for nothing else. With a
/// PIN, it asks for that before it opens anything.
const PLUGIN: &str = r#"
body() {
  body=
  while IFS= read -r line; do
    body=$body$line
    [ ${#line} -lt 64 ] && break
  done
}
turned() { printf '%s%s' "$(printf %s "$1" | cut -c1-20 | rev)" "$(printf %s "$1" | cut -c21-)"; }
found=
while IFS= read -r head; do
  body
  case $head in
    '-> wrap-file-key'*) found=$body ;;
    '-> recipient-stanza 0 turned'*) found=$body ;;
    '-> done'*) break ;;
  esac
done
if [ -n "$found" ]; then
  case $1 in
    *recipient-v1) printf -- '-> recipient-stanza 0 turned\n%s\n' "$(turned "$found")" ;;
    *identity-v1)
      if [ -n "$PIN" ]; then
        printf -- '-> request-secret\n%s\n' "$(printf 'PIN of the card' | base64 | tr -d =)"
        IFS= read -r head; body
        if [ "$head" != '-> ok' ] || [ "$(printf %s "$body" | base64 -d 2>/dev/null)" != "$PIN" ]; then
          printf -- '-> error identity 0\n%s\n' "$(printf 'no PIN, no key' | base64 | tr -d =)"
          IFS= read -r head; body
          printf -- '-> done\n\n'; exit
        fi
      fi
      printf -- '-> file-key 0\n%s\n' "$(turned "$found")" ;;
  esac
  IFS= read -r head; body
fi
printf -- '-> done\n\n'
"#;

/// The card's recipient and identity.
fn card() -> (String, String) {
    let encode = |hrp: &str| bech32::encode::<Bech32>(Hrp::parse(hrp).unwrap(), &[7; 16]).unwrap();
    let identity = encode("age-plugin-turned-").to_ascii_uppercase();
    (encode("age1turned"), identity)
}

fn world() -> World {
    let world = World::new(&[("alice", ALICE[0]), ("card", &card().0)]);
    world.program("age-plugin-turned", PLUGIN);
    world
}

fn set(world: &World, key: &str, value: &str) {
    let mut set = world.alice(&["set", FILE, key]);
    set.write_stdin(value).assert().success();
}

fn without_plugin(world: &World) {
    std::fs::remove_file(world.at("bin/age-plugin-turned")).unwrap();
}

/// The armored text of the card's entry.
fn entry(world: &World) -> String {
    let text = std::fs::read_to_string(world.at("repo").join(FILE)).unwrap();
    let file: serde_yaml::Value = serde_yaml::from_str(&text).unwrap();
    let entries = file["sops"]["age"].as_sequence().unwrap();
    let recipient = card().0;
    let own = entries
        .iter()
        .find(|entry| entry["recipient"].as_str() == Some(&recipient))
        .unwrap();
    own["enc"].as_str().unwrap().to_owned()
}

#[test]
fn a_plugin_wraps_and_opens() {
    let world = world();
    set(&world, "db/password", "hunter2");
    let get = |identity: &str| {
        let mut get = world.unattended(&["get", FILE, "db/password"]);
        get.env("SOPS_AGE_KEY", identity);
        get.assert()
    };
    assert_eq!(stdout(&get(&card().1).success()), "hunter2");
    let without = world
        .secrets(&["get", FILE, "db/password"])
        .assert()
        .code(128);
    assert!(
        stderr(&without).contains("alice, card"),
        "{}",
        stderr(&without)
    );
}

#[test]
fn a_plugin_that_is_not_installed_is_named_both_ways() {
    let world = world();
    set(&world, "a", "1");
    without_plugin(&world);
    let closed = world
        .unattended(&["get", FILE, "a"])
        .env("SOPS_AGE_KEY", card().1)
        .assert()
        .code(128);
    insta::assert_snapshot!(stderr(&closed), @r"
    error: cannot open secrets/default.yml
      cause: it is encrypted to alice, card; none of these keys is here. Not usable: SOPS_AGE_KEY (the program `age-plugin-turned` is not installed)
      fix:   install that program so that it is found in PATH; it is named after the kind of key
    ");
    let unmade = world
        .alice(&["set", "secrets/other.yml", "a"])
        .write_stdin("1")
        .assert();
    let said = stderr(&unmade);
    assert!(!unmade.get_output().status.success());
    assert!(
        said.contains("the program `age-plugin-turned` is not installed"),
        "{said}"
    );
    assert!(said.contains("fix:   install that program"), "{said}");
    assert!(!world.at("repo/secrets/other.yml").exists());
}

#[test]
fn an_entry_that_cannot_be_made_here_is_kept_as_it_is() {
    let world = world();
    set(&world, "a", "1");
    let before = entry(&world);
    without_plugin(&world);
    let bob = "age1wngts0hzghfwf90yt6fcaegx3qy7frfka7c4ath89x6ufe4n0p7sunzey0";
    let rules = format!(
        "keys:\n  - &alice {}\n  - &card {}\n  - &bob {bob}\ncreation_rules:\n  - age: [*alice, *card, *bob]\n",
        ALICE[0],
        card().0
    );
    world.write("repo/.sops.yaml", &rules);
    let rekeyed = world.alice(&["rekey"]).assert().success();
    assert!(stdout(&rekeyed).contains("+bob"), "{}", stdout(&rekeyed));
    assert_eq!(entry(&world), before);
    set(&world, "a", "2");
    assert_eq!(entry(&world), before);
}

#[test]
fn a_plugin_that_asks_is_answered_on_a_terminal_and_refused_without() {
    let world = world();
    world.program("age-plugin-turned", &format!("PIN=1234\n{PLUGIN}"));
    set(&world, "a", "hunter2");
    let refused = world
        .unattended(&["get", FILE, "a"])
        .env("SOPS_AGE_KEY", card().1)
        .assert()
        .code(128);
    assert!(
        stderr(&refused).contains("no PIN, no key"),
        "{}",
        stderr(&refused)
    );
    world.write("keys.txt", &card().1);
    let keys = world.at("keys.txt");
    let shown = world.on_terminal(
        &["--identity", keys.to_str().unwrap(), "get", FILE, "a"],
        &[("PIN of the card: ", "1234")],
    );
    assert!(
        shown.contains("hunter2") && !shown.contains("1234"),
        "{shown}"
    );
}

#[test]
fn sops_and_age_use_the_same_plugin_on_the_same_files() {
    let world = world();
    let Some(sops) = sops("plugins") else {
        return;
    };
    set(&world, "a", "hunter2");
    let theirs = world
        .command(&sops)
        .args(["decrypt", "--extract", "[\"a\"]", FILE])
        .env("SOPS_AGE_KEY", card().1)
        .assert()
        .success();
    assert_eq!(stdout(&theirs), "hunter2");
    world.write("repo/secrets/theirs.yml", "b: from sops\n");
    world
        .command(&sops)
        .args(["encrypt", "--in-place", "secrets/theirs.yml"])
        .assert()
        .success();
    let ours = world
        .unattended(&["get", "secrets/theirs.yml", "b"])
        .env("SOPS_AGE_KEY", card().1)
        .assert()
        .success();
    assert_eq!(stdout(&ours), "from sops");
}
