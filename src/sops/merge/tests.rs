use super::*;
use crate::identity::{Identities, Recipient};
use crate::sops::{Format, KeyGroups, NewFile, OpenedFile, SealedFile};

const TIME: &str = "2030-01-02T03:04:05Z";

fn vector(name: &str) -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/vectors/keys")
        .join(name)
}

fn recipient(name: &str) -> Recipient {
    let text = std::fs::read_to_string(vector(name)).unwrap();
    let line = text
        .lines()
        .find_map(|line| line.split("public key: ").nth(1))
        .unwrap();
    Recipient::parse(line.trim()).unwrap()
}

fn identities() -> Identities {
    Identities::of_file(&vector("age-a.txt")).unwrap()
}

fn parse(text: &str) -> SealedFile {
    parse_as(text, Format::Yaml)
}

fn parse_as(text: &str, format: Format) -> SealedFile {
    SealedFile::parse(text.as_bytes(), format).unwrap()
}

fn create(plain: &str, format: Format) -> String {
    let keys = KeyGroups::one([recipient("age-a.txt")]);
    let new = NewFile::new(format, &keys);
    OpenedFile::create(plain.as_bytes(), &new)
        .unwrap()
        .seal(TIME)
        .unwrap()
}

fn edited(sealed: &str, plain: &str, format: Format) -> String {
    let mut opened = parse_as(sealed, format).open(&identities()).unwrap();
    opened.replace(plain.as_bytes()).unwrap();
    opened.seal(TIME).unwrap()
}

fn merged(base: &str, ours: &str, theirs: &str) -> Result<Merged, MergeError> {
    merged_as(Format::Yaml, base, ours, theirs)
}

fn merged_as(format: Format, base: &str, ours: &str, theirs: &str) -> Result<Merged, MergeError> {
    let base = create(base, format);
    let ours = parse_as(&edited(&base, ours, format), format);
    let theirs = parse_as(&edited(&base, theirs, format), format);
    let base = parse_as(&base, format);
    let versions = Versions {
        base: Some(&base),
        ours: &ours,
        theirs: &theirs,
    };
    merge(&versions, &identities())
}

fn text(plain: &crate::identity::Plaintext) -> String {
    plain.expose_text().unwrap().to_owned()
}

fn leaves(file: &OpenedFile) -> Vec<(Vec<String>, Option<Vec<u8>>)> {
    let paths = file.key_paths().into_iter();
    paths
        .map(|path| (path.clone(), file.get(&path).map(|it| it.expose().to_vec())))
        .collect()
}

