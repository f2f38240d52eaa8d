//! Damaged and forged files: nothing that is done to a sealed file makes the reader panic, take its time, or open it to
//! other values, as far as the format protects them. The seeds are fixed, so a failure repeats.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{Rng as _, SeedableRng as _};
use steadfast::identity::Plaintext;
use steadfast::sops::{Format, MacScope, OpenedFile, SealedFile};

use crate::case::Case;
use crate::oracle::{all_identities, plain_file, seal_new};
use crate::support::{TIME, leaves, vectors};

/// A sealed file that opens, with what it opens to.
struct Original {
    name: String,
    format: Format,
    text: Vec<u8>,
    contents: Contents,
    whole: Protection,
}

/// How every ciphertext begins.
const CIPHERTEXT: &[u8] = b"ENC[AES256_GCM,";

/// What the MAC covers.
#[derive(PartialEq)]
enum Protection {
    /// All values of the one document.
    Everything,
    /// Encrypted values alone, or also documents that are not looked at here.
    Encrypted,
}

struct Contents {
    /// All values one after the other.
    bytes: Vec<u8>,
    /// Encrypted values with the keys on their way: positions in lists count for nothing.
    encrypted: BTreeSet<(String, Vec<u8>)>,
}

impl Contents {
    fn of(sealed: &SealedFile, file: &OpenedFile) -> Self {
        let keys = |path: &[String]| {
            let is_key = |part: &&String| !part.bytes().all(|byte| byte.is_ascii_digit());
            let keys = path.iter().filter(is_key).map(String::as_str);
            keys.collect::<Vec<_>>().join(":")
        };
        let sealed_paths: BTreeSet<String> = sealed
            .key_paths()
            .iter()
            .filter(|path| {
                let text = sealed.ciphertext(path);
                text.is_some_and(|text| text.as_bytes().starts_with(CIPHERTEXT))
            })
            .map(|path| keys(path))
            .collect();
        let leaves = leaves(file).into_iter();
        let values = leaves.filter_map(|(path, value)| Some((path, value?)));
        let mut contents = Self {
            bytes: Vec::new(),
            encrypted: BTreeSet::new(),
        };
        for (path, value) in values {
            contents.bytes.extend_from_slice(&value);
            let path = keys(&path);
            // What is in clear may look like ciphertext, and is then what it looks like.
            let is_opened = !value.is_empty() && !value.starts_with(CIPHERTEXT);
            if sealed_paths.contains(&path) && is_opened {
                contents.encrypted.insert((path, value));
            }
        }
        contents
    }
}

impl Original {
    fn new(name: String, format: Format, text: Vec<u8>) -> Option<Self> {
        let sealed = SealedFile::parse(&text, format).ok()?;
        let file = sealed.open(all_identities()).ok()?;
        let one_document = format != Format::Yaml || !text.windows(4).any(|at| at == b"\n---");
        let whole = if one_document && sealed.selector().mac_scope == MacScope::Everything {
            Protection::Everything
        } else {
            Protection::Encrypted
        };
        Some(Self {
            contents: Contents::of(&sealed, &file),
            name,
            format,
            text,
            whole,
        })
    }

    fn vectors() -> Vec<Self> {
        let files = std::fs::read_dir(vectors().join("generated")).unwrap();
        let mut paths: Vec<_> = files.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        let files = paths.iter().filter_map(|path| {
            let name = path.display().to_string();
            let format = Format::of_path(&name);
            Self::new(name, format, std::fs::read(path).unwrap())
        });
        files.collect()
    }

    fn generated(count: u64) -> Vec<Self> {
        let sealed = (0..count).map(|seed| {
            let case = Case::of_seed(1000 + seed, &Format::ALL);
            let text = seal_new(&case).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
            let name = format!("seed {}", 1000 + seed);
            Self::new(name, case.model.store, text).unwrap()
        });
        sealed.collect()
    }
}

/// Ranges of all ciphertexts.
fn ciphertexts(text: &[u8]) -> Vec<std::ops::Range<usize>> {
    let starts = (0..text.len()).filter(|at| text[*at..].starts_with(CIPHERTEXT));
    let ranges = starts.filter_map(|start| {
        let length = text[start..].iter().position(|byte| *byte == b']')?;
        Some(start..start + length + 1)
    });
    ranges.collect()
}

fn lines(text: &[u8]) -> Vec<&[u8]> {
    text.split_inclusive(|byte| *byte == b'\n').collect()
}

