//! Against a real sops: what we write it reads, what it writes we read, and both can change the other's files.
//!
//! Hand-made documents; `both_ways` makes random ones. Without a sops every test here prints a SKIP line.

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use steadfast::identity::{Identities, Plaintext, Recipient};
use steadfast::sops::{
    Format, KeyGroups, MacScope, NewFile, OpenedFile, SealedFile, Selector, SelectorRule,
};

use crate::document::Document;
use crate::program::Sops;
use crate::support::{RECIPIENT, TIME, identities, leaves, leaves_of_plain, recipient, vectors};

fn seal(plain: &str, selector: &Selector) -> String {
    let keys = recipient().into();
    let new = NewFile {
        selector: selector.clone(),
        ..NewFile::new(Format::Yaml, &keys)
    };
    OpenedFile::create(plain.as_bytes(), &new)
        .and_then(|file| file.seal(TIME))
        .unwrap_or_else(|error| panic!("{error}\n{plain}"))
}

fn open(sealed: &str) -> OpenedFile {
    SealedFile::parse(sealed.as_bytes(), Format::Yaml)
        .unwrap_or_else(|error| panic!("{error}\n{sealed}"))
        .open(&identities())
        .unwrap_or_else(|error| panic!("{error}\n{sealed}"))
}

fn rule(rule: SelectorRule) -> Selector {
    Selector {
        rule,
        mac_scope: MacScope::Everything,
    }
}

/// Shapes that a secret file may have.
fn documents() -> Vec<&'static str> {
    vec![
        "a: secret\n",
        "a: secret",
        "\u{feff}a: secret\n",
        "a: b\r\nc:\r\n  d: e # f\r\n  # g\r\n",
        "db:\n  password: hunter2\n  port: 5432\n  ratio: 1.0\n  on: true\n  since: 2020-01-02\n  no: null\n  empty: \"\"\n",
        "# head\n\na: 1 # inline\n# before b\nb: # on key\n  # in b\n  c: 1\n\n# between\nd:\n- x # in list\n# item\n- y\n# tail\n",
        "a:\n  b: 1\n  # foot\n\nc: 2\n",
        "a:\n  b:\n    c: 1\n    # foot\n  # less\n# top\nd: 2\n# end\n",
        "a:\n  b:\n    c: 1\n\n  # after a blank\nd: 2\n",
        "key: |\n  -----BEGIN KEY-----\n  abc\n  -----END KEY-----\nnext: >-\n  folded\n  text\n\n\nlast: |2 # header\n    indented\n   less\n",
        "keep: |+\n  text\n\n\nnext: |-\n  x\n",
        "l: [a, \"b\", 1, null, [c], {d: e}] # flow\nm: {x: 1, \"y\": [z]}\ne: {}\nf: []\n",
        "l:\n  - a\n  - - b\n    - c\n  -\n    k: v\n    # in item\n    m: w\n  - n: o\n",
        "l:\n- # first\n  - a\n- # map\n  k: v\n",
        "base: &b\n  x: 1\n  y: [1, 2]\nder:\n  <<: *b\n  z: 2\nal: *b\nsc: &s foo\nse: [*s, *s]\nli:\n- *b\n- *s\n",
        "base: &b\n  x_unencrypted: 1\nal: *b\n",
        "? complex key\n: value\n? k2\n: - a\n  - b\n",
        "\"quoted key\": 'single ''quoted'''\n'it''s': \"tab\\tand \\u2713\"\nyes: no\n\"12\": 0777\n",
        "a.b: 1\n\"c:d\":\n  \"e:\": {\"\": 2}\n",
        "--- # start\na: 1\n---\n# second\nb: 2\n...\n---\n{}\n",
        "---\na: 1\n---\n",
        "{a: 1, b: {c: [x]}}\n",
        "--- {a: 1}\n",
        "{}\n",
        "a: !!str 5\nb: !!binary aGVsbG8=\nc: !custom text\nd: !!float 5\n",
        "plain: multi\n  line text\nquoted: \"multi\n  line\"\n",
        "emoji: \"\u{1f600}\"\nlong: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa b\n",
        "l:\n  # only\n  - a\n#x\n\n#\nb: 1\n",
    ]
}

#[test]
fn what_we_seal_sops_opens_to_the_same_values_and_comments() {
    let Some(sops) = Sops::find("what_we_seal_sops_opens") else {
        return;
    };
    for plain in documents() {
        let sealed = seal(plain, &Selector::default());
        let opened = sops
            .decrypt(&sealed)
            .unwrap_or_else(|error| panic!("{error}\n{plain}\n{sealed}"));
        assert_eq!(
            leaves_of_plain(&opened),
            leaves_of_plain(plain),
            "{plain}\n{sealed}"
        );
        assert!(
            !opened.contains("ENC["),
            "a comment did not open\n{plain}\n{sealed}\n{opened}"
        );
        assert!(!sealed.contains("hunter2"));
    }
}

