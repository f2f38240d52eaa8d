//! What the keys about the machine as a whole become.

use super::{built, errors, text_of};
use crate::generation::build::Built;

const KEY: &str =
    "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQ\n-----END PGP PUBLIC KEY BLOCK-----\n";

const HOST: &str = r#"
hostname: web.example.org
locale: { lang: en_US.UTF-8, generate: [C.UTF-8, sr_RS.UTF-8@latin], settings: { LC_TIME: de_DE.UTF-8, LANGUAGE: "en:de" } }
keymap: { layout: "us,de", variant: "intl,", options: ["ctrl:nocaps"] }
kernel_modules: [nct6775, kvm-amd]
hosts:
  10.0.0.2: [nas, nas.lan]
  127.0.0.1: build.local
  "2001:db8::1": six
resolv: { nameservers: [10.0.0.1, "fe80::1"], search: [lan], options: [edns0, "timeout:1"] }
packages: [curl, { name: docker-ce, hold: true }]
apt:
  repositories:
    docker: { uris: ["https://download.docker.com/linux/debian"], suites: [bookworm], components: [stable], architectures: [amd64], key: docker.asc }
    flat: { types: [deb, deb-src], uris: ["file:/srv/packages"], suites: [./], signed_by: /usr/share/keyrings/own.gpg }
  pins:
    - { packages: [docker-ce, "docker-*"], version: "5:27.*", priority: 900 }
    - { packages: ["*"], release: "a=testing", priority: -1 }
users:
  ketan: { admin: true, linger: true, groups: [video], expires: 2027-12-31, subids: { start: 100000 } }
"#;

fn example() -> Built {
    built(HOST, &[("hosts/web/docker.asc", KEY)])
}

#[test]
fn the_machine_as_a_whole_is_files_as_programs_read_them() {
    let built = example();
    let texts: Vec<String> = built
        .manifest
        .paths
        .keys()
        .filter(|path| path.as_str() != "/etc/hostname")
        .map(|path| format!("== {path}\n{}", text_of(&built, path.as_str())))
        .collect();
    insta::assert_snapshot!(texts.join(""));
}

#[test]
fn what_is_not_a_file_has_a_place_of_its_own_in_the_manifest() {
    let manifest = example().manifest;
    insta::assert_debug_snapshot!((
        manifest.packages,
        manifest.holds,
        manifest.locales,
        manifest.kernel_modules,
        manifest.users
    ));
}

#[test]
fn a_host_without_these_keys_has_the_digest_that_it_had() {
    let text = String::from_utf8(built("hostname: web\n", &[]).manifest.canonical()).unwrap();
    for key in ["holds", "locales", "kernel_modules", "expires", "subids"] {
        assert!(!text.contains(key), "{text}");
    }
}

#[test]
fn a_declared_address_of_the_host_itself_is_its_address() {
    let built = built("hostname: web\nhosts: { 10.0.0.3: [web, web.lan] }\n", &[]);
    assert_eq!(
        text_of(&built, "/etc/hosts"),
        "# Written by steadfast from `hosts:` of the host file.\n10.0.0.3 web web.lan\n127.0.0.1 localhost\n\
         ::1 localhost ip6-localhost ip6-loopback\nff02::1 ip6-allnodes\nff02::2 ip6-allrouters\n"
    );
}

#[test]
fn keys_that_are_none_and_ids_that_are_shared_are_errors() {
    insta::assert_snapshot!(errors(
        r#"
apt: { repositories: { a: { uris: ["https://a.example"], suites: [./], key: page.html } } }
users:
  anna: { subids: { start: 100000 } }
  bert: { subids: { start: 165535, count: 10 } }
files:
  /etc/hosts: { text: "" }
hosts: { 10.0.0.1: a }
"#,
        &[("hosts/web/page.html", "<html>\n")],
    ));
}
