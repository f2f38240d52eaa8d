//! Wrong host files, and what is said about them.

mod inputs;
mod language;
mod network;
mod order;
pub(super) mod support;
mod system;
mod wrong;

use std::collections::BTreeMap;

use proptest::strategy::Strategy;

use super::*;
use crate::source::{RepoPath, Snapshot};

fn snapshot(host: &str) -> Snapshot {
    let mut files: BTreeMap<RepoPath, Vec<u8>> = BTreeMap::new();
    for (path, text) in [
        ("hosts/web/host.yml", host),
        ("hosts/web/app.service", "[Service]\nExecStart=/bin/true\n"),
        ("hosts/web/etc/motd", "hello\n"),
        ("hosts/db-1/host.yml", "{}"),
        ("hosts/mail/host.yaml", "{}"),
        ("shared/base.conf", "base\n"),
        ("secrets/default.yml", "password: ENC[x]\n"),
    ] {
        files.insert(RepoPath::new(path).unwrap(), text.as_bytes().to_vec());
    }
    Snapshot::in_memory(files)
}

fn read(host: &str) -> Result<HostConfig, ConfigErrors> {
    resolve(&snapshot(host), &HostName::new("web").unwrap())
}

fn said(host: &str) -> String {
    match read(host) {
        Ok(config) => panic!("taken: {config:?}"),
        Err(errors) => format!(
            "{errors}\n\n{}",
            errors.excerpts(Colour::Plain).join("\n\n")
        ),
    }
}

/// One snapshot per wrong host file.
macro_rules! wrong {
    ($($name:ident: $text:expr;)*) => {
        $(#[test]
        fn $name() {
            insta::with_settings!({ omit_expression => true, description => $text }, {
                insta::assert_snapshot!(said($text));
            });
        })*
    };
}

