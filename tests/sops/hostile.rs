//! Metadata and ciphertext that nobody's program would write, and texts that want to be endless.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use steadfast::identity::{Plaintext, Recipient};
use steadfast::sops::{
    CipherError, Format, KeyGroups, NewFile, OpenError, OpenedFile, ParseError, SealedFile,
};

use crate::program::Sops;
use crate::support::{RECIPIENT, TIME, identities, recipient, vectors};

const OTHER: &str = "age1y8fzprpdfugc47jun0zuajl80p82zkf95wxxnjj9hu75rc8faqxqtdhh56";

fn sealed() -> String {
    let keys = recipient().into();
    let file = OpenedFile::create(b"a: secret\nb: plain\n", &NewFile::new(Format::Yaml, &keys));
    file.unwrap().seal(TIME).unwrap()
}

/// What becomes of a file: nothing, or the error's text.
fn outcome(text: &str) -> Result<(), String> {
    let file = SealedFile::parse(text.as_bytes(), Format::Yaml).map_err(|error| {
        assert!(!error.fix().is_empty());
        error.to_string()
    })?;
    let opened = file.open(&identities()).map_err(|error| {
        assert!(!error.fix().is_empty());
        error.to_string()
    });
    // Whatever is wrong with it, it does not panic.
    let _ = file.key_groups();
    let _ = file.rewrap(&identities(), &file.keys());
    opened.map(drop)
}

fn armored(secret: &[u8]) -> String {
    let armored = recipient().wrap(secret).unwrap();
    indented(&armored, 16)
}

fn indented(text: &str, blanks: usize) -> String {
    let margin = " ".repeat(blanks);
    let lines = text.lines().flat_map(|line| [&margin, line, "\n"]);
    lines.collect()
}

/// A file with these shares, all encrypted to the one key that is here.
fn with_shares(threshold: &str, shares: &[&[u8]]) -> String {
    let sealed = sealed();
    let (start, end) = (
        sealed.find("    age:").unwrap(),
        sealed.find("    lastmodified:").unwrap(),
    );
    let mut groups = String::new();
    for share in shares {
        let enc = armored(share);
        writeln!(
            groups,
            "        - age:\n            - recipient: {RECIPIENT}"
        )
        .unwrap();
        write!(groups, "              enc: |\n{enc}").unwrap();
    }
    format!(
        "{}    shamir_threshold: {threshold}\n    key_groups:\n{groups}{}",
        &sealed[..start],
        &sealed[end..]
    )
}

/// A sealed file whose metadata is changed by hand.
struct Sealed(String);

impl Sealed {
    fn without(&self, field: &str) -> String {
        let Self(sealed) = self;
        let start = sealed.find(&format!("    {field}:")).unwrap();
        let rest = &sealed[start + 4..];
        let end = rest
            .match_indices("\n    ")
            .map(|(at, _)| at + 1)
            .find(|at| !rest[at + 4..].starts_with([' ', '-']));
        format!("{}{}", &sealed[..start], &rest[end.unwrap_or(rest.len())..])
    }

    fn with(&self, field: &str, value: &str) -> String {
        format!("{}    {field}: {value}\n", self.without(field))
    }

    fn and(&self, line: &str) -> String {
        format!("{}    {line}\n", self.0)
    }

    fn instead(&self, metadata: &str) -> String {
        self.0[..self.0.find("sops:").unwrap()].to_owned() + metadata
    }
}

fn damaged_keys(sealed: &Sealed) -> Vec<(&'static str, String)> {
    vec![
        ("age is missing", sealed.without("age")),
        ("lastmodified is missing", sealed.without("lastmodified")),
        ("version is missing", sealed.without("version")),
        ("mac is missing", sealed.without("mac")),
        ("age is empty", sealed.with("age", "[]")),
        ("age is null", sealed.with("age", "null")),
        ("age is a text", sealed.with("age", RECIPIENT)),
        (
            "age is a list of texts",
            sealed.with("age", &format!("[{RECIPIENT}]")),
        ),
        ("age is a list of lists", sealed.with("age", "[[a]]")),
        (
            "an entry without enc",
            sealed.with("age", &format!("[{{recipient: {RECIPIENT}}}]")),
        ),
        (
            "an entry with a null enc",
            sealed.with("age", &format!("[{{recipient: {RECIPIENT}, enc: null}}]")),
        ),
        (
            "an entry with a list for enc",
            sealed.with("age", &format!("[{{recipient: {RECIPIENT}, enc: [a]}}]")),
        ),
        (
            "an entry with no age file",
            sealed.with("age", &format!("[{{recipient: {RECIPIENT}, enc: text}}]")),
        ),
        (
            "an entry without recipient",
            sealed.with("age", "[{enc: text}]"),
        ),
        ("pgp is a map", sealed.and("pgp: {fp: a}")),
        ("pgp entries are texts", sealed.and("pgp: [a]")),
        (
            "a threshold that is a word",
            sealed.and("shamir_threshold: two"),
        ),
        (
            "a threshold below nothing",
            sealed.and("shamir_threshold: -1"),
        ),
        (
            "a huge threshold",
            sealed.and("shamir_threshold: 99999999999999999999"),
        ),
        ("a threshold of 256", sealed.and("shamir_threshold: 256")),
        (
            "groups that are ignored",
            sealed.and("key_groups: [{age: []}]"),
        ),
    ]
}

