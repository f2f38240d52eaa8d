use super::*;
use crate::source::RepoPath;

const ALICE: &str = "age1ng0fdfkz7kyqkdhu8quts5gm7j4yjudzmw2z0utl06sne5vqd5lqnyp9ga";
const BOB: &str = "age1wngts0hzghfwf90yt6fcaegx3qy7frfka7c4ath89x6ufe4n0p7sunzey0";
const HOST: &str = "age19jlk6v9g5g4pe9t2t8m53q7mlvrys2w9yu5f5cwwllhccwdrtf7sksvyz7";

/// Short names in the texts below stand for the keys.
fn long(text: &str) -> String {
    text.replace("A!", ALICE)
        .replace("B!", BOB)
        .replace("H!", HOST)
}

fn short(text: &str) -> String {
    text.replace(ALICE, "A!")
        .replace(BOB, "B!")
        .replace(HOST, "H!")
}

fn host() -> NewKey<'static> {
    NewKey {
        name: "chicago",
        key: HOST,
    }
}

fn keys(keys: &[&str]) -> BTreeSet<String> {
    keys.iter().map(|key| (*key).to_owned()).collect()
}

fn registered(text: &str) -> String {
    let text = RulesText::parse(&long(text)).unwrap();
    short(text.with_anchor(&host()).unwrap().text())
}

fn added(text: &str) -> String {
    let text = RulesText::parse(&long(text)).unwrap();
    let text = text.with_anchor(&host()).unwrap();
    short(text.with_rule_key(1, &host(), &keys(&[])).unwrap().text())
}

fn removed(text: &str) -> String {
    let text = RulesText::parse(&long(text)).unwrap();
    short(text.without_keys(&keys(&[BOB])).unwrap().text())
}

#[test]
fn an_anchor_goes_beside_the_others_however_they_are_written() {
    for (before, after) in [
        (
            "# who\nkeys:\n  - &alice A! # me\n\n  # a comment\n  - &bob B!   # him\ncreation_rules: []\n",
            "# who\nkeys:\n  - &alice A! # me\n\n  # a comment\n  - &bob B!   # him\n  - &chicago H!\ncreation_rules: []\n",
        ),
        ("keys:\n- &alice A!", "keys:\n- &alice A!\n- &chicago H!"),
        (
            "keys: [&alice A!, &bob B!]\n",
            "keys: [&alice A!, &bob B!, &chicago H!]\n",
        ),
        (
            "keys: [\n  &alice A!,\n  &bob B!,\n]\n",
            "keys: [\n  &alice A!,\n  &bob B!,\n  &chicago H!,\n]\n",
        ),
        (
            "keys:\n  users:\n    - &alice A!\n  hosts:\n    - &x B!\n",
            "keys:\n  users:\n    - &alice A!\n    - &chicago H!\n  hosts:\n    - &x B!\n",
        ),
        (
            "keys:\n  alice: &alice A!\n  bob: &bob \"B!\"\n",
            "keys:\n  alice: &alice A!\n  bob: &bob \"B!\"\n  chicago: &chicago H!\n",
        ),
        ("keys:\n  - A!\n", "keys:\n  - A!\n  - &chicago H!\n"),
        (
            "creation_rules:\n  - age: A!\n",
            "creation_rules:\n  - age: A!\n",
        ),
        ("keys:\n  - &chicago H!\n", "keys:\n  - &chicago H!\n"),
    ] {
        assert_eq!(registered(before), after, "{before}");
    }
    let taken = RulesText::parse(&long("keys:\n  - &chicago B!\n")).unwrap();
    assert_eq!(
        taken.with_anchor(&host()).unwrap_err(),
        RulesTextError::AnchorTaken {
            name: "chicago".to_owned(),
            line: 2
        }
    );
}