#[test]
fn what_sops_seals_we_open_and_seal_again_with_the_same_ciphertext() {
    let Some(sops) = Sops::find("what_sops_seals_we_open") else {
        return;
    };
    for plain in documents() {
        sops.file(plain);
        let Ok(sealed) = sops.run(&["encrypt", "--age", RECIPIENT, "file.yaml"]) else {
            println!("sops itself refuses {plain:?}");
            continue;
        };
        let file = open(&sealed);
        assert_eq!(leaves(&file), leaves_of_plain(plain), "{plain}\n{sealed}");
        let again = file
            .seal(TIME)
            .unwrap_or_else(|error| panic!("{error}\n{plain}\n{sealed}"));
        let differing = sealed
            .lines()
            .zip(again.lines())
            .filter(|(a, b)| a != b)
            .count();
        let per_document = sealed.matches("lastmodified").count() * 2;
        assert!(differing <= per_document, "{plain}\n{sealed}\n{again}");
        assert_eq!(
            sealed.lines().count(),
            again.lines().count(),
            "{plain}\n{sealed}\n{again}"
        );
        sops.decrypt(&again)
            .unwrap_or_else(|error| panic!("{error}\n{plain}\n{again}"));
    }
}

#[test]
fn either_side_can_change_a_file_of_the_other() {
    let Some(sops) = Sops::find("either_side_can_change") else {
        return;
    };
    for plain in documents() {
        let sealed = seal(plain, &Selector::default());
        sops.file(&sealed);
        if let Err(error) = sops.run(&["set", "file.yaml", "[\"added\"]", "\"by sops\""]) {
            panic!("{error}\n{plain}\n{sealed}");
        }
        let changed = std::fs::read_to_string(sops.home.path().join("file.yaml")).unwrap();
        let mut file = open(&changed);
        let added = ["added".to_owned()];
        assert!(file.get(&added).unwrap().same_as(b"by sops"), "{plain}");
        file.set(&added, &Plaintext::new(b"by\nus\n".to_vec()))
            .unwrap();
        let deep = ["new".to_owned(), "deep".to_owned()];
        file.set(&deep, &Plaintext::new(b"12".to_vec())).unwrap();
        let ours = file
            .seal(TIME)
            .unwrap_or_else(|error| panic!("{error}\n{changed}"));
        let opened = sops
            .decrypt(&ours)
            .unwrap_or_else(|error| panic!("{error}\n{ours}"));
        assert_eq!(
            leaves_of_plain(&opened),
            leaves(&open(&ours)),
            "{plain}\n{ours}"
        );
        assert!(opened.contains("added: |\n    by\n    us\n"), "{opened}");
        file.unset(&["new".to_owned()]).unwrap();
        file.unset(&added).unwrap();
        assert_eq!(
            leaves(&open(&file.seal(TIME).unwrap())),
            leaves_of_plain(plain),
            "{plain}"
        );
    }
}

#[test]
fn all_selectors_choose_the_same_leaves_as_sops() {
    let Some(sops) = Sops::find("all_selectors") else {
        return;
    };
    let plain = "# sops:enc\na: 1\nb_secret: 2\nc_plain:\n  password: x # note\n  # sops:enc\n  user: y\nd:\n- 1\n# sops:enc\n- 2\n- password: 3\n";
    let only_encrypted = |rule| Selector {
        rule,
        mac_scope: MacScope::OnlyEncrypted,
    };
    for selector in [
        rule(SelectorRule::UnencryptedSuffix("_plain".to_owned())),
        rule(SelectorRule::EncryptedSuffix("_secret".to_owned())),
        rule(SelectorRule::UnencryptedRegex("^c_".to_owned())),
        rule(SelectorRule::EncryptedRegex("^pass|user$".to_owned())),
        rule(SelectorRule::UnencryptedCommentRegex("sops:enc".to_owned())),
        rule(SelectorRule::EncryptedCommentRegex("sops:enc".to_owned())),
        only_encrypted(SelectorRule::EncryptedRegex("^pass".to_owned())),
        only_encrypted(SelectorRule::default()),
    ] {
        let sealed = seal(plain, &selector);
        let opened = sops
            .decrypt(&sealed)
            .unwrap_or_else(|error| panic!("{error}\n{selector:?}\n{sealed}"));
        assert_eq!(
            leaves_of_plain(&opened),
            leaves_of_plain(plain),
            "{selector:?}\n{sealed}"
        );
        assert!(!opened.contains("ENC["), "{selector:?}\n{sealed}\n{opened}");
    }
}

