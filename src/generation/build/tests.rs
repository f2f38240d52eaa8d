use std::collections::BTreeMap;

use super::*;
use crate::config::{Colour, HostName, resolve};
use crate::generation::{OnChange, PathKind};
use crate::host::HostPath;
use crate::source::RepoPath;

mod network;
mod system;

fn snapshot(files: &[(&str, &str)]) -> Snapshot {
    let files = files
        .iter()
        .map(|(path, text)| (RepoPath::new(*path).unwrap(), text.as_bytes().to_vec()))
        .collect();
    Snapshot::in_memory(files)
}

fn try_build(host: &str, files: &[(&str, &str)]) -> Result<Built, ConfigErrors> {
    let mut all = vec![("hosts/web/host.yml", host)];
    all.extend_from_slice(files);
    let snapshot = snapshot(&all);
    let config = resolve(&snapshot, &HostName::new("web").unwrap())?;
    build(&config, &snapshot)
}

pub(super) fn built(host: &str, files: &[(&str, &str)]) -> Built {
    try_build(host, files)
        .unwrap_or_else(|errors| panic!("{}", errors.excerpts(Colour::Plain).join("\n")))
}

pub(super) fn errors(host: &str, files: &[(&str, &str)]) -> String {
    match try_build(host, files) {
        Ok(built) => panic!("built {:?}", built.manifest),
        Err(errors) => errors.excerpts(Colour::Plain).join("\n\n"),
    }
}

/// `path → what is there`, one line each.
pub(super) fn paths(built: &Built) -> Vec<String> {
    built
        .manifest
        .paths
        .iter()
        .map(|(path, entry)| match &entry.kind {
            PathKind::File {
                owner, group, mode, ..
            } => format!("{path} file {owner}:{group} {mode} {:?}", entry.on_conflict),
            PathKind::Directory { owner, group, mode } => {
                format!("{path} dir {owner}:{group} {mode} {:?}", entry.on_conflict)
            }
            PathKind::Symlink { target } => format!("{path} -> {target} {:?}", entry.on_conflict),
        })
        .collect()
}

pub(super) fn text_of(built: &Built, path: &str) -> String {
    match &built.manifest.paths[&HostPath::new(path).unwrap()].kind {
        PathKind::File { content, .. } => {
            String::from_utf8(built.objects[content].clone()).unwrap()
        }
        other => panic!("{other:?}"),
    }
}

const FULL: &str = r#"
description: application server
platform: { os: debian, version: "13", arch: amd64 }
drift: enforce
hostname: web
timezone: Europe/Berlin
sysctls:
  vm.swappiness: 10
  net.ipv4.ip_forward: 1
packages: [curl, nfs-common]
groups:
  deploy: { gid: 1200 }
users:
  ketan:
    uid: 1500
    group: deploy
    groups: [sudo]
    ssh_keys:
      - ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIvRj2f8PQWNdMcWeQl5ZVqdMuO5bAmiGnDUOMRJqSyD ketan@laptop
  root:
    ssh_keys: []
files:
  /etc/motd: { text: "hello\n" }
  /home/ketan/notes: { file: notes.txt, owner: ketan, mode: 0600, on_conflict: backup, drift: report }
  /srv/shared: { file: /shared/base, units: { restart: [app.service], reload: [nginx.service] } }
directories:
  /var/lib/app: { owner: ketan, mode: "0750" }
symlinks:
  /usr/local/bin/vi: /usr/bin/vim
  /etc/alt: { target: ../srv, on_conflict: adopt }
units:
  app.service:
    file: app.service
    enable: true
    start: true
    drop_ins:
      10-limits.conf: { text: "[Service]\nLimitNOFILE=1024\n" }
  nginx.service:
    enable: true
    drop_ins: { slow.conf: { text: "[Service]\nX-ReloadIfChanged=true\n" } }
  backup@home.timer: { file: backup.timer, enable: true, start: true }
  backup@srv.timer: { file: backup.timer, enable: true }
  apt-daily.timer: { mask: true }
  ssh.service: { start: true }
health:
  - unit: app.service
  - { http: "http://127.0.0.1:8080/healthz", within: 1m30s, required: false }
"#;

