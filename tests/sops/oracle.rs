//! Both programs' readers, asked and compared with what a model says.

use std::sync::LazyLock;

use steadfast::identity::Identities;
use steadfast::sops::{Format, NewFile, OpenedFile, SealedFile};

use crate::case::Case;
use crate::model::{Leaf, Model};
use crate::support::{TIME, leaves, recipient, vectors};

/// After [`TIME`].
pub(super) const LATER: &str = "2031-02-03T04:05:06Z";
/// Those to choose from, the ones with more to go wrong more often.
pub(super) const STORES: &[Format] = &[
    Format::Yaml,
    Format::Json,
    Format::Dotenv,
    Format::Ini,
    Format::Yaml,
    Format::Json,
    Format::Ini,
    Format::Binary,
];

/// The keys that the vectors' keys directory has, but for the RSA key.
pub(super) fn all_identities() -> &'static Identities {
    static ALL: LazyLock<Identities> = LazyLock::new(|| {
        let of = |name: &str| Identities::of_file(&vectors().join("keys").join(name)).unwrap();
        of("age-a.txt").and(of("age-b.txt")).and(of("ssh_ed25519"))
    });
    &ALL
}

/// An error with its causes.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// The case's document as a new sealed file.
pub(super) fn seal_new(case: &Case) -> Result<Vec<u8>, String> {
    let plain = case.model.text();
    let keys = case.keys.groups();
    let new = NewFile {
        format: case.model.store,
        keys: &keys,
        selector: case.selector.clone(),
        indent: Some(case.indent),
    };
    let file = OpenedFile::create(&plain, &new).map_err(|error| chain(&error))?;
    check_leaves(&file, &case.model)?;
    let text = file.seal(TIME).map_err(|error| chain(&error))?;
    Ok(text.into_bytes())
}

pub(super) fn parse_text(store: Format, sealed: &[u8]) -> Result<SealedFile, String> {
    SealedFile::parse(sealed, store).map_err(|error| chain(&error))
}

pub(super) fn open_text(store: Format, sealed: &[u8]) -> Result<OpenedFile, String> {
    let file = parse_text(store, sealed)?;
    file.open(all_identities()).map_err(|error| chain(&error))
}

/// A plain text, read by our reader.
pub(super) fn plain_file(store: Format, text: &[u8]) -> Result<OpenedFile, String> {
    OpenedFile::create(text, &NewFile::new(store, &recipient().into()))
        .map_err(|error| format!("{}\n{}", chain(&error), String::from_utf8_lossy(text)))
}

/// Whether `file` has the leaves of `model`, in its order.
pub(super) fn check_leaves(file: &OpenedFile, model: &Model) -> Result<(), String> {
    let (found, expected) = (leaves(file), model.leaves());
    if found == expected {
        return Ok(());
    }
    let show = |leaves: &[Leaf]| {
        let one = |(path, value): &Leaf| {
            let value = value.as_deref().map(String::from_utf8_lossy);
            format!("{path:?}: {value:?}")
        };
        leaves.iter().map(one).collect::<Vec<_>>()
    };
    let (found, expected) = (show(&found), show(&expected));
    let only = |these: &[String], those: &[String]| {
        let these = these.iter().filter(|leaf| !those.contains(leaf)).cloned();
        these.collect::<Vec<_>>().join("\n")
    };
    Err(format!(
        "the values differ; found only\n{}\nexpected only\n{}",
        only(&found, &expected),
        only(&expected, &found)
    ))
}

/// Equal, with numbers compared as numbers, as exactly as `serde_json` reads them.
pub(super) fn same_json(one: &serde_json::Value, other: &serde_json::Value) -> bool {
    use serde_json::Value::{Array, Number, Object};
    match (one, other) {
        (Number(one), Number(other)) => {
            let (a, b) = (one.as_f64().unwrap(), other.as_f64().unwrap());
            one == other || (a - b).abs() <= a.abs() * 1e-15
        }
        (Array(one), Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(a, b)| same_json(a, b))
        }
        (Object(one), Object(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .all(|(key, a)| other.get(key).is_some_and(|b| same_json(a, b)))
        }
        (one, other) => one == other,
    }
}

/// Lines of `after` that `before` does not have, each as often.
pub(super) fn differing_lines(before: &str, after: &str) -> Vec<String> {
    let mut left: Vec<&str> = before.lines().collect();
    let mut differing = Vec::new();
    for line in after.lines() {
        match left.iter().position(|other| *other == line) {
            Some(at) => drop(left.remove(at)),
            None => differing.push(line.to_owned()),
        }
    }
    differing
}

/// A sealed file for people: without the bodies of armored age files.
pub(super) fn brief(sealed: &[u8]) -> String {
    let text = String::from_utf8_lossy(sealed);
    let lines = text.lines().filter(|line| {
        let line = line.trim();
        line.len() < 40 || line.len() > 64 || line.contains([':', ' ', '"'])
    });
    lines.collect::<Vec<_>>().join("\n")
}
