//! `.sops.yaml`, and which rule it gives for a few files.
#![no_main]

use std::path::Path;

use steadfast::secrets::Rules;
use steadfast::source::RepoPath;

libfuzzer_sys::fuzz_target!(|text: &str| {
    let Ok(rules) = Rules::parse(text, Path::new(".sops.yaml")) else {
        return;
    };
    for file in ["secrets/a.yaml", "hosts/web/secrets/db.enc.json", "x.env"] {
        let file = RepoPath::new(file).expect("the constant is a path");
        if let Some(rule) = rules.rule_for(&file) {
            assert!(rule.covers(&file));
            let _ = rule.selector();
        }
        for recipient in rules.keys_of(&file).iter().flat_map(|keys| keys.recipients()) {
            let _ = rules.names().name_of(recipient);
        }
    }
});