#[test]
fn a_rule_gets_a_key_however_its_keys_are_written() {
    const KEYS: &str = "keys:\n  - &alice A!\n  - &chicago H!\n";
    for (before, after) in [
        ("    age: [*alice]\n", "    age: [*alice, *chicago]\n"),
        (
            "    age:\n      - *alice # me\n    mac_only_encrypted: true\n",
            "    age:\n      - *alice # me\n      - *chicago\n    mac_only_encrypted: true\n",
        ),
        ("    age: *alice\n", "    age: [*alice, *chicago]\n"),
        ("    age: A!,B! # two\n", "    age: A!,B!,H! # two\n"),
        ("    age: \"A!, B!\"\n", "    age: \"A!, B!,H!\"\n"),
        (
            "    age: >-\n      A!,\n      B!\n",
            "    age: >-\n      A!,\n      B!,\n      H!\n",
        ),
        (
            "    key_groups:\n    - age:\n      - *alice\n",
            "    key_groups:\n    - age:\n      - *alice\n      - *chicago\n",
        ),
        (
            "    key_groups:\n      - age: [ *alice ]\n",
            "    key_groups:\n      - age: [ *alice, *chicago ]\n",
        ),
    ] {
        let rule = "creation_rules:\n  - path_regex: ^a\n";
        let got = added(&format!("{KEYS}{rule}{before}"));
        assert_eq!(got, format!("{KEYS}{rule}{after}"));
    }
    assert_eq!(
        added("creation_rules:\n  - age:\n      - A! # me\n"),
        "creation_rules:\n  - age:\n      - A! # me\n      - H! # chicago\n"
    );
    assert_eq!(
        added("all: &all\n  - A!\n  - B!\ncreation_rules:\n  - age: *all\n"),
        "all: &all\n  - A!\n  - B!\ncreation_rules:\n  - age: [A!, B!, H!]\n"
    );
}

#[test]
fn a_rule_with_several_groups_is_left_to_people() {
    let text = "creation_rules:\n  - key_groups:\n      - age: [A!]\n      - age: [B!]\n";
    let text = RulesText::parse(&long(text)).unwrap();
    assert_eq!(
        text.with_rule_key(1, &host(), &keys(&[])).unwrap_err(),
        RulesTextError::Groups { line: 2, groups: 2 }
    );
}

#[test]
fn among_several_groups_a_host_goes_to_the_one_with_the_other_hosts() {
    let text = "creation_rules:\n  - shamir_threshold: 2\n    key_groups:\n      - age:\n          - A!\n      - age:\n          - B!\n";
    let rules = RulesText::parse(&long(text)).unwrap();
    let with = |peers: &[&str]| {
        let added = rules.with_rule_key(1, &host(), &keys(peers));
        added.map(|added| short(added.text()))
    };
    let expected = format!("{text}          - H! # chicago\n");
    assert_eq!(with(&[BOB]).unwrap(), expected);
    for peers in [&[ALICE, BOB][..], &[]] {
        let error = with(peers).unwrap_err();
        assert_eq!(error, RulesTextError::Groups { line: 2, groups: 2 });
        assert!(error.fix().contains("the group that it belongs to"));
    }
}

#[test]
fn a_copy_of_a_rule_stands_before_it_for_single_files() {
    let before = "creation_rules:\n  # first\n  - path_regex: ^x\n    age: B!\n\n  # all secrets\n  - path_regex: ^secrets/\n    encrypted_regex: ^pass$ # only these\n    age:\n      - &alice A!\n      - *alice\n  - age: B!\n";
    let after = "creation_rules:\n  # first\n  - path_regex: ^x\n    age: B!\n\n  - path_regex: ^(secrets/a\\.yml|secrets/b\\+\\.yml)$\n    encrypted_regex: ^pass$ # only these\n    age:\n      - &alice A!\n      - *alice\n  # all secrets\n  - path_regex: ^secrets/\n    encrypted_regex: ^pass$ # only these\n    age:\n      - *alice\n      - *alice\n  - age: B!\n";
    let files = ["secrets/a.yml", "secrets/b+.yml"].map(|file| RepoPath::new(file).unwrap());
    let text = RulesText::parse(&long(before)).unwrap();
    let text = text.with_rule_before(2, &files).unwrap();
    assert_eq!(short(text.text()), after);
    let without = text.without_rule(1).unwrap();
    assert!(!without.text().contains("^x"));
    // The second defines an anchor that the third uses.
    assert!(text.without_rule(2).is_err());
    for (before, after) in [
        (
            "creation_rules:\n- age: A!",
            "creation_rules:\n- path_regex: ^secrets/a\\.yml$\n  age: A!\n- age: A!",
        ),
        (
            "creation_rules:\n  - { age: A! }\n",
            "creation_rules:\n  - { path_regex: '^secrets/a\\.yml$', age: A! }\n  - { age: A! }\n",
        ),
    ] {
        let text = RulesText::parse(&long(before)).unwrap();
        let text = text.with_rule_before(1, &files[..1]).unwrap();
        assert_eq!(short(text.text()), after);
    }
}

