//! The machine as a whole: what is taken, and what is said about the rest.

use super::support::{said, web};
use crate::config::{Located, PackageConfig};

/// What is said about a wrong host file.
fn said_of(host: &str) -> String {
    said(&[("hosts/web/host.yml", host), ("hosts/web/k.asc", "k\n")])
}

#[test]
fn language_keyboard_and_names_say_what_is_wrong_with_them() {
    insta::assert_snapshot!(said_of(
        r#"
locale: { generate: [de_DE, en_US.utf8, german], settings: { LC_ALL: C, LC_TIME: de_DE.UTF-8@, LC_TIMES: C } }
keymap: { layouts: us, variant: "in tl" }
kernel_modules: [kvm-amd, nct6775.ko, loop max_loop=4, kvm-amd]
hosts: { nas: 10.0.0.2, 10.0.0.3: [], "::1": [lo], "0:0::1": [lo], 10.0.0.4: { a: b } }
resolv: { nameservers: [dns.example.org, 1.1.1.1, 1.0.0.1, 8.8.8.8, 8.8.4.4], search: ["a b"], options: [edns0;] }
"#
    ));
    insta::assert_snapshot!(said_of("resolv:\nlocale: de_DE\nkeymap: [us]\n"));
}

#[test]
fn packages_and_their_repositories_say_what_is_wrong_with_them() {
    insta::assert_snapshot!(said_of(
        r#"
packages: [curl, { name: curl }, { name: curl, hold: true }, { hold: true }, { name: vim, held: true }]
apt:
  repositories:
    Docker: { uris: [], suites: [], signed_by: keyring }
    flat: { uris: ["https://a.example/x"], suites: [./], components: [main], key: k.asc }
    plain: { uris: [a.example], suites: [stable], key: k.asc }
    both: { types: [rpm], uris: ["https://me:secret@a.example/x"], suites: [stable], components: [main], key: k.asc, signed_by: /k }
    none: { uris: ["https://a.example/x"], suites: [stable], components: [main] }
  pins:
    - { packages: [a], priority: 0, version: 1.* }
    - { packages: [], priority: 99999, version: 1.*, release: a=stable }
    - { packages: "*" }
"#
    ));
}

#[test]
fn accounts_say_what_is_wrong_with_their_further_fields() {
    insta::assert_snapshot!(said_of(
        r"
users:
  anna: { expires: 2027-02-30, subids: { start: 1000 }, admin: yes, linger: 1 }
  bert: { expires: 1970-01-02, subids: { start: 4294900000, count: 65536 } }
  carl: { expires: 2027-12-31T10:00, subids: { count: 10 } }
"
    ));
}

#[test]
fn what_a_platform_lacks_is_refused_with_the_reason() {
    insta::assert_snapshot!(said_of(
        "platform: { os: fedora }\nlocale: en_US.UTF-8\nkeymap: us\napt:\n  pins: [{ packages: [a], version: 1, priority: 1 }]\n"
    ));
    for os in ["debian", "ubuntu", "raspbian"] {
        let host = format!("platform: {{ os: {os} }}\nlocale: en_US.UTF-8\n");
        assert!(
            web(&[("hosts/web/host.yml", &host)])
                .config
                .locale
                .is_some()
        );
    }
}

#[test]
fn a_package_is_held_if_one_of_those_who_ask_for_it_says_so() {
    let resolution = web(&[
        (
            "modules/a/module.yml",
            "config: { packages: [docker-ce, vim] }\n",
        ),
        (
            "modules/b/module.yml",
            "config: { packages: [{ name: docker-ce, hold: true }] }\n",
        ),
        (
            "hosts/web/host.yml",
            "modules: { a: , b: }\npackages: [docker-ce]\n",
        ),
    ]);
    let packages: Vec<(String, PackageConfig)> = resolution
        .config
        .packages
        .iter()
        .map(|(name, Located { value, .. })| (name.to_string(), *value))
        .collect();
    assert_eq!(
        packages,
        [
            ("docker-ce".to_owned(), PackageConfig { hold: true }),
            ("vim".to_owned(), PackageConfig { hold: false })
        ]
    );
}

#[test]
fn a_password_in_the_address_of_a_repository_is_not_printed() {
    let said = said_of(
        "apt: { repositories: { a: { uris: ['https://me:hunter2@a.example/'], suites: [./], key: k.asc } } }\n",
    );
    assert!(said.contains("could be read by everybody"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
}