const FULL_FILES: [(&str, &str); 4] = [
    ("hosts/web/notes.txt", "remember\n"),
    ("shared/base", "base\n"),
    (
        "hosts/web/app.service",
        "[Unit]\nDescription=app\n[Service]\nExecStart=/bin/true\nX-StopIfChanged=no\n[Install]\nWantedBy=multi-user.target\nAlias=application.service\n",
    ),
    (
        "hosts/web/backup.timer",
        "[Timer]\nOnCalendar=daily\n[Install]\nWantedBy=timers.target backup-%i.target\n",
    ),
];

#[test]
fn everything_on_disk_is_a_path_with_its_owner_mode_and_policy() {
    let built = built(FULL, &FULL_FILES);
    insta::assert_snapshot!(paths(&built).join("\n"));
    assert_eq!(text_of(&built, "/etc/hostname"), "web\n");
    assert_eq!(text_of(&built, "/etc/timezone"), "Europe/Berlin\n");
    assert!(
        text_of(&built, "/etc/sysctl.d/60-steadfast.conf")
            .ends_with("net.ipv4.ip_forward = 1\nvm.swappiness = 10\n")
    );
}

#[test]
fn the_manifest_has_one_spelling() {
    let built = built(FULL, &FULL_FILES);
    let text = String::from_utf8(built.manifest.canonical()).unwrap();
    let back: crate::generation::Manifest = serde_json::from_str(&text).unwrap();
    assert_eq!(back, built.manifest);
    assert_eq!(back.digest(), built.digest);
    let pretty = serde_json::to_string_pretty(&built.manifest).unwrap();
    insta::assert_snapshot!(pretty);
}

#[test]
fn the_digest_depends_on_what_is_said_and_not_on_how_or_where() {
    let one = built(FULL, &FULL_FILES);
    let commented = format!(
        "# a comment\n{}",
        FULL.replace("[curl, nfs-common]", "\n  - nfs-common\n  - curl")
    );
    let mut reversed = FULL_FILES.to_vec();
    reversed.reverse();
    reversed.push(("hosts/other/host.yml", "{}"));
    let two = built(&commented, &reversed);
    assert_eq!(one.digest, two.digest);
    assert_ne!(one.origins, two.origins);
    let three = built(&FULL.replace("hello", "hallo"), &FULL_FILES);
    assert_ne!(one.digest, three.digest);
}

#[test]
fn every_resource_knows_where_it_was_written() {
    let built = built(FULL, &FULL_FILES);
    let lines: BTreeMap<&str, u32> = built
        .origins
        .iter()
        .map(|(resource, origin)| (resource.as_str(), origin.line))
        .collect();
    for (resource, line) in [
        ("file /etc/motd", 23),
        ("package curl", 10),
        ("user ketan", 14),
        ("unit app.service", 32),
        ("symlink /etc/systemd/system/apt-daily.timer", 43),
        ("check 2", 47),
    ] {
        assert_eq!(lines.get(resource), Some(&line), "{resource}: {lines:?}");
    }
}

#[test]
fn units_are_defined_by_their_files_and_say_what_a_change_asks_for() {
    let built = built(FULL, &FULL_FILES);
    let unit = |name: &str| &built.manifest.units[&name.parse().unwrap()];
    let definition = |name: &str| -> Vec<String> {
        unit(name)
            .definition
            .iter()
            .map(|path| path.as_str().replace("/etc/systemd/system/", ""))
            .collect()
    };
    assert_eq!(
        definition("app.service"),
        ["app.service", "app.service.d/10-limits.conf"]
    );
    assert_eq!(definition("backup@home.timer"), ["backup@.timer"]);
    assert_eq!(definition("nginx.service"), ["nginx.service.d/slow.conf"]);
    assert_eq!(definition("apt-daily.timer"), Vec::<String>::new());
    assert_eq!(unit("app.service").on_change, OnChange::Restart);
    assert_eq!(unit("nginx.service").on_change, OnChange::Reload);
    assert_eq!(unit("app.service").enable, None, "links enable it");
    assert_eq!(unit("nginx.service").enable, Some(true));
    assert_eq!(unit("ssh.service").start, Some(true));
}

