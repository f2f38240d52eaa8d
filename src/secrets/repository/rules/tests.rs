use std::fmt::Write as _;

use super::*;
use crate::sops::{Format, KeyGroup, MacScope, SelectorRule};

const ALICE: &str = "age1ng0fdfkz7kyqkdhu8quts5gm7j4yjudzmw2z0utl06sne5vqd5lqnyp9ga";
const BOB: &str = "age1wngts0hzghfwf90yt6fcaegx3qy7frfka7c4ath89x6ufe4n0p7sunzey0";

fn parse(text: &str) -> Result<Rules, RulesError> {
    let text = text.replace("ALICE", ALICE).replace("BOB", BOB);
    Rules::parse(&text, Path::new("/repo/.sops.yaml"))
}

fn file(path: &str) -> RepoPath {
    RepoPath::new(path).unwrap()
}

/// Groups are set apart by ` | `, and followed by how many of them are needed.
fn names(rules: &Rules, path: &str) -> String {
    match rules.keys_of(&file(path)) {
        Ok(keys) => {
            let group = |group: &KeyGroup| {
                let recipients = group.recipients.iter();
                let names = recipients.map(|recipient| rules.names().name_of(recipient));
                let others = group.others.iter().map(ToString::to_string);
                names.chain(others).collect::<Vec<_>>().join(" ")
            };
            let groups: Vec<String> = keys.groups().iter().map(group).collect();
            let threshold = keys.threshold().map(|needed| format!(" ({needed})"));
            groups.join(" | ") + &threshold.unwrap_or_default()
        }
        Err(error) => {
            let source = std::error::Error::source(&error).map(ToString::to_string);
            assert!(!error.fix().is_empty());
            format!("{error}; {}", source.unwrap_or_default())
        }
    }
}

#[test]
fn the_first_rule_that_matches_says_who_can_read_a_file() {
    let rules = parse(
        r"
keys:
  - &alice ALICE
  - &bob BOB
creation_rules:
  - path_regex: ^secrets/[^/]+\.ya?ml$
    key_groups:
      - age: [*alice, *bob]
  - path_regex: ^comma/
    age: 'ALICE ,
      BOB,'
  - path_regex: ^list/
    age: [*bob, *bob]
    encrypted_regex: ^(data|stringData)$
    mac_only_encrypted: true
  - path_regex: ^merged/
    key_groups:
      - merge:
          - age: [*bob]
        age: [*alice, *bob]
  - age: *alice
unknown_key: {a: 1}
stores:
  yaml: {indent: 2}
",
    )
    .unwrap();
    for (path, expected) in [
        ("secrets/default.yml", "alice bob"),
        ("secrets/deeper/default.yml", "alice"),
        ("comma/x.yml", "alice bob"),
        ("list/x.yml", "bob"),
        ("merged/x.yml", "bob alice"),
    ] {
        assert_eq!(names(&rules, path), expected, "{path}");
    }
    let list = rules.rule_for(&file("list/x.yml")).unwrap();
    assert_eq!(list.number(), 3);
    assert!(list.names_files());
    assert_eq!(
        *list.selector(),
        Selector {
            rule: SelectorRule::EncryptedRegex("^(data|stringData)$".to_owned()),
            mac_scope: MacScope::OnlyEncrypted,
        }
    );
    assert!(!rules.rule_for(&file("other")).unwrap().names_files());
    assert_eq!(
        *rules.rule_for(&file("other")).unwrap().selector(),
        Selector::default()
    );
}

#[test]
fn a_rule_in_trouble_stops_only_its_own_files() {
    let rules = parse(
        r"
creation_rules:
  - {path_regex: ^pgp/, pgp: FINGERPRINT, age: ALICE}
  - {path_regex: ^two/, key_groups: [{age: [ALICE]}, {age: [BOB]}]}
  - {path_regex: ^none/}
  - {path_regex: ^bad/, age: alice}
  - {path_regex: ^sel/, age: ALICE, encrypted_regex: a, unencrypted_suffix: b}
  - {path_regex: ^empty/, age: ALICE, pgp: '', kms: []}
",
    )
    .unwrap();
    insta::assert_snapshot!(
        ["pgp/a", "two/a", "none/a", "bad/a", "sel/a", "empty/a", "x/a"]
            .map(|path| names(&rules, path))
            .join("\n"),
        @r"
    age1ng0fdf…lqnyp9ga pgp FINGERPRINT
    age1ng0fdf…lqnyp9ga | age1wngts0…7sunzey0
    creation rule 3 of /repo/.sops.yaml, which is for none/a, cannot be used; there is no key
    creation rule 4 of /repo/.sops.yaml, which is for bad/a, cannot be used; `alice` is not a recipient: it begins with neither `age1` nor `ssh-`
    creation rule 5 of /repo/.sops.yaml, which is for sel/a, cannot be used; it has several of the settings unencrypted_suffix, encrypted_regex; only one may be there
    age1ng0fdf…lqnyp9ga
    no creation rule of /repo/.sops.yaml is for x/a; 
    "
    );
}

#[test]
fn a_file_that_sops_would_not_read_is_refused() {
    for (text, expected) in [
        ("creation_rules: [", "/repo/.sops.yaml is not valid"),
        ("creation_rules: {}", "/repo/.sops.yaml is not valid"),
        (
            "creation_rules: [{path_regex: '('}]",
            "creation rule 1 of /repo/.sops.yaml cannot be used",
        ),
    ] {
        let error = parse(text).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert!(error.fix().is_some());
    }
    for text in ["", "# only a comment\n", "keys: []", "creation_rules:\n"] {
        assert!(
            parse(text).unwrap().rule_for(&file("a")).is_none(),
            "{text}"
        );
    }
}