/// What it is, base, ours, theirs, and what becomes of them.
const TAKEN: &[(&str, &str, &str, &str, &str)] = &[
    (
        "other keys",
        "a: 1\nb: 2\nc: 3\n",
        "a: x\nb: 2\nc: 3\n",
        "a: 1\nb: 2\nc: v\n",
        "a: x\nb: 2\nc: v\n",
    ),
    (
        "neighbours",
        "a: 1\nb: 2\n",
        "a: x\nb: 2\n",
        "a: 1\nb: v\n",
        "a: x\nb: v\n",
    ),
    (
        "the same",
        "a: 1\nb: 2\n",
        "a: x\nb: 2\n",
        "b: 2\na: x\n",
        "a: x\nb: 2\n",
    ),
    (
        "additions in one place",
        "a: 1\nz: 9\n",
        "a: 1\nb: o\nz: 9\n",
        "a: 1\nc: t\nd: t\nz: 9\n",
        "a: 1\nb: o\nc: t\nd: t\nz: 9\n",
    ),
    (
        "additions at the end",
        "a: 1\n",
        "a: 1\nb: o\n",
        "a: 1\nc: t\n",
        "a: 1\nb: o\nc: t\n",
    ),
    (
        "additions at the top",
        "a: 1\n",
        "b: o\na: 1\n",
        "c: t\na: 1\n",
        "b: o\nc: t\na: 1\n",
    ),
    (
        "a removal each",
        "a: 1\nb: 2\nc: 3\n",
        "b: 2\nc: 3\n",
        "a: 1\nb: 2\n",
        "b: 2\n",
    ),
    (
        "the same removal",
        "a: 1\nb: 2\nc: 3\n",
        "a: 1\nc: x\n",
        "a: v\nc: 3\n",
        "a: v\nc: x\n",
    ),
    (
        "nested",
        "m:\n    a: 1\n    b: 2\n",
        "m:\n    a: x\n    b: 2\n",
        "m:\n    a: 1\n    b: v\n    c: z\n",
        "m:\n    a: x\n    b: v\n    c: z\n",
    ),
    (
        "other indentation",
        "m:\n    a: 1\n    b: 2\n",
        "m:\n  a: x\n  b: 2\n",
        "m:\n    a: 1\n    n:\n        k: |\n            l1\n            l2\n    b: v\n",
        "m:\n  a: x\n  n:\n      k: |\n          l1\n          l2\n  b: v\n",
    ),
    (
        "comments",
        "# top\n\na: 1\n# on b\nb: 2\n",
        "# top\n\na: 1 # one\n# on b\nb: 2\n",
        "# top\n\na: 1\n# on b, new\nb: v\n# on c\nc: 3\n",
        "# top\n\na: 1 # one\n# on b, new\nb: v\n# on c\nc: 3\n",
    ),
    (
        "comments of both",
        "# x\na: 1\n",
        "# x\n# ours\na: 2\n",
        "# x\n# theirs\na: 1\n",
        "# x\n# ours\n# theirs\na: 2\n",
    ),
    (
        "lists by position",
        "l:\n    - a\n    - b\n    - c\n",
        "l:\n    - x\n    - b\n    - c\n",
        "l:\n    - a\n    - b\n    - v\n",
        "l:\n    - x\n    - b\n    - v\n",
    ),
    (
        "lists apart",
        "l:\n    - a\n    - b\n    - c\n",
        "l:\n    - w\n    - a\n    - b\n    - c\n",
        "l:\n    - a\n    - b\n    - v\n    - z\n",
        "l:\n    - w\n    - a\n    - b\n    - v\n    - z\n",
    ),
    (
        "maps in lists",
        "l:\n    - a: 1\n      b: 2\n    - c: 3\n",
        "l:\n    - a: 1\n      b: 2\n      e: 5\n    - c: 3\n",
        "l:\n    - b: v\n      d: 4\n    - c: 3\n",
        "l:\n    - b: v\n      e: 5\n      d: 4\n    - c: 3\n",
    ),
    (
        "emptied",
        "m:\n    a: 1\n    b: 2\nz: 1\n",
        "m:\n    a: 1\nz: 1\n",
        "m:\n    b: 2\nz: 2\n",
        "m: {}\nz: 2\n",
    ),
    (
        "filled",
        "m: {}\nz: 1\n",
        "m:\n    a: 1\nz: 1\n",
        "m:\n    b: 2\nz: 1\n",
        "m:\n    a: 1\n    b: 2\nz: 1\n",
    ),
    (
        "filled by theirs",
        "m: {}\nz: 1\n",
        "m: {}\nz: 3\n",
        "m:\n    b: 2\nz: 1\n",
        "m:\n    b: 2\nz: 3\n",
    ),
    (
        "brackets",
        "m: {a: 1, b: 2}\nl: [1, 2]\n",
        "m: {a: x, b: 2}\nl: [1, 2, 3]\n",
        "m: {a: 1, b: v, c: 3}\nl: [0, 1, 2]\n",
        "m: {a: x, b: v, c: 3}\nl: [0, 1, 2, 3]\n",
    ),
    (
        "documents",
        "a: 1\n---\nb: 2\n",
        "a: x\n---\nb: 2\n",
        "a: 1\n---\nb: v\nc: 3\n",
        "a: x\n---\nb: v\nc: 3\n",
    ),
    (
        "types",
        "a: 1\nb: \"1\"\nc: null\n",
        "a: \"1\"\nb: \"1\"\nc: null\n",
        "a: 1\nb: 1\nc: ~\nd:\n",
        "a: '1'\nb: 1\nc: ~\nd:\n",
    ),
    (
        "a map for a value",
        "a: 1\nb: 2\n",
        "a: 1\nb: 3\n",
        "a:\n    k: v\nb: 2\n",
        "a:\n    k: v\nb: 3\n",
    ),
];

#[test]
fn what_only_one_side_changed_is_taken_and_the_layout_of_ours_stays() {
    for (what, base, ours, theirs, expected) in TAKEN {
        let result = merged(base, ours, theirs).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(result.conflicts(), &[] as &[Vec<String>], "{what}");
        assert_eq!(
            text(&result.plain_text(Markers::default())),
            *expected,
            "{what}"
        );
        let sealed = result.seal(TIME, Markers::default()).unwrap();
        let again = parse(&sealed).open(&identities()).unwrap();
        assert_eq!(
            leaves(&again),
            leaves(&result.into_side(Side::Ours)),
            "{what}"
        );
    }
}

