//! Armored age files, as a recipient's `enc` holds them.
#![no_main]

libfuzzer_sys::fuzz_target!(|armored: &str| {
    let _ = steadfast_fuzz::identities().unwrap(armored);
});
