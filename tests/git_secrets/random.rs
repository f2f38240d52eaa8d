//! Random documents, random edits on both sides: git's merge gives exactly the merge of the values, key by key.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use proptest::prelude::*;
use steadfast::identity::{Identities, Recipient};
use steadfast::sops::{
    Format, KeyGroups, Markers, NewFile, OpenedFile, SealedFile, Versions, merge,
};

use crate::world::ALICE;

/// Sections of keys with values; `None` is a key without a section.
type Document = BTreeMap<(Option<u8>, u8), String>;
type Edit = ((Option<u8>, u8), Option<String>);

fn place() -> impl Strategy<Value = (Option<u8>, u8)> {
    (proptest::option::weighted(0.6, 0..3_u8), 0..6_u8)
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,8}",
        "[a-z ]{0,5}#[a-z: ]{0,5}",
        "[a-z]{1,4}\n[a-z]{1,4}\n",
        "\\PC{0,6}",
        Just(String::new()),
    ]
}

fn document() -> impl Strategy<Value = Document> {
    proptest::collection::btree_map(place(), value(), 1..12)
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    proptest::collection::vec((place(), proptest::option::weighted(0.7, value())), 0..6)
}

fn edited(document: &Document, edits: &[Edit]) -> Document {
    let mut document = document.clone();
    for (place, value) in edits {
        match value {
            Some(value) => document.insert(*place, value.clone()),
            None => document.remove(place),
        };
    }
    document
}

/// JSON strings are YAML too; comments say where a reader would look for them.
fn yaml(document: &Document) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let mut text = String::new();
    let mut section = None;
    for ((inside, key), value) in document {
        if *inside != section {
            section = *inside;
            if let Some(name) = section {
                writeln!(text, "# section {name}\nsection{name}:").unwrap();
            }
        }
        let margin = if inside.is_some() { "    " } else { "" };
        writeln!(text, "{margin}key{key}: {}", quoted(value)).unwrap();
    }
    if text.is_empty() {
        "{}\n".to_owned()
    } else {
        text
    }
}

fn json(document: &Document) -> String {
    let mut root = serde_json::Map::new();
    for ((section, key), value) in document {
        let target = match section {
            None => &mut root,
            Some(section) => {
                let inner = root.entry(format!("section{section}"));
                let inner =
                    inner.or_insert_with(|| serde_json::Value::Object(serde_json::Map::new()));
                inner.as_object_mut().unwrap()
            }
        };
        target.insert(format!("key{key}"), value.clone().into());
    }
    serde_json::to_string_pretty(&root).unwrap() + "\n"
}

fn dotenv(document: &Document) -> String {
    let mut text = String::new();
    for ((section, key), value) in document {
        let name = section.map_or_else(String::new, |section| format!("S{section}_"));
        let value = value.replace(['\n', '\\'], "_");
        writeln!(text, "{name}KEY{key}={value}").unwrap();
    }
    text
}

fn ini(document: &Document) -> String {
    let mut text = String::new();
    let mut section = None;
    for ((inside, key), value) in document {
        if *inside != section {
            section = *inside;
            writeln!(text, "[section{}]", inside.unwrap_or_default()).unwrap();
        }
        let value: String = value.chars().filter(char::is_ascii_alphanumeric).collect();
        writeln!(text, "key{key} = {value}").unwrap();
    }
    text
}

/// Whether one side removed a whole section in which the other changed something.
fn section_in_conflict([base, ours, theirs]: [&Document; 3]) -> bool {
    let of = |document: &Document, section: u8| -> Document {
        let inside = document
            .iter()
            .filter(|(place, _)| place.0 == Some(section));
        inside
            .map(|(place, value)| (*place, value.clone()))
            .collect()
    };
    (0..3).any(|section| {
        let (was, here, there) = (of(base, section), of(ours, section), of(theirs, section));
        let gone = here.is_empty() != there.is_empty();
        let left = if here.is_empty() { there } else { here };
        !was.is_empty() && gone && left != was
    })
}