#[test]
fn a_template_of_ours_defines_its_instances_and_enables_its_default_one() {
    let template =
        "[Timer]\nOnCalendar=daily\n[Install]\nWantedBy=timers.target\nDefaultInstance=all\n";
    let built = built(
        "units:\n  b@.timer: { file: b.timer, enable: true }\n  b@x.timer: { start: true, drop_ins: { a.conf: { text: '' } } }\n",
        &[("hosts/web/b.timer", template)],
    );
    assert_eq!(
        paths(&built),
        [
            "/etc/systemd/system/b@.timer file root:root 0644 Refuse",
            "/etc/systemd/system/b@x.timer.d/a.conf file root:root 0644 Refuse",
            "/etc/systemd/system/timers.target.wants/b@all.timer -> ../b@.timer Backup",
        ]
    );
    let instance = &built.manifest.units[&"b@x.timer".parse().unwrap()];
    assert_eq!(instance.definition.len(), 2);
}

#[test]
fn units_named_in_also_are_enabled_with_it() {
    let built = built(
        "units:\n  a.service: { file: a.service, enable: true }\n  a.socket: { file: a.socket }\n",
        &[
            ("hosts/web/a.service", "[Install]\nAlso=a.socket\n"),
            (
                "hosts/web/a.socket",
                "[Install]\nWantedBy=sockets.target\nAlso=a.service\n",
            ),
        ],
    );
    assert!(
        paths(&built)
            .iter()
            .any(|line| line.starts_with("/etc/systemd/system/sockets.target.wants/a.socket"))
    );
}

#[test]
fn entries_that_contradict_each_other_name_both_places() {
    let found = errors(
        "hostname: web\nfiles:\n  /etc/hostname: { text: x }\n  /srv/a: { text: x }\n  /srv/a/b/c: { text: x }\nsymlinks:\n  /opt/l: /srv\ndirectories:\n  /opt/l/d: {}\n",
        &[],
    );
    insta::assert_snapshot!(found);
}

#[test]
fn unit_files_that_cannot_do_what_is_asked_are_errors() {
    let found = errors(
        r#"units:
  a.service: { file: a.service, enable: true }
  b.service: { file: b.service, enable: true }
  c@.service: { file: c.service, enable: true }
  d.service: { file: d.service, enable: true }
  e.service: { text: "[Unit]\nwhat\n" }
  f.service: { file: f.service }
  g@1.service: { text: "[Install]\nAlias=h.service\n", enable: true }
"#,
        &[
            ("hosts/web/a.service", "[Service]\nExecStart=/bin/true\n"),
            ("hosts/web/b.service", "[Install]\n"),
            (
                "hosts/web/c.service",
                "[Install]\nWantedBy=multi-user.target\n",
            ),
            (
                "hosts/web/d.service",
                "[Install]\nWantedBy=multi-user %H.target\n",
            ),
            ("hosts/web/f.service", "[Unit]\n\nExecStart /bin/true\n"),
        ],
    );
    insta::assert_snapshot!(found);
}

#[test]
fn accounts_keep_ids_apart_and_name_declared_secrets() {
    let found = errors(
        "users:\n  a: { uid: 1000 }\n  b: { uid: 1000, password_secret: pw/b }\n",
        &[],
    );
    insta::assert_snapshot!(found);
}

pub(super) const SEALED: &str = r#"db:
    password: ENC[AES256_GCM,data:cGFzcw==,iv:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=,tag:MDEyMzQ1Njc4OWFiY2RlZg==,type:str]
    user_unencrypted: app
token: ENC[AES256_GCM,data:dG9rZW4=,iv:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=,tag:MDEyMzQ1Njc4OWFiY2RlZg==,type:str]
sops:
    age:
        - recipient: age1lzd99uklcjnc0e7d860axevet2cz99ce9pq6tzuzd05l5nr28ams36nvun
          enc: |
            -----BEGIN AGE ENCRYPTED FILE-----
            YWdl
            -----END AGE ENCRYPTED FILE-----
    lastmodified: "2026-11-01T00:00:00Z"
    mac: ENC[AES256_GCM,data:bWFj,iv:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=,tag:MDEyMzQ1Njc4OWFiY2RlZg==,type:str]
    unencrypted_suffix: _unencrypted
    version: 3.11.0
