//! Private keys as people have them: age identity files and SSH keys. A file of no key must be refused, not opened.
#![no_main]

use std::path::Path;

use steadfast::identity::Identities;

libfuzzer_sys::fuzz_target!(|text: &[u8]| {
    if let Ok(identities) = Identities::of_text(&text.to_vec().into(), Path::new("key")) {
        let _ = identities.names();
        let _ = identities.recipients().count();
    }
});