/// The merge of the values, if nothing is in conflict.
fn expected(format: Format, documents: [&Document; 3]) -> Option<Document> {
    let [base, ours, theirs] = documents;
    if format != Format::Dotenv && section_in_conflict(documents) {
        return None;
    }
    let mut merged = Document::new();
    let places = base.keys().chain(ours.keys()).chain(theirs.keys());
    for place in places {
        let (was, here, there) = (base.get(place), ours.get(place), theirs.get(place));
        let value = if here == there || there == was {
            here
        } else if here == was {
            there
        } else {
            return None;
        };
        if let Some(value) = value {
            merged.insert(*place, value.clone());
        }
    }
    Some(merged)
}

fn values(file: &OpenedFile) -> BTreeMap<Vec<String>, Vec<u8>> {
    let paths = file.key_paths().into_iter();
    paths
        .filter_map(|path| file.get(&path).map(|value| (path, value.expose().to_vec())))
        .collect()
}

fn check(format: Format, print: fn(&Document) -> String, documents: [&Document; 3]) {
    const TIME: &str = "2030-01-02T03:04:05Z";
    let keyfile = tempfile::NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut keyfile.as_file(), ALICE[1].as_bytes()).unwrap();
    let identities = Identities::of_file(keyfile.path()).unwrap();
    let keys = KeyGroups::one([Recipient::parse(ALICE[0]).unwrap()]);
    let parse = |text: &str| SealedFile::parse(text.as_bytes(), format).unwrap();
    let new = NewFile::new(format, &keys);
    let create = |document| OpenedFile::create(print(document).as_bytes(), &new).unwrap();
    let base = create(documents[0]).seal(TIME).unwrap();
    let side = |document: &Document| {
        let mut file = parse(&base).open(&identities).unwrap();
        file.replace(print(document).as_bytes()).unwrap();
        parse(&file.seal(TIME).unwrap())
    };
    let (base, ours, theirs) = (parse(&base), side(documents[1]), side(documents[2]));
    let versions = Versions {
        base: Some(&base),
        ours: &ours,
        theirs: &theirs,
    };
    let shown = || documents.map(print).join("---\n");
    let merged =
        merge(&versions, &identities).unwrap_or_else(|error| panic!("{error}\n{}", shown()));
    let sealed = merged
        .seal(TIME, Markers::default())
        .unwrap_or_else(|error| panic!("{error}\n{}", shown()));
    if let Some(wanted) = expected(format, documents) {
        assert!(
            merged.conflicts().is_empty(),
            "{:?}\n{}",
            merged.conflicts(),
            shown()
        );
        let opened = parse(&sealed).open(&identities).unwrap();
        assert_eq!(values(&opened), values(&create(&wanted)), "{}", shown());
    } else {
        assert!(!merged.conflicts().is_empty(), "{}", shown());
        for side in [steadfast::sops::Side::Ours, steadfast::sops::Side::Theirs] {
            let text = steadfast::sops::one_side(sealed.as_bytes(), side).unwrap();
            SealedFile::parse(&text, format)
                .unwrap()
                .open_unverified(&identities)
                .unwrap();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn a_merge_is_the_merge_of_the_values(base in document(), one in edits(), other in edits()) {
        let (ours, theirs) = (edited(&base, &one), edited(&base, &other));
        let documents = [&base, &ours, &theirs];
        // Text formats cannot hold everything: what they print is compared with what they print.
        check(Format::Yaml, yaml, documents);
        check(Format::Json, json, documents);
        let lossy = |print: fn(&str) -> String| documents.map(|it| it.iter().map(|(place, value)| (*place, print(value))).collect::<Document>());
        let [base, ours, theirs] = lossy(|value| value.replace(['\n', '\\'], "_"));
        check(Format::Dotenv, dotenv, [&base, &ours, &theirs]);
        let [base, ours, theirs] = lossy(|value| value.chars().filter(char::is_ascii_alphanumeric).collect());
        check(Format::Ini, ini, [&base, &ours, &theirs]);
    }
}
