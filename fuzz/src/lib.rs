//! What the fuzz targets share: the keys of `tests/vectors`, and the promises that hold for every input.
//!
//! An input that breaks a promise panics, which is what a fuzzer reports.

use std::path::Path;
use std::sync::LazyLock;

use steadfast::identity::{Identities, Plaintext, Recipient};
use steadfast::sops::{Format, NewFile, OpenedFile, SealedFile};

/// The moment at which every file is sealed.
pub const TIME: &str = "2030-01-02T03:04:05Z";
/// The public half of `tests/vectors/keys/age-a.txt`.
pub const RECIPIENT: &str = "age19jlk6v9g5g4pe9t2t8m53q7mlvrys2w9yu5f5cwwllhccwdrtf7sksvyz7";

static IDENTITIES: LazyLock<Identities> = LazyLock::new(|| {
    let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/keys");
    let of = |name: &str| Identities::of_file(&keys.join(name)).expect("the vectors' keys can be read");
    of("age-a.txt").and(of("age-b.txt")).and(of("ssh_ed25519"))
});

/// The keys that open the vectors.
pub fn identities() -> &'static Identities {
    &IDENTITIES
}

/// The recipient that [`identities`] open for.
pub fn recipient() -> Recipient {
    Recipient::parse(RECIPIENT).expect("the constant is a recipient")
}

/// Any text as plain text of a secret file: what can be sealed opens again to the same contents.
pub fn plain(format: Format, text: &[u8]) {
    let keys = recipient().into();
    let Ok(file) = OpenedFile::create(text, &NewFile::new(format, &keys)) else {
        return;
    };
    for path in file.key_paths() {
        let _ = file.get(&path);
    }
    let Ok(sealed) = file.seal(TIME) else {
        return;
    };
    let again = SealedFile::parse(sealed.as_bytes(), format)
        .expect("what was sealed is a sealed file")
        .open(identities())
        .expect("what was sealed opens");
    assert!(contents(&file) == contents(&again), "the values differ after sealing and opening");
}

/// Any text as a sealed file: reading it never panics, and what opens can be changed and sealed again.
pub fn sealed(format: Format, text: &[u8]) {
    let Ok(sealed) = SealedFile::parse(text, format) else {
        return;
    };
    for path in sealed.key_paths() {
        let _ = sealed.ciphertext(&path);
    }
    let _ = sealed.recipients();
    let _ = sealed.rewrap(identities(), &recipient().into());
    let Ok(mut file) = sealed.open(identities()) else {
        return;
    };
    let paths = file.key_paths();
    let before = contents(&file);
    if let Ok(again) = file.seal(TIME) {
        let again = SealedFile::parse(again.as_bytes(), format)
            .expect("what was sealed is a sealed file")
            .open(identities())
            .expect("what was sealed opens");
        assert!(before == contents(&again), "the values differ after sealing again");
    }
    if let Some(path) = paths.first() {
        let _ = file.set(path, &Plaintext::new(b"new\nvalue".to_vec()));
        let _ = file.seal(TIME);
        let _ = file.unset(path);
        let _ = file.seal(TIME);
    }
}

fn contents(file: &OpenedFile) -> Vec<(Vec<String>, Option<Vec<u8>>)> {
    let paths = file.key_paths().into_iter();
    paths
        .map(|path| {
            let value = file.get(&path).map(|value| value.expose().to_vec());
            (path, value)
        })
        .collect()
}