wrong! {
    unknown_keys_name_the_nearest_one: "hostnme: web\nfiles:\n  /etc/motd: { txt: hello, colour: red }\n";
    duplicate_keys_name_both_places: "packages: [vim]\nfiles:\n  /etc/a: { text: a }\n  /etc/a: { text: b }\npackages: [curl]\n";
    values_of_the_wrong_type_say_what_was_found: "description: true\npackages: curl\nfiles: [/etc/motd]\nunits:\n  a.service: { enable: yes, start: 'true', mask: 1 }\nusers:\n  anna: { uid: 0x10, groups: { sudo: true } }\n  bert: { uid: -1 }\n  carl: { uid: 4294967295 }\n";
    tabs_are_not_indentation: "files:\n\t/etc/motd: { text: hello }\n";
    wrong_indentation_is_shown_where_it_is: "files:\n    /etc/a: { text: a }\n  /etc/b: { text: b }\n";
    a_second_document_is_refused: "hostname: web\n---\nhostname: db\n";
    merge_keys_are_refused: "files:\n  /etc/a: &a { text: a }\n  /etc/b:\n    <<: *a\n";
    an_unknown_alias_is_refused: "files:\n  /etc/a: *nowhere\n";
    later_features_are_named: "backend: nixos\n";
    paths_have_one_form: "files:\n  etc/motd: { text: a }\n  /etc//motd: { text: a }\n  /etc/../motd: { text: a }\ndirectories:\n  /srv/data/: {}\n";
    paths_of_others_are_refused_with_the_reason: "files:\n  /etc/shadow: { text: a }\n  /etc/machine-id: { text: a }\n  /run/secrets/x: { text: a }\n  /var/lib/steadfast/state.json: { text: a }\n  /etc/systemd/system/app.service: { text: a }\nsymlinks:\n  /proc/x: /srv\ndirectories:\n  /dev/shm/x: {}\n";
    content_is_said_once: "files:\n  /etc/a: { text: a, file: app.service }\n  /etc/b: { mode: '0644' }\n  /etc/c:\nunits:\n  b.service:\n    drop_ins:\n      10.conf: {}\n";
    modes_are_octal: "files:\n  /etc/a: { text: a, mode: rw-r--r-- }\n  /etc/b: { text: a, mode: 0888 }\n  /etc/c: { text: a, mode: 99999 }\n  /etc/d: { text: a, mode: true }\n";
    files_that_are_not_there_name_the_nearest: "files:\n  /etc/a: { file: ap.service }\n  /etc/b: { file: shared/base.conf }\n  /etc/c: { file: /app.service }\n  /etc/d: { file: ../db-1/host.yml }\n  /etc/e: { file: etc }\n  /etc/f: { file: quite/another/file }\n";
    words_are_one_of_a_few: "drift: enforced\nfiles:\n  /etc/a: { text: a, on_conflict: back-up, drift: reports }\nplatform: { arch: x86-64, os: Debian }\n";
    names_are_checked: "packages: [Curl, x, curl, curl]\nusers:\n  Anna: {}\n  1st: {}\ngroups:\n  'a b': {}\nunits:\n  nginx: { start: true }\nsecrets:\n  a//b: {}\n  rendered/x: {}\nhostname: Web_1\ntimezone: ../../etc/passwd\nsysctls: { net/ipv4/ip_forward: 1, a b: 1 }\n";
    units_say_something_that_goes_together: "units:\n  a.service:\n  b.service: { mask: true, file: app.service }\n  c.service: { mask: true, start: true }\n  d@.service: { start: true }\n  e.device: { text: '' }\n  f.service: { drop_ins: { limits: { text: '' }, ../x.conf: { text: '' } } }\n";
    triggers_name_units: "files:\n  /etc/a: { text: a, units: { restart: nginx.service, reload: [nginx], restarts: [] } }\n  /etc/b: { text: a, units: { restart: [worker@.service] } }\n";
    secrets_say_where_they_are: "secrets:\n  a: { file: secrets/default.yml }\n  b: { file: /secrets/other.yml }\n  c: { key: a//b }\n  d: { key: [] }\n  e: { optional: maybe, mod: '0400' }\nfiles:\n  /etc/a: { text: 'password={{ secret(\"a\") }}' }\n";
    credentials_are_for_services_each_by_its_own_name: "users: { ketan: }\nunits:\n  b.service: { mask: true }\nsecrets:\n  database/password: { credentials: { a.timer: x, a@.service: x, b.service: x, c.service: a/b, d.service: x } }\n  users/ketan: { credentials: { d.service: x, E.servce: x } }\nhome:\n  ketan:\n    secrets: { database/password: { credentials: { f.service: x } } }\n";
    accounts_fit_the_passwd_file: "users:\n  anna: { description: 'a:b', home: home/anna, shell: '/bin/sh:x' }\n  bert: { password_hash: '$6$abcdefgh$abcdefgh', password_secret: pw }\n  carl: { ssh_keys: ['ssh-ed25519 nonsense', not a key] }\n  dora: { system: true, ssh_keys: ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIvRj2f8PQWNdMcWeQl5ZVqdMuO5bAmiGnDUOMRJqSyD'] }\n";
    a_password_in_clear_is_not_printed: "users:\n  anna:\n    password_hash: hunter2\n";
    checks_ask_one_thing: "health:\n  - unit: nginx\n  - { http: 127.0.0.1, status: 99 }\n  - { tcp: localhost, status: 200 }\n  - { command: nginx -t }\n  - { command: [] }\n  - { file: motd, mode: 7 }\n  - { unit: a.service, tcp: 'a:1' }\n  - { within: 3s }\n  - nginx.service\n";
    durations_say_their_unit: "health:\n  - { unit: a.service, within: 30 }\n  - { unit: a.service, within: 0s }\n  - { unit: a.service, within: 2d }\n";
    texts_that_are_not_text: "hostname:\ntimezone: \"a\\nb\"\nsymlinks:\n  /etc/a: {}\n  /etc/b: [x]\n  /etc/c:\n";
    keys_must_be_text: "files:\n  ? [a, b]\n  : text\n";
}

