//! INI, as plain text and as a sealed file.
#![no_main]

use steadfast::sops::Format;

libfuzzer_sys::fuzz_target!(|text: &[u8]| {
    steadfast_fuzz::plain(Format::Ini, text);
    steadfast_fuzz::sealed(Format::Ini, text);
});