#[test]
fn a_key_is_taken_out_wherever_it_stands() {
    for (before, after) in [
        (
            "keys:\n  - &alice A!\n  - &bob B! # him\ncreation_rules:\n  - age: [*alice, *bob]\n  - age: [*bob, *alice]\n  - age:\n      - *bob # x\n      - *alice\n",
            "keys:\n  - &alice A!\ncreation_rules:\n  - age: [*alice]\n  - age: [*alice]\n  - age:\n      - *alice\n",
        ),
        (
            "creation_rules:\n  - age: A!,B!\n",
            "creation_rules:\n  - age: A!\n",
        ),
        (
            "creation_rules:\n  - age: B!, A!\n",
            "creation_rules:\n  - age: A!\n",
        ),
        (
            "creation_rules:\n  - age: >-\n      B!,\n      A!\n",
            "creation_rules:\n  - age: >-\n      A!\n",
        ),
        (
            "k:\n  alice: &alice A!\n  bob: &bob B!\ncreation_rules:\n  - age: [\n      *alice, # me\n      *bob # him\n    ]\n",
            "k:\n  alice: &alice A!\ncreation_rules:\n  - age: [\n      *alice, # me\n    ]\n",
        ),
        (
            "creation_rules:\n  - age: [A!, &bob B!]\n  - age: [A!, *bob]\n",
            "creation_rules:\n  - age: [A!]\n  - age: [A!]\n",
        ),
    ] {
        assert_eq!(removed(before), after, "{before}");
    }
    for alone in ["age: B!", "age: [B!]", "age:\n      - B!", "age: \"B!\""] {
        let text = format!("creation_rules:\n  - {alone}\n");
        let text = RulesText::parse(&long(&text)).unwrap();
        assert!(matches!(
            text.without_keys(&keys(&[BOB])),
            Err(RulesTextError::NobodyLeft { .. })
        ));
    }
}

#[test]
fn a_new_key_takes_the_place_of_the_old() {
    let before =
        "keys:\n  - &chicago B! # host\ncreation_rules:\n  - age: [*chicago, A!]\n  - age: A!,B!\n";
    let text = RulesText::parse(&long(before)).unwrap();
    let text = text.with_replaced(&keys(&[BOB]), &host()).unwrap();
    assert_eq!(
        short(text.text()),
        "keys:\n  - &chicago H! # host\ncreation_rules:\n  - age: [*chicago, A!]\n  - age: A!,H!\n"
    );
    assert_eq!(text.anchor_of(&keys(&[HOST])), Some("chicago"));
    assert_eq!(text.keys_at("chicago"), keys(&[HOST]));
}

#[test]
fn only_a_regular_expression_for_single_files_counts_as_one() {
    for (regex, expected) in [
        (r"^secrets/a\.yml$", true),
        (r"^(secrets/a\.yml|b)$", true),
        (r"^secrets/.*\.yml$", false),
        (r"^secrets/", false),
        ("secrets/a", false),
    ] {
        assert_eq!(rule::names_single_files(regex), expected, "{regex}");
    }
}
