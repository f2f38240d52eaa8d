//! Inputs that once went wrong, found by the property test and the fuzzers. `regressions/` holds those that are files:
//! they are run through readers, of which none may panic, and what can be sealed must open to the same again.

use std::path::Path;
use std::time::Instant;

use steadfast::sops::Format;

use crate::oracle::{LATER, open_text, parse_text, plain_file};
use crate::support::{TIME, leaves};

/// As plain text and as a sealed file, in every format.
fn run_through(text: &[u8]) {
    for format in Format::ALL {
        if let Ok(file) = plain_file(format, text)
            && let Ok(sealed) = file.seal(TIME)
        {
            let again = open_text(format, sealed.as_bytes())
                .unwrap_or_else(|error| panic!("{format}: {error}\n{sealed}"));
            assert_eq!(leaves(&file), leaves(&again), "{format}\n{sealed}");
        }
        if let Ok(file) = parse_text(format, text) {
            for path in file.key_paths() {
                let _ = file.ciphertext(&path);
            }
            let _ = open_text(format, text);
        }
    }
}

#[test]
fn inputs_that_fuzzers_found_do_no_harm() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sops/regressions");
    let mut files: Vec<_> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    for path in files {
        println!("{}", path.display());
        let begun = Instant::now();
        run_through(&std::fs::read(&path).unwrap());
        let took = begun.elapsed();
        assert!(took.as_secs() < 120, "{took:?} for {}", path.display());
    }
}

#[test]
fn what_grows_beyond_the_limit_when_sealed_is_refused_for_that_reason() {
    let plain = format!("{{\"a\": \"{}\"}}", "x".repeat(13 * 1024 * 1024));
    let file = plain_file(Format::Json, plain.as_bytes()).unwrap();
    let error = file.seal(TIME).unwrap_err();
    assert!(error.to_string().contains("the limit is"), "{error}");
    assert!(!error.to_string().contains("read back"), "{error}");
}

#[test]
fn blanks_at_the_end_of_a_block_belong_to_the_value() {
    for (text, value) in [
        ("k: |-\n  a\n  b \nz: y\n", "a\nb "),
        ("k: |\n  a\n  : \nz: y\n", "a\n: \n"),
        ("k: |-\n  a\n     \nz: y\n", "a\n   "),
        ("k: |\r\n  a \r\n\r\nz: y\r\n", "a \n"),
        ("k: |\n  a \n\n   \n\nz: y\n", "a \n\n \n"),
        ("k: |\n  a \n\n    \n", "a \n\n  \n"),
        ("k: |\n   \nz: y\n", ""),
        ("k: |1\n   \nz: y\n", "  \n"),
    ] {
        let path = ["k".to_owned()];
        let file = plain_file(Format::Yaml, text.as_bytes()).unwrap();
        assert!(
            file.get(&path).unwrap().same_as(value.as_bytes()),
            "{text:?}"
        );
        let sealed = file.seal(TIME).unwrap();
        let line = sealed.lines().next().unwrap();
        assert_eq!(line, line.trim_end(), "a blank was left behind: {text:?}");
        let again = open_text(Format::Yaml, sealed.as_bytes()).unwrap();
        assert!(
            again.get(&path).unwrap().same_as(value.as_bytes()),
            "{text:?}\n{sealed}"
        );
    }
}

#[test]
fn comments_of_a_list_behind_an_item_that_ends_without_a_value_are_sealed() {
    for text in [
        "a:\n  k:\n    -\n      \"x\":\n    -\n      #c1\n      # c2\n      - 'v'\n",
        "a:\n  - x:\n  - # c\n    - v\n",
        "a:\n  - x :\n  -\n    # c\n    y: v\n",
        "a:\n  -\n  -\n    # c\n    - v\n",
        "a:\n  - x: &n\n  -\n    # c\n    - v\n",
        "a:\n  - x: !!null\n  -\n    # c\n    - v\n",
    ] {
        let file = plain_file(Format::Yaml, text.as_bytes()).unwrap();
        let sealed = file
            .seal(TIME)
            .unwrap_or_else(|error| panic!("{text}: {error}"));
        let again = open_text(Format::Yaml, sealed.as_bytes()).unwrap();
        assert_eq!(leaves(&file), leaves(&again), "{sealed}");
    }
}

/// Where sops reads a comment at the end of a block depends on the blank line behind it.
#[test]
fn a_comment_that_comes_to_the_end_of_a_block_is_set_apart() {
    let path = ["a", "last"].map(str::to_owned);
    for (text, expected) in [
        (
            "a:\n  b:\n    c: 1\n  # c\n  last: 2\nd: 3\n",
            "    c: ENC\n  #ENC\n\nd: ENC\n",
        ),
        (
            "a:\n  b:\n    c: 1\n\n  # c\n  last: 2\n# other\nd: 3\n",
            "    c: ENC\n  #ENC\n\n#ENC\nd: ENC\n",
        ),
        (
            "a:\n  b:\n    c: 1\n  # c\n  # c2\n  last: 2\n",
            "    c: ENC\n  #ENC\n  #ENC\n\nsops:\n",
        ),
    ] {
        let file = plain_file(Format::Yaml, text.as_bytes()).unwrap();
        let sealed = file.seal(TIME).unwrap();
        let mut file = open_text(Format::Yaml, sealed.as_bytes()).unwrap();
        file.unset(&path).unwrap();
        let sealed = file.seal(LATER).unwrap();
        let mut short = String::new();
        for line in sealed.lines() {
            let cut = line.find("ENC[").map_or(line.len(), |at| at + "ENC".len());
            short.extend([&line[..cut], "\n"]);
        }
        assert!(short.contains(expected), "{text}\n{short}");
    }
}

/// As sops writes it, and as go-yaml reads it: the text opens, and what is sealed has escapes.
#[test]
fn line_breaks_of_unicode_in_the_clear_are_sealed_as_escapes() {
    for (text, line) in [
        (
            "c_unencrypted: 'x\u{2028}    y'\nd: 1\n",
            "c_unencrypted: \"x\\u2028y\"\n",
        ),
        (
            "c_unencrypted: &a 'x\u{2029}    y'\nd_unencrypted: *a\n",
            "c_unencrypted: &a \"x\\u2029y\"\n",
        ),
        (
            "c_unencrypted: |-\n    x\n    y\u{2028}    z\nd: 1\n",
            "c_unencrypted: \"x\\ny\\u2028z\"\n",
        ),
    ] {
        let file = plain_file(Format::Yaml, text.as_bytes()).unwrap();
        let sealed = file.seal(TIME).unwrap();
        assert!(sealed.starts_with(line), "{sealed}");
        let again = open_text(Format::Yaml, sealed.as_bytes()).unwrap();
        assert_eq!(leaves(&file), leaves(&again), "{sealed}");
    }
}