"#;

#[test]
fn secrets_are_their_ciphertext_and_templates_their_segments() {
    let host = r"
users: { ketan: { password_secret: token } }
secrets:
  db/password: { owner: ketan, units: { restart: [app.service] } }
  token: { mode: 0440, optional: true }
templates:
  app.env: { file: app.env, owner: ketan }
";
    let files = [
        ("secrets/default.yml", SEALED),
        (
            "hosts/web/app.env",
            "P={{ secret(\"db/password\") }}\nT={{ secret(\"token\") }}\n",
        ),
    ];
    let one = built(host, &files);
    let pretty = serde_json::to_string_pretty(&(
        &one.manifest.secrets,
        &one.manifest.templates,
        &one.manifest.secret_files,
    ));
    insta::assert_snapshot!(pretty.unwrap());
    let sealed = &one.manifest.secret_files[&RepoPath::new("secrets/default.yml").unwrap()];
    assert_eq!(one.objects[sealed], SEALED.as_bytes());

    let changed = SEALED.replace("cGFzcw==", "cGFzdw==");
    let two = built(host, &[("secrets/default.yml", &changed), files[1]]);
    let ciphertexts = |built: &Built| -> Vec<String> {
        let secrets = built.manifest.secrets.values();
        secrets.map(|secret| secret.ciphertext.clone()).collect()
    };
    let (before, after) = (ciphertexts(&one), ciphertexts(&two));
    assert_ne!(before[0], after[0], "the value that changed");
    assert_eq!(before[1], after[1], "its neighbour");
}

#[test]
fn secrets_that_cannot_be_what_is_said_are_errors() {
    let found = errors(
        r#"
secrets:
  db/pasword:
  db:
  token: { key: db/user_unencrypted }
  missing/entirely:
  other: { file: /secrets/plain.yml }
  third: { file: /secrets/plain.yml }
templates:
  a: { text: '{{ secret("nowhere") }} {{ secret("token") }}' }
"#,
        &[
            ("secrets/default.yml", SEALED),
            ("secrets/plain.yml", "password: in clear\n"),
        ],
    );
    insta::assert_snapshot!(found);
}

/// The first YAML block of the manual page, as a reader would copy it.
fn example_of_the_manual() -> &'static str {
    let manual = include_str!("../../../docs/repository.md");
    let (_, example) = manual.split_once("```yaml\n").unwrap();
    example.split_once("```").unwrap().0
}

#[test]
fn the_example_of_the_manual_builds() {
    let backups = SEALED.replace("db:\n    password", "restic:\n    password");
    let default = SEALED
        .replace("db:\n", "database:\n")
        .replace("token:", "users:\n    ketan:");
    let unit = "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n";
    let timer = "[Timer]\nOnCalendar=daily\n[Install]\nWantedBy=timers.target\n";
    let built = built(
        example_of_the_manual(),
        &[
            ("hosts/web/app.conf", "listen 80\n"),
            (
                "hosts/web/keys/docker.asc",
                "-----BEGIN PGP PUBLIC KEY BLOCK-----\n",
            ),
            ("hosts/web/rules.conf", "rule\n"),
            ("hosts/web/rules.nft", "table inet filter { }\n"),
            ("hosts/web/ollama.container", "[Container]\nImage=ollama\n"),
            ("hosts/web/app.service", unit),
            ("hosts/web/backup.service", unit),
            ("hosts/web/backup.timer", timer),
            ("hosts/web/nginx-slow.conf", "[Service]\n"),
            (
                "modules/server/module.yml",
                "config: { packages: [htop] }\n",
            ),
            (
                "modules/backup/module.yml",
                "options: { schedule: { type: array } }\n",
            ),
            ("shared/sshd.conf", "PasswordAuthentication no\n"),
            ("secrets/default.yml", &default),
            ("secrets/backups.yml", &backups),
            (
                "secrets/site.key",
                include_str!("../../../tests/vectors/generated/binary.bin"),
            ),
            (
                "secrets/app.json",
                include_str!("../../../tests/vectors/generated/types.json"),
            ),
        ],
    );
    assert_eq!(built.manifest.secrets.len(), 7);
    assert_eq!(built.manifest.health.len(), 5);
}
