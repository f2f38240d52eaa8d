//! Public keys: known_hosts lines, ssh-keyscan's output, recipients.
#![no_main]

use steadfast::identity::{HostPublicKey, Recipient};

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Ok(key) = HostPublicKey::find(text) {
        let again = HostPublicKey::find(&key.openssh()).expect("what was printed is read");
        assert_eq!(key, again);
        Recipient::parse(&key.age_recipient()).expect("a converted key is a recipient");
    }
    if let Ok(recipient) = Recipient::parse(text) {
        assert_eq!(recipient.as_str(), text.trim());
        let _ = recipient.key();
        let _ = recipient.short();
        let _ = recipient.wrap(&[7; 32]);
    }
});
