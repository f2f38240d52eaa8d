//! Random and hostile documents: they survive sealing, opening and editing, or are refused in good time. The seeds are
//! fixed, so a failure repeats.

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use steadfast::identity::Plaintext;
use steadfast::sops::{Format, NewFile, OpenedFile, SealedFile, Selector, SelectorRule};

use crate::document::Document;
use crate::support::{TIME, identities, recipient};

#[test]
fn random_documents_survive_sealing_and_an_edit_changes_one_ciphertext_only() {
    let mut random = StdRng::seed_from_u64(2);
    let identities = identities();
    let keys = recipient().into();
    for round in 0..150 {
        let plain = Document::random(&mut random);
        let selector = match round % 3 {
            0 => Selector::default(),
            1 => Selector {
                rule: SelectorRule::EncryptedRegex("[13579]$".to_owned()),
                ..Selector::default()
            },
            _ => Selector {
                rule: SelectorRule::EncryptedCommentRegex("[05]$".to_owned()),
                ..Selector::default()
            },
        };
        let new = NewFile {
            selector,
            ..NewFile::new(Format::Yaml, &keys)
        };
        let sealed = OpenedFile::create(plain.as_bytes(), &new)
            .and_then(|file| file.seal(TIME))
            .unwrap_or_else(|error| panic!("{round}: {error}\n{plain}"));
        let file = SealedFile::parse(sealed.as_bytes(), Format::Yaml).unwrap();
        let mut opened = file
            .open(&identities)
            .unwrap_or_else(|error| panic!("{round}: {error}\n{sealed}"));
        // Unchanged: only MAC and time differ.
        let again = opened
            .seal("2031-01-02T03:04:05Z")
            .unwrap_or_else(|error| panic!("{round}: {error}\n{sealed}"));
        let differing = sealed
            .lines()
            .zip(again.lines())
            .filter(|(a, b)| a != b)
            .count();
        assert_eq!(
            (sealed.lines().count(), differing),
            (again.lines().count(), 2),
            "{round}\n{sealed}\n{again}"
        );
        // One change: no other ciphertext differs.
        let paths = opened.key_paths();
        let path = &paths[random.gen_range(0..paths.len())];
        if opened
            .set(path, &Plaintext::new(b"changed".to_vec()))
            .is_err()
        {
            continue;
        }
        let changed = opened
            .seal(TIME)
            .unwrap_or_else(|error| panic!("{round}: {error}\n{sealed}"));
        let lost = ciphertexts(&sealed)
            .filter(|text| !changed.contains(text))
            .count();
        assert!(lost <= 2, "{round} {path:?}\n{sealed}\n{changed}");
    }
}

/// All `ENC[…]` texts, the MAC among them.
fn ciphertexts(sealed: &str) -> impl Iterator<Item = &str> {
    let pieces = sealed.split("ENC[").skip(1);
    pieces.filter_map(|piece| piece.split(']').next())
}

#[test]
fn large_and_repetitive_files_are_read_or_refused_quickly() {
    let entries =
        |count: usize, one: &dyn Fn(usize) -> String| (0..count).map(one).collect::<String>();
    let texts = [
        entries(10_000, &|n| format!("k{n}: v\n")),
        format!("{{{}}}\n", entries(10_000, &|n| format!("k{n}: v, "))),
        format!("a: {}\n", "[".repeat(5_000)),
        entries(5_000, &|n| format!("{}k:\n", " ".repeat(n))),
        format!(
            "a0: &a0 [x, x]\n{}",
            entries(40, &|n| format!("a{0}: &a{0} [*a{n}, *a{n}]\n", n + 1))
        ),
        entries(10_000, &|n| format!("# comment {n}\n")) + "a: 1\n",
    ];
    for text in texts {
        let begun = std::time::Instant::now();
        if let Ok(file) = OpenedFile::create(
            text.as_bytes(),
            &NewFile::new(Format::Yaml, &recipient().into()),
        ) {
            drop(file.seal(TIME));
        }
        let took = begun.elapsed();
        assert!(took.as_secs() < 120, "{took:?} for {}", &text[..40]);
        println!("{took:?} for {:?}", &text[..40]);
    }
}