fn other_damage(sealed: &Sealed) -> Vec<(&'static str, String)> {
    vec![
        ("a time that is a number", sealed.with("lastmodified", "12")),
        (
            "a time in lower case",
            sealed.with("lastmodified", "\"2030-01-02t03:04:05z\""),
        ),
        ("a version of two parts", sealed.with("version", "3.9")),
        ("a version that is a list", sealed.with("version", "[3]")),
        ("a mac that is a text", sealed.with("mac", "abc")),
        ("a mac that is a map", sealed.with("mac", "{}")),
        ("two selectors", sealed.and("encrypted_regex: a")),
        (
            "a selector that is no expression",
            sealed.without("unencrypted_suffix") + "    encrypted_regex: (\n",
        ),
        (
            "a scope that is a word",
            sealed.and("mac_only_encrypted: perhaps"),
        ),
        ("age twice", sealed.and("age: []")),
        (
            "unknown fields",
            sealed.and("attention: none\n    mine: {a: [b]}"),
        ),
        ("metadata that is a list", sealed.instead("sops: []\n")),
        ("metadata that is null", sealed.instead("sops:\n")),
        (
            "empty groups",
            sealed.with("age", "[]") + "    key_groups: [{age: []}, {age: []}]\n",
        ),
        (
            "groups that are texts",
            sealed.with("age", "[]") + "    key_groups: [a, b]\n",
        ),
        (
            "groups that are a map",
            sealed.with("age", "[]") + "    key_groups: {age: []}\n",
        ),
        (
            "256 groups",
            sealed.with("age", "[]")
                + &format!("    key_groups: [{}]\n", "{pgp: [{fp: a}]},".repeat(256)),
        ),
        (
            "5,000 keys",
            sealed.with("age", "[]") + &format!("    pgp: [{}]\n", "{fp: a},".repeat(5000)),
        ),
    ]
}

#[test]
fn damaged_metadata_is_refused_with_its_reason() {
    let sealed = Sealed(sealed());
    let mut found = Vec::new();
    for (name, text) in damaged_keys(&sealed)
        .into_iter()
        .chain(other_damage(&sealed))
    {
        let end = match outcome(&text) {
            Ok(()) => "opens".to_owned(),
            // How many lines an age file has is a matter of chance.
            Err(error) => match error
                .strip_prefix("line ")
                .and_then(|rest| rest.split_once(':'))
            {
                Some((_, reason)) => format!("at its line:{reason}"),
                None => error,
            },
        };
        found.push(format!("{name}: {end}"));
    }
    insta::assert_snapshot!(found.join("\n"));
}

#[test]
fn shares_that_do_not_fit_are_refused() {
    let share = |length: usize, x: u8| {
        let mut share = vec![7; length];
        share.push(x);
        share
    };
    let (one, two) = (share(32, 1), share(32, 2));
    for (name, threshold, shares, expected) in [
        ("equal places", "2", vec![&one, &one], "do not fit together"),
        (
            "the place of the secret",
            "2",
            vec![&share(32, 0), &two],
            "do not fit together",
        ),
        (
            "a short share",
            "2",
            vec![&share(31, 1), &two],
            "holds 32 bytes",
        ),
        (
            "a long share",
            "2",
            vec![&one, &share(40, 2)],
            "holds 41 bytes",
        ),
        (
            "an empty share",
            "2",
            vec![&Vec::new(), &two],
            "holds 0 bytes",
        ),
        (
            "more needed than there are",
            "3",
            vec![&one, &two],
            "keys of 2 are here",
        ),
        ("255 needed", "255", vec![&one, &two], "keys of 2 are here"),
        (
            "the key itself in one group",
            "0",
            vec![&one],
            "holds 33 bytes",
        ),
        // They fit, and give another key than the file's.
        (
            "shares of another key",
            "1",
            vec![&one, &two],
            "cannot be decrypted",
        ),
    ] {
        let shares: Vec<&[u8]> = shares.into_iter().map(Vec::as_slice).collect();
        let error = outcome(&with_shares(threshold, &shares)).unwrap_err();
        assert!(error.contains(expected), "{name}: {error}");
    }
}