fn mutate(random: &mut StdRng, text: &[u8]) -> Vec<u8> {
    const PIECES: [&str; 34] = [
        "\n",
        " ",
        "    ",
        "- ",
        ": ",
        "#",
        "#ENC[",
        "ENC[AES256_GCM,data:",
        "]",
        "{",
        "}",
        "[",
        "|\n",
        "*a",
        "&a ",
        "!!int ",
        "---\n",
        "...\n",
        "\"",
        "'",
        "? ",
        ",",
        "=",
        ";",
        "\\",
        "\\n",
        "`",
        "\"\"\"",
        "sops_",
        "[sops]\n",
        "__list_9",
        "__map_",
        "1e999",
        "null",
    ];
    let mut text = text.to_vec();
    for _ in 0..random.gen_range(1..3) {
        let at = random.gen_range(0..=text.len());
        let end = (at + random.gen_range(0..40)).min(text.len());
        match random.gen_range(0..10) {
            0 if at < text.len() => text[at] = random.r#gen(),
            1 if at < text.len() => text[at] ^= 1 << random.gen_range(0..8),
            2 => drop(text.drain(at..end)),
            3 => text.truncate(at),
            4 => {
                let copy = text[at..end].to_vec();
                let to = random.gen_range(0..=text.len());
                text.splice(to..to, copy);
            }
            5..=7 => text = change_lines(random, &text),
            8 => {
                let found = ciphertexts(&text);
                let (Some(from), Some(to)) = (found.choose(random), found.choose(random)) else {
                    continue;
                };
                let other = text[from.clone()].to_vec();
                text.splice(to.clone(), other);
            }
            _ => {
                let piece = PIECES[random.gen_range(0..PIECES.len())];
                text.splice(at..at, piece.bytes());
            }
        }
    }
    text
}

/// A line gone, doubled, or two in each other's place; or the values of two lines.
fn change_lines(random: &mut StdRng, text: &[u8]) -> Vec<u8> {
    let mut lines = lines(text);
    if lines.len() < 2 {
        return text.to_vec();
    }
    let one = random.gen_range(0..lines.len());
    let other = random.gen_range(0..lines.len());
    match random.gen_range(0..4) {
        0 => drop(lines.remove(one)),
        1 => lines.insert(other, lines[one]),
        2 => lines.swap(one, other),
        _ => {
            let (a, b) = (one.min(other), one.max(other));
            let found = ciphertexts(lines[a]).pop().zip(ciphertexts(lines[b]).pop());
            let Some((from, to)) = found else {
                return text.to_vec();
            };
            let swapped = [
                [
                    &lines[a][..from.start],
                    &lines[b][to.clone()],
                    &lines[a][from.end..],
                ]
                .concat(),
                [
                    &lines[b][..to.start],
                    &lines[a][from.clone()],
                    &lines[b][to.end..],
                ]
                .concat(),
            ];
            lines[a] = &swapped[0];
            lines[b] = &swapped[1];
            return lines.concat();
        }
    }
    lines.concat()
}

/// What became of a mutation.
#[derive(Default)]
struct Tally {
    parsed: usize,
    opened: usize,
    refused: usize,
}

fn check(original: &Original, text: &[u8], round: usize, tally: &mut Tally) {
    let failed = |what: &str| -> ! {
        panic!(
            "{} round {round}: {what}\n-- before\n{}\n-- after\n{}",
            original.name,
            String::from_utf8_lossy(&original.text),
            String::from_utf8_lossy(text)
        )
    };
    let Ok(sealed) = SealedFile::parse(text, original.format) else {
        // As plain text it must not do harm either.
        if let Ok(file) = plain_file(original.format, text) {
            drop(file.seal(TIME));
        }
        return;
    };
    tally.parsed += 1;
    let _ = sealed.recipients();
    let Ok(mut file) = sealed.open(all_identities()) else {
        return;
    };
    tally.opened += 1;
    let contents = Contents::of(&sealed, &file);
    if original.whole == Protection::Everything && contents.bytes != original.contents.bytes {
        failed("it opens to other values");
    }
    if !contents.encrypted.is_subset(&original.contents.encrypted) {
        failed("an encrypted value is another, or in another place");
    }
    // A mangled layout may be refused: nothing is written then.
    let Ok(again) = file.seal(TIME) else {
        tally.refused += 1;
        return;
    };
    if SealedFile::parse(again.as_bytes(), original.format).is_err() {
        failed("it does not read what it sealed");
    }
    if let Some(path) = file.key_paths().first() {
        drop(file.set(path, &Plaintext::new(b"new\nvalue".to_vec())));
        drop(file.unset(path));
    }
}

#[test]
fn no_mutation_of_a_sealed_file_opens_to_other_values() {
    let mut random = StdRng::seed_from_u64(1);
    let mut originals = Original::vectors();
    let vectors = originals.len();
    originals.extend(Original::generated(40));
    assert!(vectors >= 30, "{vectors}");
    let (mut tally, mut slowest) = (Tally::default(), Duration::ZERO);
    for original in &originals {
        for round in 0..60 {
            let text = mutate(&mut random, &original.text);
            let begun = Instant::now();
            check(original, &text, round, &mut tally);
            slowest = slowest.max(begun.elapsed());
        }
    }
    let Tally {
        parsed,
        opened,
        refused,
    } = tally;
    println!(
        "{} mutations of {} files: {parsed} parsed, {opened} opened, {refused} of them not sealed again, the slowest took {slowest:?}",
        originals.len() * 60,
        originals.len()
    );
    assert!(parsed > 1000 && opened > 200, "{parsed} {opened}");
    assert!(refused * 20 < opened, "{refused} of {opened}");
    assert!(slowest.as_secs() < 120, "{slowest:?}");
}
