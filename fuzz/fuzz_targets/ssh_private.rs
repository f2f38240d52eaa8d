//! SSH private keys, as a host has them.
#![no_main]

use std::path::Path;

use steadfast::identity::{HostKey, Identities};

libfuzzer_sys::fuzz_target!(|text: &[u8]| {
    if let Ok(key) = HostKey::parse(text, Path::new("key")) {
        assert_eq!(Identities::of_host(&key).recipients().count(), 2);
        assert!(key.age_recipient().starts_with("age1"));
    }
});
