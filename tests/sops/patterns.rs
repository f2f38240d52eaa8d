//! Regular expressions: what a real sops makes of them.

use std::collections::BTreeSet;

use steadfast::sops::Pattern;

use crate::program::Sops;
use crate::support::RECIPIENT;

const TEXTS: [&str; 44] = [
    "a",
    "b",
    "A",
    "é",
    "É",
    "٣",
    "1",
    "_",
    "-",
    "[",
    "]",
    "b]",
    "\\",
    "^",
    "&",
    "~",
    ",",
    "+",
    " ",
    "\u{a0}",
    "\u{b}",
    "\t",
    "\n",
    "a\n",
    "a\nb",
    "ab",
    "aB",
    "aa",
    "aaa",
    "a.b*",
    "axb",
    "a{x}",
    "a{,2}",
    "a{02}",
    "a b#c",
    "a key",
    "akey",
    "k",
    "K",
    "\u{212a}",
    "<a>",
    "😀",
    "A\u{7}",
    "secrets/a.yaml",
];

const VALID: [&str; 72] = [
    "",
    "a",
    "^a$",
    "^a.b$",
    "(?s)^a.b$",
    "(?m)^b$",
    "(?m)a$",
    "(?i)^k$",
    "(?i)A",
    "(?i)[a-b]",
    "(?i)[^a]",
    "(?i)\\w",
    r"^\w+$",
    r"^\W$",
    r"\d",
    r"\D",
    r"^\s$",
    r"^\S$",
    r"\bkey\b",
    r"^[\D]$",
    r"^[a\D]$",
    r"^[^\D]$",
    r"^[^\s\w]$",
    "[]a]",
    "[^]a]",
    "^[a[b]$",
    "^[a[b]]$",
    "^[a&&b]$",
    "^[+--]$",
    "^[a~~b]$",
    "^[a-]$",
    "^[-a]$",
    "^[--a]$",
    "^[[]$",
    "^[[:alpha:]]$",
    "^[[:^alpha:]]$",
    "^[^[:alpha:]]$",
    "^[[:space:]]$",
    "^[[:print:]]$",
    "^[[:word:]-]$",
    "^[[:punct:]]$",
    r"^[\]\\]$",
    r"^[\x41-\x{62}]$",
    r"^[\-]$",
    r"^[\n]",
    "^a{2}$",
    "^a{2,}$",
    "^a{1,2}?$",
    "^a+?$",
    "^a{x}$",
    "^a{,2}$",
    "^a{02}$",
    "^a{1000}$",
    r"^\Qa.b*\E$",
    r"^\Qa.b",
    r"^\x41",
    r"^\x{1F600}$",
    r"^\101\07$",
    r"\A[ab]\z",
    "^a b#c$",
    "^}$|^]$",
    r"^\<a\>$",
    "^(|a)$",
    "(?P<one>a)(?P<one>b)",
    "^(?i:a)B$",
    "a(?i)b|K",
    "(?U)^a+$",
    "(?i-i)A",
    "secrets/[^/]+\\.(yaml|json)$",
    "x*",
    "^[a-b-z]$",
    r"\_",
];

const INVALID: [&str; 43] = [
    "(",
    "a)",
    "[a",
    "[]",
    "*a",
    "(*)",
    "a|*",
    "a**",
    "a*+",
    "a*?*",
    "a{2}{3}",
    "a{2}*",
    "a{1001}",
    "a{3,2}",
    "(a{100}){11}",
    r"\",
    r"a\1",
    r"\8",
    r"\q",
    r"\C",
    r"\Z",
    r"é\é",
    r"\u0041",
    r"\x4",
    r"\x{}",
    r"\x{110000}",
    r"\x{4g}",
    "[b-a]",
    r"[a-\d]",
    r"[\b]",
    "[[:foo:]]",
    "(?x)a",
    "(?u)a",
    "(?R)a",
    "(?-)a",
    "(?i-)a",
    "(?=a)",
    "(?<!a)",
    "(?P<>a)",
    "(?P<é>a)",
    "(?P=a)",
    "(?",
    "(?i",
];

#[test]
fn an_expression_chooses_the_same_keys_as_in_sops() {
    let Some(sops) = Sops::find("an_expression_chooses_the_same_keys") else {
        return;
    };
    let mut plain = String::new();
    for text in TEXTS {
        plain.push_str(&serde_json::to_string(text).unwrap());
        plain.push_str(": x\n");
    }
    sops.file(&plain);
    // An empty expression is no selector at all.
    for pattern in VALID.into_iter().filter(|pattern| !pattern.is_empty()) {
        let regex = format!("--encrypted-regex={pattern}");
        let sealed = sops
            .run(&["encrypt", "--age", RECIPIENT, &regex, "file.yaml"])
            .unwrap_or_else(|error| panic!("{pattern}: {error}"));
        let sealed: serde_yaml::Mapping = serde_yaml::from_str(&sealed).unwrap();
        let theirs: BTreeSet<&str> = TEXTS
            .into_iter()
            .filter(|text| sealed[*text].as_str().unwrap().starts_with("ENC["))
            .collect();
        let compiled = Pattern::new(pattern).unwrap_or_else(|error| panic!("{error}"));
        let ours: BTreeSet<&str> = TEXTS
            .into_iter()
            .filter(|text| compiled.is_match(text))
            .collect();
        assert_eq!(ours, theirs, "{pattern}");
    }
}

#[test]
fn an_expression_that_sops_refuses_is_refused() {
    let Some(sops) = Sops::find("an_expression_that_sops_refuses") else {
        return;
    };
    sops.file("a: x\n");
    for pattern in INVALID {
        // The rule after it matches, so what is seen is whether this one compiles.
        let rules = serde_json::json!({"creation_rules": [
            {"path_regex": pattern, "age": RECIPIENT},
            {"age": RECIPIENT},
        ]});
        sops.write(".sops.yaml", rules.to_string().as_bytes());
        let theirs = sops.run(&["encrypt", "file.yaml"]);
        assert!(theirs.is_err(), "{pattern}: {theirs:?}");
        assert!(Pattern::new(pattern).is_err(), "{pattern}");
    }
}
