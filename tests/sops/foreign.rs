//! Files that also have keys of services which are not used here: what is kept, and what is refused.

use steadfast::identity::{Identities, Recipient};
use steadfast::sops::{
    Format, KeyEntry, KeyGroup, KeyGroups, KeyKind, NewFile, OpenedFile, SealError, SealedFile,
};

use crate::program::Sops;
use crate::support::{RECIPIENT, TIME, identities, recipient, vectors};

/// The public half of `keys/age-b.txt`.
const OTHER: &str = "age1y8fzprpdfugc47jun0zuajl80p82zkf95wxxnjj9hu75rc8faqxqtdhh56";

/// Entries as sops writes them, with odd fields and comments that only people have.
const ENTRIES: &str = r#"    pgp:
        - created_at: "2024-01-02T03:04:05Z"
          enc: |-
            -----BEGIN PGP MESSAGE-----

            hQEMA0example
            =abcd
            -----END PGP MESSAGE-----
          fp: 85D77543B3D624B63CEA9E6DBC17301B491B3F21
    kms:
        # the production account
        - arn: arn:aws:kms:eu-central-1:1:key/2
          role: arn:aws:iam::1:role/r
          context:
            Role: app
          unknown: {odd: "field"}
          created_at: '2024-01-02T03:04:05Z'
          enc: AQICAHh==
          aws_profile: ""
    gcp_kms:
        - resource_id: projects/p/locations/l/keyRings/r/cryptoKeys/k
          created_at: "2024-01-02T03:04:05Z"
          enc: CiQ==
    hckms: []
    azure_kv:
        - vault_url: https://v.vault.azure.net
          name: k
          version: 1a2b
          created_at: "2024-01-02T03:04:05Z"
          enc: b64
    hc_vault:
        - vault_address: https://vault:8200
          engine_path: sops
          key_name: one
          created_at: "2024-01-02T03:04:05Z"
          enc: vault:v1:abc
"#;

fn sealed() -> String {
    let keys = recipient().into();
    let file =
        OpenedFile::create(b"a: secret\nb: other\n", &NewFile::new(Format::Yaml, &keys)).unwrap();
    let text = file.seal(TIME).unwrap();
    let at = text.find("    lastmodified:").unwrap();
    format!("{}{ENTRIES}{}", &text[..at], &text[at..])
}

