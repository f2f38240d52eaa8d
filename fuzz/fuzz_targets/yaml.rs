//! YAML, as plain text and as a sealed file.
#![no_main]

use steadfast::sops::Format;

libfuzzer_sys::fuzz_target!(|text: &[u8]| {
    steadfast_fuzz::plain(Format::Yaml, text);
    steadfast_fuzz::sealed(Format::Yaml, text);
});