#[test]
fn values_that_both_changed_are_in_conflict_on_their_own() {
    for (what, base, ours, theirs, expected) in [
        (
            "one of three",
            "a: 1\nb: 2\nc: 3\n",
            "a: x\nb: o\nc: 3\n",
            "a: 1\nb: t\nc: v\n",
            "a: x\n<<<<<<< ours\nb: o\n=======\nb: t\n>>>>>>> theirs\nc: v\n",
        ),
        (
            "removed and changed",
            "a: 1\nb: 2\n",
            "a: x\n",
            "a: 1\nb: t\n",
            "a: x\n<<<<<<< ours\n=======\nb: t\n>>>>>>> theirs\n",
        ),
        (
            "changed and removed",
            "a: 1\nb: 2\n",
            "a: 1\nb: o\n",
            "a: v\n",
            "a: v\n<<<<<<< ours\nb: o\n=======\n>>>>>>> theirs\n",
        ),
        (
            "added by both",
            "a: 1\n",
            "a: 1\nb: o\n",
            "a: v\nb: t\n",
            "a: v\n<<<<<<< ours\nb: o\n=======\nb: t\n>>>>>>> theirs\n",
        ),
        (
            "texts of several lines stay whole",
            "k: |\n    1\n    2\n    3\n",
            "k: |\n    1\n    o\n    3\n",
            "k: |\n    1\n    2\n    t\n",
            "<<<<<<< ours\nk: |\n    1\n    o\n    3\n=======\nk: |\n    1\n    2\n    t\n>>>>>>> theirs\n",
        ),
        (
            "nested",
            "m:\n    a: 1\n    b: 2\n",
            "m:\n    a: o\n    b: 2\n",
            "m:\n    a: t\n    b: v\n",
            "m:\n<<<<<<< ours\n    a: o\n=======\n    a: t\n>>>>>>> theirs\n    b: v\n",
        ),
        (
            "lists",
            "l:\n    - a\n",
            "l:\n    - a\n    - o\n",
            "l:\n    - a\n    - t\n",
            "l:\n    - a\n<<<<<<< ours\n    - o\n=======\n    - t\n>>>>>>> theirs\n",
        ),
    ] {
        let result = merged(base, ours, theirs).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(result.conflicts().len(), 1, "{what}");
        assert_eq!(
            text(&result.plain_text(Markers::default())),
            expected,
            "{what}"
        );
        let sealed = result.seal(TIME, Markers::default()).unwrap();
        let shape = |text: &str| -> Vec<String> {
            text.lines()
                .filter(|line| line.contains("<<<") || line.contains("===") || line.contains(">>>"))
                .map(str::to_owned)
                .collect()
        };
        assert_eq!(shape(&sealed), shape(expected), "{what}: {sealed}");
        // Without the lines of theirs it is a whole file.
        let ours = one_side(sealed.as_bytes(), Side::Ours).unwrap();
        let ours = SealedFile::parse(&ours, Format::Yaml)
            .unwrap()
            .open(&identities())
            .unwrap();
        let wanted = one_side(expected.as_bytes(), Side::Ours).unwrap();
        assert_eq!(text(&ours.plain_text()).into_bytes(), wanted, "{what}");
        let theirs = one_side(sealed.as_bytes(), Side::Theirs).unwrap();
        let theirs = SealedFile::parse(&theirs, Format::Yaml)
            .unwrap()
            .open_unverified(&identities())
            .unwrap();
        let wanted = one_side(expected.as_bytes(), Side::Theirs).unwrap();
        assert_eq!(text(&theirs.plain_text()).into_bytes(), wanted, "{what}");
    }
}