fn parse(text: &str) -> SealedFile {
    SealedFile::parse(text.as_bytes(), Format::Yaml)
        .unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn entry(kind: KeyKind, name: &str) -> KeyEntry {
    KeyEntry {
        kind,
        name: name.to_owned(),
    }
}

fn other() -> Recipient {
    Recipient::parse(OTHER).unwrap()
}

fn group(recipients: &[Recipient], others: &[KeyEntry]) -> KeyGroup {
    KeyGroup {
        recipients: recipients.to_vec(),
        others: others.to_vec(),
    }
}

fn one(recipients: &[Recipient], others: &[KeyEntry]) -> KeyGroups {
    KeyGroups::new(vec![group(recipients, others)], 0).unwrap()
}

/// All keys of other kinds in [`ENTRIES`].
fn others() -> Vec<KeyEntry> {
    vec![
        entry(KeyKind::Pgp, "85D77543B3D624B63CEA9E6DBC17301B491B3F21"),
        entry(
            KeyKind::Kms,
            "arn:aws:kms:eu-central-1:1:key/2+arn:aws:iam::1:role/r",
        ),
        entry(
            KeyKind::GcpKms,
            "projects/p/locations/l/keyRings/r/cryptoKeys/k",
        ),
        entry(KeyKind::AzureKv, "https://v.vault.azure.net/keys/k/1a2b"),
        entry(KeyKind::HcVault, "https://vault:8200/v1/sops/keys/one"),
    ]
}

fn refused(result: Result<impl Sized, SealError>) -> KeyEntry {
    match result.err() {
        Some(error @ SealError::ForeignKey { .. }) => {
            assert!(error.fix().contains(".sops.yaml"));
            let SealError::ForeignKey { key } = error else {
                unreachable!()
            };
            key
        }
        Some(other) => panic!("{other}"),
        None => panic!("it must be refused"),
    }
}

#[test]
fn keys_of_all_kinds_are_named_as_sops_names_them() {
    let file = parse(&sealed());
    let mut expected = vec![entry(KeyKind::Age, RECIPIENT)];
    expected.extend(others());
    assert_eq!(file.key_groups(), [expected]);
    assert_eq!(file.keys(), one(&[recipient()], &others()));
}

#[test]
fn a_change_of_the_contents_keeps_their_entries_byte_for_byte() {
    let mut file = parse(&sealed()).open(&identities()).unwrap();
    let value = steadfast::identity::Plaintext::new(b"new".to_vec());
    file.set(&["a".to_owned()], &value).unwrap();
    let changed = file.seal(TIME).unwrap();
    assert!(changed.contains(ENTRIES), "{changed}");
    if let Some(sops) = Sops::find("a_change_of_the_contents_keeps") {
        assert_eq!(sops.decrypt(&changed).unwrap(), "a: new\nb: other\n");
    }
}

#[test]
fn a_rewrap_keeps_the_entries_that_the_rule_names_and_takes_the_others_away() {
    let sealed = sealed();
    let file = parse(&sealed);
    let more = file
        .rewrap(&identities(), &one(&[recipient(), other()], &others()))
        .unwrap();
    assert!(more.contains(ENTRIES), "{more}");
    assert_eq!(parse(&more).keys(), one(&[recipient(), other()], &others()));

    let fewer = file
        .rewrap(&identities(), &one(&[other()], &others()[1..2]))
        .unwrap();
    assert_eq!(parse(&fewer).keys(), one(&[other()], &others()[1..2]));
    let kms = &ENTRIES[ENTRIES.find("    kms:").unwrap()..ENTRIES.find("    gcp_kms:").unwrap()];
    assert!(fewer.contains(kms), "{fewer}");
    assert!(
        !fewer.contains("pgp") && !fewer.contains("PGP") && !fewer.contains("vault"),
        "{fewer}"
    );

    let only_kms = file
        .rewrap(&identities(), &one(&[], &others()[1..2]))
        .unwrap();
    assert!(
        !only_kms.contains("age"),
        "an empty list is never left: {only_kms}"
    );
    assert!(only_kms.contains(kms));

    let back = file
        .rewrap(&identities(), &one(&[recipient()], &[]))
        .unwrap();
    let plain_again: String = sealed.replace(ENTRIES, "");
    // Lists that were empty before are left alone.
    let back = back.replace("    hckms: []\n", "");
    assert_eq!(back, plain_again);
    if let Some(sops) = Sops::find("a_rewrap_keeps_the_entries") {
        assert!(sops.decrypt(&more).is_ok());
        assert!(sops.decrypt(&back).is_ok());
        let b = std::fs::read_to_string(vectors().join("keys/age-b.txt")).unwrap();
        sops.file(&fewer);
        let output = sops
            .command()
            .env("SOPS_AGE_KEY", b)
            .args(["decrypt", "file.yaml"])
            .output()
            .unwrap();
        assert!(output.status.success());
    }
}

#[test]
fn the_only_group_of_a_list_of_groups_is_changed_in_its_place() {
    let sealed = sealed();
    let start = sealed.find("    age:").unwrap();
    let end = sealed.find("    lastmodified:").unwrap();
    let nested = sealed[start..end].replace('\n', "\n      ");
    let nested = format!(
        "      {}
",
        nested.trim_end()
    );
    let nested = format!("    key_groups:\n        - {}", nested.trim_start());
    let grouped = format!("{}{nested}{}", &sealed[..start], &sealed[end..]);
    let file = parse(&grouped);
    assert_eq!(file.keys(), one(&[recipient()], &others()));
    let more = file
        .rewrap(&identities(), &one(&[recipient(), other()], &others()))
        .unwrap();
    assert_eq!(parse(&more).keys(), one(&[recipient(), other()], &others()));
    let added: Vec<&str> = more
        .lines()
        .filter(|line| !grouped.lines().any(|it| it == *line))
        .collect();
    assert!(added.iter().any(|line| line.ends_with(OTHER)), "{more}");
    // `age` stands on the line of the dash, without which the group would be gone.
    let none = file
        .rewrap(&identities(), &one(&[], &others()[..1]))
        .unwrap();
    assert!(none.contains("- age: []\n"), "{none}");
    assert_eq!(parse(&none).keys(), one(&[], &others()[..1]));
}

#[test]
fn what_would_have_to_be_encrypted_to_a_service_is_refused_by_name() {
    let file = parse(&sealed());
    let who = identities();
    let new = entry(KeyKind::Pgp, "0000");
    let with_new = one(&[recipient()], std::slice::from_ref(&new));
    assert_eq!(refused(file.rewrap(&who, &with_new)), new);
    let mut opened = file.open(&who).unwrap();
    assert_eq!(refused(opened.rotate(&file.keys())), others()[0]);
    let two = KeyGroups::new(
        vec![
            group(&[recipient()], &[]),
            group(&[other()], &others()[3..4]),
        ],
        0,
    );
    assert_eq!(refused(file.rewrap(&who, &two.unwrap())), others()[3]);
    let keys = file.keys();
    let create = OpenedFile::create(b"a: b\n", &NewFile::new(Format::Yaml, &keys));
    assert_eq!(refused(create), others()[0]);
    // Nothing was changed by a rotation that did not happen; without the services it goes through.
    assert!(parse(&opened.seal(TIME).unwrap()).open(&who).is_ok());
    opened.rotate(&recipient().into()).unwrap();
    let rotated = opened.seal(TIME).unwrap();
    assert_eq!(parse(&rotated).keys(), recipient().into());
    assert!(
        !rotated.contains("pgp:") && !rotated.contains("vault_address"),
        "{rotated}"
    );
}

#[test]
fn a_group_without_a_usable_key_simply_does_not_open() {
    let people = [recipient(), other()];
    let groups = people.clone().map(|person| KeyGroup::of([person]));
    let keys = KeyGroups::new(
        vec![
            groups[0].clone(),
            groups[1].clone(),
            KeyGroup::of([other()]),
        ],
        2,
    );
    let file =
        OpenedFile::create(b"a: secret\n", &NewFile::new(Format::Yaml, &keys.unwrap())).unwrap();
    let sealed = file.seal(TIME).unwrap();
    // The third group has a key of a service instead.
    let last = sealed.rfind("        - age:").unwrap();
    let end = sealed.find("    lastmodified:").unwrap();
    let foreign = "        - hc_vault: []\n          pgp:\n            - fp: ABC\n              created_at: \"2024-01-02T03:04:05Z\"\n              enc: x\n";
    let mixed = format!("{}{foreign}{}", &sealed[..last], &sealed[end..]);
    let both = identities().and(Identities::of_file(&vectors().join("keys/age-b.txt")).unwrap());
    let parsed = parse(&mixed);
    let mut opened = parsed.open(&both).unwrap();
    opened.unset(&["a".to_owned()]).unwrap();
    assert!(opened.seal(TIME).unwrap().contains(foreign));
    assert_eq!(
        refused(parsed.rewrap(&both, &parsed.keys())),
        entry(KeyKind::Pgp, "ABC")
    );
    assert!(parsed.open(&identities()).is_err());
}

#[test]
fn a_recipient_that_cannot_be_encrypted_to_keeps_its_entry_too() {
    let sealed = sealed();
    let quantum = "age1pq1qqqq";
    let item = format!(
        "        - recipient: {quantum}\n          enc: |\n            -----BEGIN AGE ENCRYPTED FILE-----\n            AAAA\n            -----END AGE ENCRYPTED FILE-----\n"
    );
    let at = sealed.find("    pgp:").unwrap();
    let text = format!("{}{item}{}", &sealed[..at], &sealed[at..]);
    let file = parse(&text);
    let quantum = Recipient::parse(quantum).unwrap();
    let keys = one(&[recipient(), quantum.clone(), other()], &others());
    let more = file.rewrap(&identities(), &keys).unwrap();
    assert!(more.contains(&item), "{more}");
    let without = parse(&sealed).rewrap(
        &identities(),
        &one(&[recipient(), quantum.clone()], &others()),
    );
    assert!(matches!(without, Err(SealError::Wrap(_))));
    let mut opened = file.open(&identities()).unwrap();
    assert!(matches!(
        opened.rotate(&one(&[recipient(), quantum], &[])),
        Err(SealError::Wrap(_))
    ));
}
