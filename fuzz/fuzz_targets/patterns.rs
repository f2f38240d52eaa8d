//! Regular expressions of rules and selectors: the first line is the expression, the rest is searched.
#![no_main]

use steadfast::sops::Pattern;
use steadfast::sops::{Format, NewFile, OpenedFile, Selector, SelectorRule};
use steadfast_fuzz::recipient;

libfuzzer_sys::fuzz_target!(|text: &str| {
    let (regex, path) = text.split_once('\n').unwrap_or((text, "secrets/a.yaml"));
    if let Ok(regex) = Pattern::new(regex) {
        let _ = regex.is_match(path);
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