#[test]
fn a_host_that_is_not_there_names_those_that_are() {
    let snapshot = snapshot("{}");
    let said = |name: &str| {
        let errors = resolve(&snapshot, &HostName::new(name).unwrap()).unwrap_err();
        errors.excerpts(Colour::Plain).join("\n")
    };
    insta::assert_snapshot!([said("wbe"), said("mail"), said("chicago")].join("\n\n"));
    assert_eq!(
        hosts(&snapshot),
        ["db-1", "web"].map(|name| HostName::new(name).unwrap())
    );
}

#[test]
fn a_file_of_nothing_but_errors_is_not_printed_without_end() {
    let wrong: Vec<String> = (0..20_000).map(|n| format!("key{n}: x\n")).collect();
    let errors = read(&wrong.concat()).unwrap_err();
    assert_eq!(errors.errors().len(), 201);
    let last = errors.excerpts(Colour::Plain).pop().unwrap();
    assert!(last.contains("19800 more errors are not shown"), "{last}");
}

#[test]
fn colours_are_only_there_when_asked_for() {
    let errors = read("hostnme: web\n").unwrap_err();
    assert!(!errors.excerpts(Colour::Plain)[0].contains('\u{1b}'));
    assert!(errors.excerpts(Colour::Ansi)[0].contains('\u{1b}'));
}

#[test]
fn places_beyond_the_text_do_no_harm() {
    let file = RepoPath::new("hosts/web/host.yml").unwrap();
    for (line, column, length) in [
        (99, 1, 1),
        (1, 99, 3),
        (0, 0, 0),
        (1, 3, usize::MAX),
        (2, 1, 9),
    ] {
        let origin = Origin {
            file: file.clone(),
            line,
            column,
        };
        let error = ConfigError::new("wrong").at(Mark { origin, length });
        let sources = BTreeMap::from([(file.clone(), "ä: ö\nß".to_owned())]);
        let errors = ConfigErrors::from_run(vec![error], sources).unwrap();
        assert!(errors.excerpts(Colour::Plain)[0].contains("wrong"));
    }
}

#[test]
fn what_is_written_is_what_is_meant() {
    let config = read(
        r#"
description: a host
platform: { os: debian, version: 13, arch: arm64 }
drift: enforce
sysctls: { kernel.panic: 010 }
groups: { a: , b: { gid: 12, system: true } }
users: { anna: }
files:
  /etc/motd: { file: etc/motd, mode: 0640, group: adm }
  /etc/base: { file: /shared/base.conf, on_conflict: adopt, drift: report }
directories: { /srv/x: }
symlinks: { /etc/l: ../x }
secrets:
  password:
  deep/name: { file: /secrets/default.yml, key: [a/b, c], mode: "0440", units: { restart: [a.service] } }
templates:
  app.env: { text: 'P={{ secret("password") }}', owner: anna }
health:
  - tcp: "[::1]:80"
  - { command: [/bin/true, 1], within: 250ms, required: false }
  - { file: /etc/motd, mode: "0640", contains: hello }
"#,
    )
    .unwrap_or_else(|errors| panic!("{}", errors.excerpts(Colour::Plain).join("\n")));
    insta::assert_debug_snapshot!(config);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(400))]

    /// Whatever stands in a file of the repository, reading it ends with a configuration or with errors that can be
    /// printed.
    #[test]
    fn no_text_makes_the_reader_fail(
        pieces in proptest::collection::vec(
            proptest::prop_oneof![
                proptest::sample::select(vec![
                    "files:", "units:", "health:", "users:", "secrets:", "\n", "\n  ", "\n    ", " - ", ": ", "{", "}",
                    "[", "]", ", ", "text", "file", "mode: ", "enable: ", "true", "0644", "&a ", "*a", "<<", "|\n", "\"",
                    "'", "/etc/motd", "a.service", "\t", "# x", "---", "!!str ", "? ", "~", "within: 3s",
                ]).prop_map(str::to_owned),
                "\\PC{0,6}",
            ],
            0..40,
        )
    ) {
        if let Err(errors) = read(&pieces.concat()) {
            for excerpt in errors.excerpts(Colour::Plain) {
                assert!(!excerpt.is_empty());
            }
        }
    }
}
