//! Every entry of `tests/vectors/manifest.json` does what it says: files written by real sops open to what they should.

use serde::Deserialize;
use steadfast::identity::Identities;
use steadfast::sops::{Format, OpenedFile, SealedFile};

use crate::support::{leaves, leaves_of, vectors};

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

fn format(check: &Check) -> Format {
    let named = check.r#type.as_deref().map(|word| word.parse().unwrap());
    named.unwrap_or_else(|| Format::of_path(&check.file))
}

#[test]
fn every_vector_does_what_its_manifest_entry_says() {
    let checks: Vec<Check> = serde_json::from_slice(&read("manifest.json")).unwrap();
    let (mut opened, mut failed) = (0, 0);
    for check in &checks {
        let name = &check.file;
        let format = format(check);
        let sealed = SealedFile::parse(&read(name), format);
        let ids = identities(&check.age);
        let result = sealed.map_err(|e| e.to_string()).and_then(|sealed| {
            let file = sealed.open(&ids).map_err(|e| e.to_string())?;
            Ok(file)
        });
        if check.fails.is_some() || check.ignore_mac {
            // To ignore a MAC is asked for by name; otherwise such a file is refused like a tampered one.
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
            let meant = leaves_of(&read(expected), format);
            // A negative nothing is an integer once it is printed without a point, and then has no sign.
            let mut found = leaves(&file);
            for (_, value) in &mut found {
                if value.as_deref() == Some(b"-0") && expected.contains(".decrypted.json") {
                    *value = Some(b"0".to_vec());
                }
            }
            assert_eq!(found, meant, "{name} against {expected}");
        }
        if format == Format::Binary {
            let plain = check.plain.as_ref().map(|plain| read(plain));
            assert_eq!(Some(file.plain_text().expose()), plain.as_deref(), "{name}");
        }
        assert_resealing_changes_only_mac_and_time(name, &file);
    }
    println!("opened {opened}, refused {failed}");
    assert!(opened >= 39 && failed >= 8, "{opened} {failed}");
    assert_eq!(opened + failed, checks.len());
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
        let is_stamp = |line: &str| {
            let name = line.trim_start().trim_start_matches('"');
            let name = name.strip_prefix("sops_").unwrap_or(name);
            name.starts_with("lastmodified") || name.starts_with("mac")
        };
        let expected = is_stamp(before) && is_stamp(after);
        // A comment that was added in the clear is encrypted with the next change, as sops does.
        let added = before.starts_with("# ") && after.starts_with("#ENC[");
        assert!(expected || added, "{name}:\n{before}\n{after}");
    }
}
