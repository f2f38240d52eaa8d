//! The `sops` entry: the input is its body, below one value.
#![no_main]

use steadfast::sops::Format;

libfuzzer_sys::fuzz_target!(|body: &[u8]| {
    let mut text = b"a: 1\nsops:\n".to_vec();
    text.extend_from_slice(body);
    steadfast_fuzz::sealed(Format::Yaml, &text);
});
