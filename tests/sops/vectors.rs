//! Every entry of `tests/vectors/manifest.json` does what it says: files written by real sops open to what they should.
//!
//! Stores that are not read yet are counted and printed, never skipped in silence.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use steadfast::identity::Identities;
use steadfast::sops::{Format, OpenedFile, SealedFile};

use crate::support::{leaves, leaves_of_plain, vectors};

#[derive(Deserialize)]
struct Check {
    file: String,
    #[serde(default)]
    r#type: Option<String>,
    #[serde(default)]
    age: Vec<String>,
    #[serde(default)]
    plain: Option<String>,
    #[serde(default)]
    oracle: Option<String>,
    #[serde(default)]
    fails: Option<serde_json::Value>,
    #[serde(default)]
    ignore_mac: bool,
}

fn read(name: &str) -> Vec<u8> {
    std::fs::read(vectors().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn identities(names: &[String]) -> Identities {
    names.iter().fold(Identities::default(), |all, name| {
        let one = Identities::of_file(&vectors().join(name));
        all.and(one.unwrap_or_else(|error| panic!("{name}: {error}")))
    })
}

fn store(check: &Check) -> String {
    let extension = Path::new(&check.file).extension().unwrap_or_default();
    check
        .r#type
        .clone()
        .unwrap_or_else(|| extension.to_string_lossy().into_owned())
}

#[test]
fn every_yaml_vector_does_what_its_manifest_entry_says() {
    let checks: Vec<Check> = serde_json::from_slice(&read("manifest.json")).unwrap();
    let mut not_yet: BTreeMap<String, usize> = BTreeMap::new();
    let (mut opened, mut failed) = (0, 0);
    for check in &checks {
        let name = &check.file;
        if store(check) != "yaml" {
            *not_yet.entry(store(check)).or_default() += 1;
            continue;
        }
        let sealed = SealedFile::parse(&read(name), Format::Yaml);
        let ids = identities(&check.age);
        let result = sealed.map_err(|e| e.to_string()).and_then(|sealed| {
            let file = sealed.open(&ids).map_err(|e| e.to_string())?;
            Ok(file)
        });
        if check.fails.is_some() || check.ignore_mac {
            // To ignore a MAC is not offered: such a file is refused like a tampered one.
            let error = result
                .err()
                .unwrap_or_else(|| panic!("{name}: must not open"));
            println!("{name}: refused: {error}");
            failed += 1;
            continue;
        }
        let file = result.unwrap_or_else(|error| panic!("{name}: {error}"));
        opened += 1;
        for expected in [&check.plain, &check.oracle].into_iter().flatten() {
            let meant = leaves_of_plain(&String::from_utf8(read(expected)).unwrap());
            assert_eq!(leaves(&file), meant, "{name} against {expected}");
        }
        assert_resealing_changes_only_mac_and_time(name, &file);
    }
    println!("opened {opened}, refused {failed}; stores not read yet: {not_yet:?}");
    assert!(opened >= 20 && failed >= 4, "{opened} {failed}");
    assert_eq!(
        opened + failed + not_yet.values().sum::<usize>(),
        checks.len()
    );
}

fn assert_resealing_changes_only_mac_and_time(name: &str, file: &OpenedFile) {
    let before = String::from_utf8(read(name)).unwrap();
    let after = file
        .seal("2030-01-02T03:04:05Z")
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    let changed: Vec<(&str, &str)> = before
        .lines()
        .zip(after.lines())
        .filter(|(before, after)| before != after)
        .collect();
    assert_eq!(
        before.lines().count(),
        after.lines().count(),
        "{name}\n{after}"
    );
    for (before, after) in changed {
        let expected = ["lastmodified: ", "mac: "].iter().any(|field| {
            before.trim_start().starts_with(field) && after.trim_start().starts_with(field)
        });
        // A comment that was added in the clear is encrypted with the next change, as sops does.
        let added = before.starts_with("# ") && after.starts_with("#ENC[");
        assert!(expected || added, "{name}:\n{before}\n{after}");
    }
}