#[test]
fn every_stage_of_opening_has_errors_of_its_own() {
    let sealed = sealed();
    let open = |text: &str| {
        SealedFile::parse(text.as_bytes(), Format::Yaml)
            .unwrap()
            .open(&identities())
            .err()
            .unwrap()
    };
    let b = steadfast::identity::Identities::of_file(&vectors().join("keys/age-b.txt")).unwrap();
    let file = SealedFile::parse(sealed.as_bytes(), Format::Yaml).unwrap();
    assert!(matches!(
        file.open(&b).err(),
        Some(OpenError::NotARecipient { .. })
    ));
    let value = sealed.lines().next().unwrap();
    let swapped = sealed.replacen(value, &value.replace("data:", "data:AAAA"), 1);
    assert!(matches!(
        open(&swapped),
        OpenError::Value {
            source: CipherError::NotAuthentic,
            ..
        }
    ));
    assert!(matches!(
        open(&sealed.replacen(value, "a: clear", 1)),
        OpenError::NotEncrypted { .. }
    ));
    let mac = sealed.lines().find(|line| line.contains("mac: ")).unwrap();
    assert!(matches!(
        open(&sealed.replace(&format!("{mac}\n"), "")),
        OpenError::MacMissing
    ));
    assert!(matches!(
        open(&sealed.replace(mac, "    mac: ENC[x]")),
        OpenError::MacUnreadable { .. }
    ));
    let removed = sealed.replacen(&format!("{value}\n"), "", 1);
    assert!(matches!(open(&removed), OpenError::MacMismatch));
    // What does not need the MAC can be had for repairs; values are checked all the same.
    let unverified = |text: &str| {
        SealedFile::parse(text.as_bytes(), Format::Yaml)
            .unwrap()
            .open_unverified(&identities())
    };
    let repaired = unverified(&removed).unwrap();
    assert!(repaired.get(&["b".to_owned()]).unwrap().same_as(b"plain"));
    let again = repaired.seal(TIME).unwrap();
    assert!(outcome(&again).is_ok());
    assert!(matches!(
        unverified(&swapped).err(),
        Some(OpenError::Value { .. })
    ));
}

#[test]
fn values_with_odd_ivs_open_and_stay_until_they_change() {
    // Written by other programs with the data key 00 01 … 1f; `any_iv` holds how.
    let key: Vec<u8> = (0..32).collect();
    let mut text = String::new();
    for length in [1_usize, 12, 13, 16, 100] {
        let enc = with_iv(&key, &format!("k{length}:"), length);
        writeln!(text, "k{length}: {enc}").unwrap();
    }
    let enc = armored(&key);
    write!(text, "sops:\n    age:\n        - recipient: {RECIPIENT}\n          enc: |\n{enc}    lastmodified: \"{TIME}\"\n    version: 3.11.0\n").unwrap();
    let file = SealedFile::parse(text.as_bytes(), Format::Yaml).unwrap();
    let mut opened = file.open_unverified(&identities()).unwrap();
    assert!(opened.get(&["k13".to_owned()]).unwrap().same_as(b"value"));
    opened
        .set(&["k12".to_owned()], &Plaintext::new(b"new".to_vec()))
        .unwrap();
    let sealed = opened.seal(TIME).unwrap();
    let kept = text
        .lines()
        .take(5)
        .filter(|line| sealed.contains(line))
        .count();
    assert_eq!(kept, 4, "{sealed}");
    if let Some(sops) = Sops::find("values_with_odd_ivs") {
        let expected = "k1: value\nk12: new\nk13: value\nk16: value\nk100: value\n";
        assert_eq!(sops.decrypt(&sealed).unwrap(), expected);
    }
    // A new data key makes everything anew, with IVs that sops can write too.
    opened.rotate(&recipient().into()).unwrap();
    let rotated = opened.seal(TIME).unwrap();
    assert!(text.lines().take(5).all(|line| !rotated.contains(line)));
    assert_eq!(rotated.matches("=,tag:").count(), 6, "{rotated}");
}

