//! The stores beside YAML against a real sops, both ways: same values, verified MAC, untouched lines.

use steadfast::identity::Plaintext;
use steadfast::sops::{Format, NewFile, OpenedFile, SealedFile};

use crate::program::Sops;
use crate::support::{RECIPIENT, TIME, identities, leaves, leaves_of, recipient};

/// File names and contents.
const FILES: [(&str, &str); 14] = [
    (
        "a.json",
        "{\n  \"a\": \"x<&\\u00e9\",\n  \"b\": [1.5, true, null, {}, [], {\"c\": \"\"}],\n  \"n_unencrypted\": \"r\"\n}\n",
    ),
    ("a.json", "{\"a\":\"one line\",\"b\":{\"c\":2.5}}"),
    ("a.json", "{}"),
    ("a.json", "{\n\t\"dup\": \"1\",\n\t\"dup\": \"2\"\n}\n"),
    (
        "a.env",
        "# comment\nA=1\nB=\"q\"\n\nC=\nA=again\nL=x\\ny\n#\nU_unencrypted=z",
    ),
    ("a.env", ""),
    (
        "a.ini",
        "; top\nroot=1\n\n[sec]\n; c for a\na = 1\nb=\"q\"\nc=`x\ny`\nd=\n# hash\ne: v\ng=a ; inline\n\n[sec2]\n[sec]\na=3\n[s.t]\nk_unencrypted=1\n",
    ),
    ("a.ini", "a = 1\r\n; two\r\n; lines\r\nb = `;x`\r\n"),
    (
        "a.ini",
        "[s]\na = \"\"\"multi\nline\"\"\"\n- = auto\n- = auto2\nc = con\\\n tinued\n",
    ),
    ("a.ini", "; only for the end\n[s]\nk = v\n; trailing\n"),
    ("a.ini", ""),
    ("a.bin", "plain bytes without an end"),
    ("a.bin", "{\"looks\": \"like json\"}\n\n"),
    ("a.bin", ""),
];

