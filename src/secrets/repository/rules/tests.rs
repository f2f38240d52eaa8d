use super::*;
use crate::sops::{MacScope, SelectorRule};

const ALICE: &str = "age1ng0fdfkz7kyqkdhu8quts5gm7j4yjudzmw2z0utl06sne5vqd5lqnyp9ga";
const BOB: &str = "age1wngts0hzghfwf90yt6fcaegx3qy7frfka7c4ath89x6ufe4n0p7sunzey0";

fn parse(text: &str) -> Result<Rules, RulesError> {
    let text = text.replace("ALICE", ALICE).replace("BOB", BOB);
    Rules::parse(&text, Path::new("/repo/.sops.yaml"))
}

fn file(path: &str) -> RepoPath {
    RepoPath::new(path).unwrap()
}

fn names(rules: &Rules, path: &str) -> String {
    match rules.recipients_of(&file(path)) {
        Ok(recipients) => recipients
            .iter()
            .map(|recipient| rules.names().name_of(recipient))
            .collect::<Vec<_>>()
            .join(" "),
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
    creation rule 1 of /repo/.sops.yaml, which is for pgp/a, cannot be used; it has keys of the kind `pgp`, and only age and SSH keys are supported
    creation rule 2 of /repo/.sops.yaml, which is for two/a, cannot be used; it has 2 key groups, so that keys of several groups would be needed together
    creation rule 3 of /repo/.sops.yaml, which is for none/a, cannot be used; it names no recipient
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