#[test]
fn recipients_change_without_touching_a_value() {
    let Some(sops) = Sops::find("recipients_change") else {
        return;
    };
    let other =
        Recipient::parse("age1y8fzprpdfugc47jun0zuajl80p82zkf95wxxnjj9hu75rc8faqxqtdhh56").unwrap();
    let sealed = seal("a: secret\nl: [x]\n", &Selector::default());
    let both = SealedFile::parse(sealed.as_bytes(), Format::Yaml)
        .unwrap()
        .rewrap(&identities(), &KeyGroups::one([recipient(), other.clone()]))
        .unwrap();
    assert!(sops.decrypt(&both).is_ok(), "{both}");
    let before: Vec<&str> = sealed.lines().collect();
    assert!(
        before
            .iter()
            .all(|line| both.lines().any(|other| other == *line))
    );
    let without = SealedFile::parse(both.as_bytes(), Format::Yaml)
        .unwrap()
        .rewrap(&identities(), &other.into())
        .unwrap();
    assert!(sops.decrypt(&without).is_err());
    assert!(
        SealedFile::parse(without.as_bytes(), Format::Yaml)
            .unwrap()
            .open(&identities())
            .is_err()
    );
    let back = Identities::of_file(&vectors().join("keys/age-b.txt")).unwrap();
    assert!(
        SealedFile::parse(without.as_bytes(), Format::Yaml)
            .unwrap()
            .open(&back)
            .is_ok()
    );
}

/// `STEADFAST_SOPS_ROUNDS` asks for more than the few that every run makes.
#[test]
fn random_documents_go_both_ways() {
    let Some(sops) = Sops::find("random_documents_go_both_ways") else {
        return;
    };
    let rounds = std::env::var("STEADFAST_SOPS_ROUNDS")
        .ok()
        .and_then(|text| text.parse().ok());
    let mut random = StdRng::seed_from_u64(3);
    let mut unopened = 0;
    for round in 0..rounds.unwrap_or(10) {
        let plain = Document::random(&mut random);
        let sealed = seal(&plain, &Selector::default());
        let opened = sops
            .decrypt(&sealed)
            .unwrap_or_else(|error| panic!("{round}: {error}\n{sealed}"));
        assert_eq!(
            leaves_of_plain(&opened),
            leaves_of_plain(&plain),
            "{round}\n{plain}\n{sealed}"
        );
        if opened.contains("ENC[") {
            unopened += 1;
            println!("{round}: sops looks for a comment elsewhere\n{plain}\n{opened}");
        }
        sops.file(&plain);
        let theirs = sops
            .run(&["encrypt", "--age", RECIPIENT, "file.yaml"])
            .unwrap();
        let file = open(&theirs);
        assert_eq!(
            leaves(&file),
            leaves_of_plain(&plain),
            "{round}\n{plain}\n{theirs}"
        );
        let text = file.plain_text();
        assert!(
            !text.expose_text().unwrap().contains("ENC["),
            "{round}\n{plain}\n{theirs}"
        );
    }
    assert_eq!(
        unopened, 0,
        "documents with a comment that sops did not open"
    );
}

#[test]
fn a_comment_that_an_edit_leaves_at_the_end_of_its_block_is_read_by_sops() {
    let Some(sops) = Sops::find("a_comment_that_an_edit_leaves") else {
        return;
    };
    for (before, after) in [
        (
            "a:\n  b:\n    c: 1\n    # about d\n    d: 2\ne: 3\n",
            "a:\n  b:\n    c: 1\n    # about d\ne: 3\n",
        ),
        (
            "a:\n  b: 1\n  # one\n  # two\n  c: 2\n# top\ne: 3\n",
            "a:\n  b: 1\n  # one\n  # two\n# top\ne: 3\n",
        ),
    ] {
        let mut file = open(&seal(before, &Selector::default()));
        file.replace(after.as_bytes()).unwrap();
        let sealed = file.seal(TIME).unwrap();
        let opened = sops
            .decrypt(&sealed)
            .unwrap_or_else(|error| panic!("{error}\n{sealed}"));
        assert!(!opened.contains("ENC["), "{sealed}\n{opened}");
        assert_eq!(leaves_of_plain(&opened), leaves_of_plain(after), "{sealed}");
    }
}

#[test]
fn the_metadata_of_a_new_file_is_indented_as_sops_indents_it() {
    let Some(sops) = Sops::find("the_metadata_of_a_new_file") else {
        return;
    };
    let plain = "a:\n  b: 1\n";
    let columns = |sealed: &str| -> std::collections::BTreeSet<usize> {
        let (_, metadata) = sealed.split_once("\nsops:\n").unwrap();
        let lines = metadata.lines();
        lines
            .map(|line| line.len() - line.trim_start().len())
            .collect()
    };
    for step in [2, 3, 4, 5, 8] {
        let keys = recipient().into();
        let new = NewFile {
            indent: Some(step),
            ..NewFile::new(Format::Yaml, &keys)
        };
        let ours = OpenedFile::create(plain.as_bytes(), &new).unwrap();
        let ours = ours.seal(TIME).unwrap();
        sops.file(plain);
        let config = format!(
            "stores: {{yaml: {{indent: {step}}}}}\ncreation_rules: [{{age: {RECIPIENT}}}]\n"
        );
        sops.write(".sops.yaml", config.as_bytes());
        let theirs = sops.run(&["encrypt", "file.yaml"]).unwrap();
        assert_eq!(columns(&ours), columns(&theirs), "{ours}\n{theirs}");
        assert_eq!(leaves(&open(&ours)), leaves_of_plain(plain));
    }
}