#[test]
fn the_other_formats_are_merged_by_the_same_rules() {
    use Format::{Binary, Dotenv, Ini, Json};
    for (format, base, ours, theirs, expected) in [
        (
            Dotenv,
            "A=1\nB=2\n",
            "A=one\nB=2\n# ours\nO=1\n",
            "A=1\nB=two\nT=1\n",
            "A=one\nB=two\n# ours\nO=1\nT=1\n",
        ),
        (Dotenv, "A=1\nB=2\n", "B=2\n", "A=1\n", ""),
        (
            Dotenv,
            "A=1\nB=2",
            "A=1\nB=2\nC=3",
            "A=x\nB=2",
            "A=x\nB=2\nC=3\n",
        ),
        (
            Ini,
            "top = 0\n\n[a]\nk = 1\nl = 2\n\n[b]\nm = 3\n",
            "top = 0\n\n[a]\nk = one\nl = 2\n",
            "top = 9\n\n[a]\nk = 1\nl = two\n# new\nn = 5\n\n[b]\nm = 3\n\n[c]\no = 6\n",
            "top = 9\n\n[a]\nk = one\nl = two\n# new\nn = 5\n\n[c]\no = 6\n",
        ),
        (
            Ini,
            "[a]\nk = 1\n",
            "# ours\n[a]\nk = 1\n",
            "top = 1\n\n[a]\nk = 2\n",
            "top = 1\n# ours\n[a]\nk = 2\n",
        ),
        (
            Ini,
            "[a]\nk = 1\nl = 1\n",
            "[a]\nk = 1\n",
            "[a]\nl = 1\n",
            "[a]\n",
        ),
        (
            Json,
            "{\n\t\"a\": 1,\n\t\"m\": {\n\t\t\"b\": [1, 2]\n\t}\n}\n",
            "{\n\t\"a\": \"one\",\n\t\"m\": {\n\t\t\"b\": [1, 2],\n\t\t\"o\": true\n\t}\n}\n",
            "{\n\t\"a\": 1,\n\t\"m\": {\n\t\t\"t\": null,\n\t\t\"b\": [0, 2]\n\t},\n\t\"z\": {}\n}\n",
            "{\n\t\"a\": \"one\",\n\t\"m\": {\n\t\t\"t\": null,\n\t\t\"b\": [0, 2],\n\t\t\"o\": true\n\t},\n\t\"z\": {}\n}\n",
        ),
        (
            Json,
            "{\"a\": 1, \"b\": 2}",
            "{\"b\": 2}",
            "{\"a\": 1}",
            "{}",
        ),
        (
            Json,
            "{\"a\": 1}",
            "{}",
            "{\"a\": 1, \"b\": 2}",
            "{\"b\": 2}",
        ),
        (Binary, "one", "one", "two\n", "two\n"),
    ] {
        let result =
            merged_as(format, base, ours, theirs).unwrap_or_else(|error| panic!("{base}: {error}"));
        assert_eq!(result.conflicts(), &[] as &[Vec<String>], "{base}");
        assert_eq!(
            text(&result.plain_text(Markers::default())),
            expected,
            "{base}"
        );
        let sealed = result.seal(TIME, Markers::default()).unwrap();
        let again = parse_as(&sealed, format).open(&identities()).unwrap();
        assert_eq!(text(&again.plain_text()), expected, "{base}");
    }
}

#[test]
fn the_other_formats_have_conflicts_of_their_own_shape() {
    use Format::{Binary, Dotenv, Ini, Json};
    for (format, base, ours, theirs, shape) in [
        (
            Dotenv,
            "A=1\nB=2\n",
            "A=o\nB=2\n",
            "A=t\nB=2\n",
            "<<<<<<< ours\nA=o\n=======\nA=t\n>>>>>>> theirs\nB=2\n",
        ),
        (
            Ini,
            "[s]\nk = 1\n",
            "[s]\nk = o\n",
            "[s]\nk = t\n",
            "[s]\n<<<<<<< ours\nk = o\n=======\nk = t\n>>>>>>> theirs\n",
        ),
        (
            Json,
            "{\n\t\"a\": 1,\n\t\"b\": 2\n}\n",
            "{\n\t\"a\": 3,\n\t\"b\": 2\n}\n",
            "{\n\t\"a\": 4,\n\t\"b\": 5\n}\n",
            "{\n<<<<<<< ours\n\t\"a\": 3,\n=======\n\t\"a\": 4,\n>>>>>>> theirs\n\t\"b\": 5\n}\n",
        ),
        (
            Binary,
            "1\nx\n",
            "2\nx\n",
            "3\nx\n",
            "<<<<<<< ours\n2\nx\n=======\n3\nx\n>>>>>>> theirs\n",
        ),
    ] {
        let result = merged_as(format, base, ours, theirs).unwrap();
        assert_eq!(result.conflicts().len(), 1, "{base}");
        assert_eq!(
            text(&result.plain_text(Markers::default())),
            shape,
            "{base}"
        );
        let sealed = result.seal(TIME, Markers::default()).unwrap();
        assert_eq!(sealed.matches("<<<<<<< ours\n").count(), 1, "{sealed}");
        for side in [Side::Ours, Side::Theirs] {
            let one = one_side(sealed.as_bytes(), side).unwrap();
            let one = SealedFile::parse(&one, format)
                .unwrap()
                .open_unverified(&identities())
                .unwrap();
            let wanted = one_side(shape.as_bytes(), side).unwrap();
            assert_eq!(text(&one.plain_text()).into_bytes(), wanted, "{base}");
        }
    }
}