fn sops(sops: &Sops, name: &str, input: &[u8], verb: &[&str]) -> Result<Vec<u8>, String> {
    sops.write(name, input);
    let output = sops.command().args(verb).arg(name).output().unwrap();
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

fn decrypt(peer: &Sops, name: &str, sealed: &[u8]) -> Result<Vec<u8>, String> {
    sops(peer, name, sealed, &["decrypt"])
}

fn encrypt(peer: &Sops, name: &str, plain: &[u8]) -> Result<Vec<u8>, String> {
    sops(peer, name, plain, &["encrypt", "--age", RECIPIENT])
}

fn open(sealed: &[u8], format: Format) -> OpenedFile {
    let text = String::from_utf8_lossy(sealed).into_owned();
    SealedFile::parse(sealed, format)
        .unwrap_or_else(|error| panic!("{error}\n{text}"))
        .open(&identities())
        .unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn seal(plain: &[u8], format: Format) -> String {
    let keys = recipient().into();
    OpenedFile::create(plain, &NewFile::new(format, &keys))
        .and_then(|file| file.seal(TIME))
        .unwrap_or_else(|error| panic!("{error}\n{}", String::from_utf8_lossy(plain)))
}

fn same(one: &OpenedFile, other: &OpenedFile, about: &str) {
    assert_eq!(leaves(one), leaves(other), "{about}");
}

#[test]
fn what_we_seal_sops_opens_and_our_plain_text_is_what_it_was() {
    let Some(peer) = Sops::find("stores") else {
        return;
    };
    for (name, plain) in FILES {
        let format = Format::of_path(name);
        let sealed = seal(plain.as_bytes(), format);
        let opened = open(sealed.as_bytes(), format);
        // A value that was encrypted does not remember its quotes and escapes.
        if format == Format::Binary || !plain.contains(['`', '\\']) && !plain.contains("=\"") {
            let text = opened.plain_text();
            let text = String::from_utf8_lossy(text.expose());
            assert_eq!(text.trim_end(), plain.trim_end(), "{sealed}");
        }
        same(
            &opened,
            &OpenedFile::create(plain.as_bytes(), &NewFile::new(format, &recipient().into()))
                .unwrap(),
            &sealed,
        );
        let printed = decrypt(&peer, name, sealed.as_bytes())
            .unwrap_or_else(|error| panic!("{name}: {error}\n{sealed}"));
        if format == Format::Binary {
            assert_eq!(printed, plain.as_bytes());
        } else if !plain.contains("- =") {
            // What sops prints it reads again; keys named `-` it prints as comments.
            assert_eq!(
                leaves_of(&printed, format),
                leaves_of(plain.as_bytes(), format),
                "{sealed}\n{}",
                String::from_utf8_lossy(&printed)
            );
        }
    }
}

#[test]
fn what_sops_seals_we_open_change_and_give_back() {
    let Some(peer) = Sops::find("stores") else {
        return;
    };
    for (name, plain) in FILES {
        let format = Format::of_path(name);
        let sealed = encrypt(&peer, name, plain.as_bytes())
            .unwrap_or_else(|error| panic!("{name}: {error}\n{plain}"));
        // sops writes numbered keys as comments, and then does not open its own file.
        if plain.contains("- =") {
            continue;
        }
        let mut file = open(&sealed, format);
        if format == Format::Binary {
            assert_eq!(file.plain_text().expose(), plain.as_bytes());
            file.replace(b"other \xff\0bytes").unwrap();
        } else {
            let again =
                OpenedFile::create(plain.as_bytes(), &NewFile::new(format, &recipient().into()));
            same(&file, &again.unwrap(), &String::from_utf8_lossy(&sealed));
            let path: Vec<String> = match format {
                Format::Ini => vec!["new".to_owned(), "key".to_owned()],
                _ => vec!["new".to_owned()],
            };
            file.set(&path, &Plaintext::new(b"a new; #value".to_vec()))
                .unwrap();
        }
        let changed = file.seal(TIME).unwrap_or_else(|error| {
            panic!(
                "{error}\n{}",
                String::from_utf8_lossy(file.plain_text().expose())
            )
        });
        let printed = decrypt(&peer, name, changed.as_bytes())
            .unwrap_or_else(|error| panic!("{name}: {error}\n{changed}"));
        if format == Format::Binary {
            assert_eq!(printed, b"other \xff\0bytes");
        } else {
            same(&open(changed.as_bytes(), format), &file, &changed);
            assert_eq!(leaves_of(&printed, format), leaves(&file), "{changed}");
        }
        // Every line that was there is there still, but for time, MAC and commas.
        let before = String::from_utf8(sealed).unwrap();
        let lost: Vec<&str> = before
            .lines()
            .filter(|line| !changed.contains(line.trim_end_matches(',')))
            .collect();
        assert!(
            lost.len() <= 2 + 2 * usize::from(format == Format::Binary),
            "{lost:?}\n{changed}"
        );
    }
}

/// A sealed file with its metadata in front, by hand, as people and formatters move it.
fn metadata_first(sealed: &str, format: Format) -> String {
    match format {
        Format::Yaml => {
            let at = sealed.find("sops:\n").unwrap();
            format!("{}{}", &sealed[at..], &sealed[..at])
        }
        Format::Json => {
            let at = sealed.find(",\n  \"sops\"").unwrap();
            let end = sealed.rfind("\n}").unwrap();
            let (entries, metadata) = (&sealed[1..at], &sealed[at + 1..end]);
            format!("{{{metadata},{entries}\n}}\n")
        }
        Format::Dotenv => {
            let (metadata, entries): (Vec<&str>, Vec<&str>) =
                sealed.lines().partition(|line| line.starts_with("sops_"));
            format!("{}\n{}\n", metadata.join("\n"), entries.join("\n"))
        }
        _ => {
            let at = sealed.find("\n[sops]\n").unwrap();
            format!(
                "{}{}",
                &sealed[at + 1..],
                format_args!("\n{}", &sealed[..at])
            )
        }
    }
}

#[test]
fn metadata_stays_where_it_was() {
    for (name, plain) in [
        ("a.yaml", "# about a\na: 1\nb: 2\n"),
        ("a.json", "{\n  \"a\": 1,\n  \"b\": 2\n}\n"),
        ("a.env", "# about a\nA=1\nB=2\n"),
        ("a.ini", "; about s\n[s]\na = 1\nb = 2\n"),
    ] {
        let format = Format::of_path(name);
        let before = metadata_first(&seal(plain.as_bytes(), format), format);
        let mut file = open(before.as_bytes(), format);
        let path = file.key_paths().pop().unwrap();
        file.set(&path, &Plaintext::new(b"3".to_vec())).unwrap();
        let after = file.seal("2031-01-02T03:04:05Z").unwrap();
        let changed: Vec<(&str, &str)> = before
            .lines()
            .zip(after.lines())
            .filter(|(before, after)| before != after)
            .collect();
        assert_eq!(
            before.lines().count(),
            after.lines().count(),
            "{before}\n{after}"
        );
        assert_eq!(changed.len(), 3, "{changed:?}\n{before}\n{after}");
    }
}

#[test]
fn a_new_file_keeps_the_layout_of_its_plain_text() {
    let keys = recipient().into();
    let new = NewFile {
        indent: Some(3),
        ..NewFile::new(Format::Binary, &keys)
    };
    let sealed = OpenedFile::create(b"x", &new).unwrap().seal(TIME).unwrap();
    let new = NewFile {
        format: Format::Json,
        ..new
    };
    let lines = OpenedFile::create(b"{}", &new).unwrap().seal(TIME).unwrap();
    for text in [&sealed, &lines] {
        assert!(
            text.contains("\n   \"sops\": {\n      \"age\": ["),
            "{text}"
        );
    }
    let one_line = seal(b"{\"a\":1}", Format::Json);
    assert_eq!(one_line.lines().count(), 1, "{one_line}");
    assert!(
        one_line.contains("\"],\"sops\":{\"age\":[{")
            || one_line.contains("\",\"sops\":{\"age\":[{"),
        "{one_line}"
    );
}