/// `value` as a text of this format with an IV of `length` bytes.
fn with_iv(key: &[u8], aad: &str, length: usize) -> String {
    use aes_gcm::aead::consts::{U1, U12, U13, U16, U100};
    use aes_gcm::aead::generic_array::{ArrayLength, GenericArray};
    use aes_gcm::{AeadInPlace as _, AesGcm, KeyInit as _};
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    fn encrypt<N: ArrayLength<u8>>(key: &[u8], aad: &str) -> String {
        let iv = vec![9; N::USIZE];
        let mut data = b"value".to_vec();
        let tag = AesGcm::<aes::Aes256, N>::new(GenericArray::from_slice(key))
            .encrypt_in_place_detached(GenericArray::from_slice(&iv), aad.as_bytes(), &mut data)
            .unwrap();
        let [data, iv, tag] = [data, iv, tag.to_vec()].map(|bytes| STANDARD.encode(bytes));
        format!("ENC[AES256_GCM,data:{data},iv:{iv},tag:{tag},type:str]")
    }
    match length {
        1 => encrypt::<U1>(key, aad),
        12 => encrypt::<U12>(key, aad),
        13 => encrypt::<U13>(key, aad),
        16 => encrypt::<U16>(key, aad),
        _ => encrypt::<U100>(key, aad),
    }
}

/// In this build, which is not optimised.
const SOON: Duration = Duration::from_mins(2);

fn ends_soon(name: &str, run: impl FnOnce()) {
    let start = Instant::now();
    run();
    let took = start.elapsed();
    println!("{name}: {took:?}");
    assert!(took < SOON, "{name} took {took:?}");
}

#[test]
fn texts_that_want_to_be_endless_end_soon() {
    let sealed = sealed();
    let metadata = &sealed[sealed.find("sops:").unwrap()..];
    let ciphertext = sealed.lines().next().unwrap().trim_start_matches("a: ");
    ends_soon("comments whose place is searched for", || {
        let comment = ciphertext.replace("type:str", "type:comment");
        let mut text = String::new();
        for n in 0..2000 {
            write!(text, "m{n}:\n    #{comment}\n    v: \"\"\n").unwrap();
        }
        let _ = outcome(&(text + metadata));
    });
    ends_soon("a long path to many values", || {
        let mut text = String::new();
        for depth in 0..90 {
            writeln!(text, "{}{}:", " ".repeat(depth), "k".repeat(1000)).unwrap();
        }
        text.push_str(&format!("{}- \"\"\n", " ".repeat(90)).repeat(50_000));
        let error = outcome(&(text + metadata)).unwrap_err();
        assert!(error.contains("paths of great length"), "{error}");
    });
    ends_soon("many comments in force", || {
        let comments = "# comment\n".repeat(50_000);
        let values = "    - x\n".repeat(50_000);
        let metadata = metadata.replace(
            "unencrypted_suffix: _unencrypted",
            "unencrypted_comment_regex: '[a-z]+[0-9]'",
        );
        let error = outcome(&format!("{comments}a:\n{values}{metadata}")).unwrap_err();
        assert!(error.contains("must be encrypted"), "{error}");
    });
    ends_soon("many recipients that are strangers", || {
        let stranger = Recipient::parse(OTHER).unwrap().wrap(&[0; 32]).unwrap();
        let enc = indented(&stranger, 12);
        let entries = format!("        - recipient: {OTHER}\n          enc: |\n{enc}").repeat(2000);
        let at = sealed.find("        - enc").unwrap();
        let end = sealed.find("    lastmodified").unwrap();
        assert!(outcome(&format!("{}{entries}{}", &sealed[..at], &sealed[end..])).is_err());
    });
}

#[test]
fn forty_recipients_are_wrapped_and_unwrapped_in_no_time() {
    let people: Vec<Recipient> = (0..40)
        .map(|_| age::x25519::Identity::generate().to_public().to_string())
        .map(|text| Recipient::parse(&text).unwrap())
        .chain([recipient()])
        .collect();
    let sealed = sealed();
    let file = SealedFile::parse(sealed.as_bytes(), Format::Yaml).unwrap();
    let start = Instant::now();
    let text = file.rewrap(&identities(), &KeyGroups::one(people)).unwrap();
    let wrapped = start.elapsed();
    let file = SealedFile::parse(text.as_bytes(), Format::Yaml).unwrap();
    let start = Instant::now();
    file.open(&identities()).unwrap();
    println!(
        "wrap to 40: {wrapped:?}; open as the last of 41: {:?}",
        start.elapsed()
    );
    assert!(wrapped < SOON);
}

#[test]
fn reading_the_same_error_twice_gives_the_same_error() {
    let parse = |text: &str| SealedFile::parse(text.as_bytes(), Format::Yaml).map(drop);
    assert!(matches!(parse("a: b\n"), Err(ParseError::NotSealed)));
    assert!(matches!(
        parse(""),
        Err(ParseError::Empty | ParseError::NotSealed)
    ));
}
