use super::*;
use crate::identity::{Identities, Recipient};
use crate::sops::{Format, KeyGroups, NewFile};

fn identities() -> Identities {
    let path = "tests/vectors/keys/age-a.txt";
    Identities::of_file(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

fn parse(text: &str) -> SealedFile {
    SealedFile::parse(text.as_bytes(), Format::Yaml).unwrap()
}

fn keys() -> KeyGroups {
    let text = "age19jlk6v9g5g4pe9t2t8m53q7mlvrys2w9yu5f5cwwllhccwdrtf7sksvyz7";
    KeyGroups::one([Recipient::parse(text).unwrap()])
}

fn seal(file: &OpenedFile) -> SealedFile {
    parse(&file.seal("2030-01-02T03:04:05Z").unwrap())
}

fn list(comparison: &Comparison) -> Vec<String> {
    let sign = |kind| match kind {
        ChangeKind::Added => '+',
        ChangeKind::Removed => '-',
        ChangeKind::Changed => '~',
    };
    let values = comparison.values.iter();
    let mut all: Vec<String> = values
        .map(|it| format!("{}{}", sign(it.kind), it.path.join("/")))
        .collect();
    if comparison.comments {
        all.push("#".to_owned());
    }
    all
}

#[test]
fn changes_are_told_with_and_without_a_key() {
    let before =
        "a: 1\nm:\n    b: 2\n    c: 3\nl:\n    - x\n    - z\np_unencrypted: 1\n# n\ne: ''\n";
    for (after, expected) in [
        (before, &[][..]),
        (
            "a: 2\nm:\n    b: 2\n    c: 3\nl:\n    - x\n    - z\np_unencrypted: 1\n# n\ne: ''\n",
            &["~a"],
        ),
        (
            "n: 0\nm:\n    b: 2\nl:\n    - x\n    - w\n    - z\np_unencrypted: 2\n# n\ne: ''\n",
            &["+n", "-m/c", "+l/1", "~p_unencrypted", "-a"],
        ),
        (
            "a: '1'\nm: 1\nl:\n    - x\n    - v\np_unencrypted: 1\n# other\ne: ''\n",
            &["~a", "~m", "~l/1", "#"],
        ),
    ] {
        let keys = keys();
        let new = NewFile::new(Format::Yaml, &keys);
        let created = OpenedFile::create(before.as_bytes(), &new).unwrap();
        let sealed = seal(&created);
        let mut changed = sealed.open(&identities()).unwrap();
        changed.replace(after.as_bytes()).unwrap();
        let resealed = seal(&changed);
        let without_key = Comparison::of_sealed(&sealed, &resealed);
        let with_key = Comparison::of_opened(&created, &resealed.open(&identities()).unwrap());
        assert_eq!(list(&without_key), expected, "without a key: {after}");
        assert_eq!(list(&with_key), expected, "with a key: {after}");
        assert_eq!(without_key.data_key, DataKeyChange::Same);
    }
}

#[test]
fn a_rotation_is_no_change_of_values() {
    let keys = keys();
    let new = NewFile::new(Format::Yaml, &keys);
    let mut file = OpenedFile::create(b"a: 1\nb: 2\nl: [x]\n", &new).unwrap();
    let before = seal(&file);
    file.replace(b"a: 1\nc: 3\nl: [w]\n").unwrap();
    file.rotate(&keys).unwrap();
    let after = seal(&file);
    let without_key = Comparison::of_sealed(&before, &after);
    assert_eq!(without_key.data_key, DataKeyChange::Rotated);
    assert_eq!(list(&without_key), ["+c", "-b"]);
    let open = |file: &SealedFile| file.open(&identities()).unwrap();
    let with_key = Comparison::of_opened(&open(&before), &open(&after));
    assert_eq!(with_key.data_key, DataKeyChange::Rotated);
    assert_eq!(list(&with_key), ["+c", "~l/0", "-b"]);
}
