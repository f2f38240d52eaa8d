//! Regular expressions of rules and selectors: the first line is the expression, the rest is searched.
#![no_main]

use steadfast::sops::Pattern;

libfuzzer_sys::fuzz_target!(|text: &str| {
    let (pattern, text) = text.split_once('\n').unwrap_or((text, "secrets/a.yaml"));
    if let Ok(pattern) = Pattern::new(pattern) {
        let _ = pattern.is_match(text);
    }
});
