use super::*;
use crate::config::{HostName, resolve};
use crate::generation::build;
use crate::source::{RepoPath, Snapshot};

fn manifest(host: &str) -> Manifest {
    let path = RepoPath::new("hosts/web/host.yml").unwrap();
    let snapshot = Snapshot::in_memory([(path, host.as_bytes().to_vec())].into());
    let config = resolve(&snapshot, &HostName::new("web").unwrap()).unwrap();
    build(&config, &snapshot).unwrap().manifest
}

fn lines(from: &str, to: &str) -> String {
    let changes = diff(&manifest(from), &manifest(to));
    let lines: Vec<String> = changes.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

#[test]
fn each_difference_is_one_readable_line() {
    let from = r#"
hostname: one
sysctls: { vm.swappiness: 10, kernel.panic: 1 }
packages: [curl, vim]
groups: { deploy: {} }
users: { anna: { uid: 1000, groups: [sudo, adm], password_hash: "$6$abcdefgh$abcdefgh" } }
files:
  /etc/a: { text: a, mode: 0644 }
  /etc/b: { text: b }
  /etc/c: { text: c, units: { restart: [c.service] } }
symlinks: { /etc/l: /srv }
units: { a.service: { enable: true, start: true }, b.service: { start: true } }
health: [{ unit: a.service }]
"#;
    let to = r#"
drift: enforce
hostname: two
sysctls: { vm.swappiness: 20 }
packages: [curl, nano]
groups: { deploy: { gid: 1200 } }
users: { anna: { groups: [sudo, dialout], shell: /bin/zsh, password_hash: "$6$abcdefgh$ijklmnop" }, bert: }
files:
  /etc/a: { text: aa, mode: 0600, owner: anna, drift: report }
  /etc/c: { text: c, drift: report, units: { reload: [c.service] } }
directories: { /etc/b: {} }
symlinks: { /etc/l: { target: /opt, drift: report } }
units: { a.service: { enable: false, drift: report }, b.service: { start: true, drift: report } }
health: [{ unit: a.service, within: 1m }]
"#;
    insta::assert_snapshot!(lines(from, to));
}

#[test]
fn mounts_and_validators_differ_in_what_they_say() {
    let mounts = |what: &str, rest: &str| {
        format!("mounts: {{ /srv/a: {{ what: {what}, type: ext4, options: [ro], {rest} }} }}")
    };
    let mounted = lines(
        &mounts("/dev/sda1", ""),
        &mounts("/dev/sdb1", "nofail: true"),
    );
    assert!(
        mounted.contains("~ mount /srv/a: what /dev/sda1 → /dev/sdb1, options ro → ro,nofail"),
        "{mounted}"
    );
    let file = |argv: &str| {
        format!("files: {{ /etc/a: {{ text: a, validate: [{argv}, \"{{file}}\"] }} }}")
    };
    assert_eq!(
        lines(&file("test, -s"), &file("grep, a")),
        "~ validator /etc/a: test -s {file} → grep a {file}"
    );
}

#[test]
fn a_manifest_does_not_differ_from_itself() {
    assert_eq!(lines("hostname: a\n", "hostname: a # the same\n"), "");
}
