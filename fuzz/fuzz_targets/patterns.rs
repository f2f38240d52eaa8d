//! Regular expressions of rules and selectors: the first line is the expression, the rest is searched.
#![no_main]

use steadfast::secrets::PathRegex;
use steadfast::sops::{Format, NewFile, OpenedFile, Selector, SelectorRule};
use steadfast_fuzz::recipient;

libfuzzer_sys::fuzz_target!(|text: &str| {
    let (regex, path) = text.split_once('\n').unwrap_or((text, "secrets/a.yaml"));
    if let Ok(regex) = PathRegex::new(regex) {
        let _ = regex.matches(path);
    }
    let keys = recipient().into();
    let new = NewFile {
        selector: Selector {
            rule: SelectorRule::EncryptedRegex(regex.to_owned()),
            ..Selector::default()
        },
        ..NewFile::new(Format::Yaml, &keys)
    };
    let _ = OpenedFile::create(b"a: 1\n", &new);
});
