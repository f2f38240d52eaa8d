use std::collections::BTreeSet;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;

use super::*;
use crate::host::exec::Program;
use crate::identity::{Identities, Recipient};

fn value(generator: &Generator) -> String {
    match generate(generator).unwrap() {
        Generated::Value(value) => value.expose_text().unwrap().to_owned(),
        Generated::KeyPair { .. } => panic!("a pair"),
    }
}

fn pair(generator: &Generator) -> (String, String) {
    match generate(generator).unwrap() {
        Generated::Value(_) => panic!("one value"),
        Generated::KeyPair { private, public } => {
            (private.expose_text().unwrap().to_owned(), public)
        }
    }
}

#[test]
fn passwords_have_their_length_and_a_character_of_every_class() {
    for (alphabet, length) in [
        ("lower", 4),
        ("digits", 6),
        ("lower,upper,digits,symbols", 4),
        ("symbols, digits", 1024),
    ] {
        let alphabet: Alphabet = alphabet.parse().unwrap();
        for _ in 0..50 {
            let password = value(&Generator::Password {
                length,
                alphabet: alphabet.clone(),
            });
            assert_eq!(password.len(), length);
            let has = |class: fn(&char) -> bool| password.chars().any(|c| class(&c));
            let names = alphabet.to_string();
            assert_eq!(has(char::is_ascii_lowercase), names.contains("lower"));
            assert_eq!(has(char::is_ascii_uppercase), names.contains("upper"));
            assert_eq!(has(char::is_ascii_digit), names.contains("digits"));
            assert_eq!(has(char::is_ascii_punctuation), names.contains("symbols"));
        }
    }
}

#[test]
fn every_character_of_a_password_is_about_as_likely() {
    let mut counts = [0_u32; 128];
    for _ in 0..62 {
        let password = value(&Generator::Password {
            length: 1000,
            alphabet: Alphabet::default(),
        });
        for byte in password.bytes() {
            counts[usize::from(byte)] += 1;
        }
    }
    let used: Vec<u32> = counts.into_iter().filter(|count| *count > 0).collect();
    assert_eq!(used.len(), 62);
    // 1000 expected of each, with a deviation of 31.
    assert!(
        used.iter().all(|count| (750..1250).contains(count)),
        "{used:?}"
    );
}

#[test]
fn what_cannot_be_made_says_its_bounds() {
    let error = |generator: Generator| generate(&generator).err().unwrap().to_string();
    for (generator, expected) in [
        (
            Generator::Password {
                length: 3,
                alphabet: Alphabet::default(),
            },
            "a password has from 4 to 1024 characters, not 3",
        ),
        (
            Generator::Passphrase {
                words: 2,
                separator: "-".to_owned(),
            },
            "the number of words must be from 3 to 64, not 2",
        ),
        (
            Generator::Hex { bytes: 5000 },
            "the number of bytes must be from 8 to 4096, not 5000",
        ),
    ] {
        assert_eq!(error(generator), expected);
    }
    let error = "lower,emoji".parse::<Alphabet>().unwrap_err();
    assert_eq!(error.to_string(), "`emoji` is not a class of characters");
}

#[test]
fn the_word_list_is_whole() {
    let words = words::all();
    let distinct: BTreeSet<&str> = words.iter().copied().collect();
    assert_eq!((words.len(), distinct.len()), (7776, 7776));
    assert_eq!((words[0], words[7775]), ("abacus", "zoom"));
    assert!(words.iter().all(|word| (3..=9).contains(&word.len())));
}

#[test]
fn passphrases_are_words_of_the_list() {
    let phrase = value(&Generator::Passphrase {
        words: 6,
        separator: " ".to_owned(),
    });
    let known: BTreeSet<&str> = words::all().into_iter().collect();
    let drawn: Vec<&str> = phrase.split(' ').collect();
    assert_eq!(drawn.len(), 6);
    assert!(drawn.iter().all(|word| known.contains(word)), "{phrase}");
}

#[test]
fn bytes_are_written_in_their_alphabet_and_never_twice_the_same() {
    let hex = Generator::Hex { bytes: 32 };
    let first = value(&hex);
    assert_eq!(hex::decode(&first).unwrap().len(), 32);
    assert_ne!(first, value(&hex));
    let base64 = value(&Generator::Base64 { bytes: 33 });
    assert_eq!(STANDARD.decode(base64).unwrap().len(), 33);
}

#[test]
fn an_ssh_key_is_one_that_ssh_keygen_reads() {
    let (private, public) = pair(&Generator::SshKey {
        comment: "deploy@chicago".to_owned(),
    });
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key");
    let mut file = std::fs::File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)
        .unwrap();
    file.write_all(private.as_bytes()).unwrap();
    let derived = Program::new("ssh-keygen")
        .args(["-y", "-f"])
        .arg(&path)
        .run_ok()
        .unwrap();
    assert_eq!(String::from_utf8(derived).unwrap().trim(), public);
    assert!(public.ends_with(" deploy@chicago"));
    let armored = Recipient::parse(&public).unwrap().wrap(&[7; 32]).unwrap();
    assert!(Identities::of_file(&path).unwrap().unwrap(&armored).is_ok());
}

#[test]
fn a_wireguard_key_has_the_public_half_that_wg_derives() {
    let (private, public) = pair(&Generator::Wireguard);
    let private: [u8; 32] = STANDARD.decode(private).unwrap().try_into().unwrap();
    assert_eq!(private[0] & 0b111, 0);
    assert_eq!(private[31] >> 6, 1);
    let derived = x25519_dalek::x25519(private, x25519_dalek::X25519_BASEPOINT_BYTES);
    assert_eq!(STANDARD.encode(derived), public);
}

#[test]
fn an_age_key_opens_what_is_encrypted_to_its_public_half() {
    let (private, public) = pair(&Generator::AgeKey);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keys.txt");
    let mut file = std::fs::File::create(&path).unwrap();
    file.write_all(private.as_bytes()).unwrap();
    let armored = Recipient::parse(&public).unwrap().wrap(&[7; 32]).unwrap();
    let opened = Identities::of_file(&path)
        .unwrap()
        .unwrap(&armored)
        .ok()
        .unwrap();
    assert!(opened.same_as(&[7; 32]));
}
