//! Key paths, as the command line takes them.
#![no_main]

use steadfast::secrets::KeyPath;

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Ok(path) = text.parse::<KeyPath>() {
        assert!(!path.keys().is_empty());
        let _ = path.to_string();
    }
});