#[test]
fn key_groups_have_keys_of_all_kinds_and_a_threshold() {
    let rules = parse(
        r"
shared:
  - &alice ALICE
  - &bob BOB
  - &team
    age: [*alice]
    pgp: ['AAAA BBBB']
creation_rules:
  - path_regex: ^groups/
    shamir_threshold: 2
    age: ignored
    key_groups:
      - merge:
          - *team
          - merge: [*team]
            age: ['BOB,ALICE']
        kms:
          - {arn: 'arn:aws:kms:1', role: 'arn:aws:iam::2', context: {a: b}}
          - arn: 'arn:aws:kms:3'
      - age: [*bob]
        gcp_kms: [{resource_id: projects/p}]
        hckms: [{key_id: region:id}]
        azure_keyvault: [{vaultUrl: 'https://v/', key: k, version: 1a}]
        hc_vault: ['https://vault:8200/v1/sops/keys/one/']
      - pgp: [CCCC]
  - path_regex: ^flat/
    age: *alice
    merge: [*team]
    pgp: 'AA, BB'
    kms: 'arn:aws:kms:1+arn:aws:iam::2,arn:aws:kms:3'
    azure_keyvault: https://v/keys/k/1a
    hc_vault_transit_uri: https://vault:8200/v1/sops/keys/one
  - {path_regex: ^plugin/, age: [age1pq1qqqq]}
  - {path_regex: ^empty/, key_groups: [{age: [*alice]}, {age: []}]}
  - {path_regex: ^low/, shamir_threshold: 1, key_groups: [{age: [*alice]}, {age: [*bob]}]}
  - {path_regex: ^high/, shamir_threshold: 300, key_groups: [{age: [*alice]}, {age: [*bob]}]}
  - {path_regex: ^minus/, shamir_threshold: -1, age: *alice}
  - {path_regex: ^one/, shamir_threshold: 5, age: *alice}
  - {path_regex: ^shape/, age: {a: b}}
  - {path_regex: ^private/, age: AGE-SECRET-KEY-1QQQ}
",
    )
    .unwrap();
    insta::assert_snapshot!(
        ["groups/a", "flat/a", "plugin/a", "empty/a", "low/a", "high/a", "minus/a", "one/a", "shape/a", "private/a"]
            .map(|path| names(&rules, path))
            .join("\n"),
        @r"
    alice bob pgp AAAABBBB kms arn:aws:kms:1+arn:aws:iam::2 kms arn:aws:kms:3 | bob gcp_kms projects/p hckms region:id azure_kv https://v/keys/k/1a hc_vault https://vault:8200/v1/sops/keys/one | pgp CCCC (2)
    alice pgp AA pgp BB kms arn:aws:kms:1+arn:aws:iam::2 kms arn:aws:kms:3 azure_kv https://v/keys/k/1a hc_vault https://vault:8200/v1/sops/keys/one
    age1pq1qqqq
    creation rule 4 of /repo/.sops.yaml, which is for empty/a, cannot be used; key group 2 has no key
    creation rule 5 of /repo/.sops.yaml, which is for low/a, cannot be used; the threshold is 1, and there are 2 key groups; it must be from 2 to 2
    creation rule 6 of /repo/.sops.yaml, which is for high/a, cannot be used; the threshold is 300, and there are 2 key groups; it must be from 2 to 2
    creation rule 7 of /repo/.sops.yaml, which is for minus/a, cannot be used; its `shamir_threshold` is not a number from 2 to the number of groups
    alice
    creation rule 9 of /repo/.sops.yaml, which is for shape/a, cannot be used; its `age` is not a key, a list of keys, or keys with commas between them
    creation rule 10 of /repo/.sops.yaml, which is for private/a, cannot be used; this is a private key, not a recipient; it is not shown here
    "
    );
}

#[test]
fn layouts_are_read_by_format_and_must_be_sensible() {
    let rules =
        parse("stores: {yaml: {indent: 2}, json: {indent: 0}, json_binary: {indent: -1}, ini: {}}")
            .unwrap();
    assert_eq!(rules.indent(Format::Yaml), Some(2));
    assert_eq!(rules.indent(Format::Json), Some(0));
    assert_eq!(rules.indent(Format::Binary), None);
    assert_eq!(rules.indent(Format::Ini), None);
    assert!(rules.is_silent());
    assert!(!parse("creation_rules: []").unwrap().is_silent());
    for text in [
        "{yaml: {indent: -1}}",
        "{json: {indent: -2}}",
        "{json: {indent: 1000000}}",
    ] {
        let error = parse(&format!("stores: {text}")).unwrap_err();
        assert!(
            error.to_string().contains("is not a number of blanks"),
            "{error}"
        );
    }
}

#[test]
fn groups_that_merge_themselves_in_endless_ways_are_refused() {
    let mut text = "x:\n  - &g0 {age: [ALICE, BOB], pgp: [A]}\n".to_owned();
    for n in 1..40 {
        let before = n - 1;
        writeln!(text, "  - &g{n} {{merge: [*g{before}, *g{before}]}}").unwrap();
    }
    text += "creation_rules: [{key_groups: [{merge: [*g39]}]}]\n";
    assert!(parse(&text).is_err());
}
