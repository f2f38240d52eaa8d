//! Whole repositories, and what is found in them.

use super::*;
use crate::config::Colour;
use crate::host::{StagedKind, StagedUnits, UnitComplaint, VerifyUnitsError};
use crate::source::RepoPath;

fn snapshot(files: &[(&str, &str)]) -> Snapshot {
    let files = files
        .iter()
        .map(|(path, text)| (RepoPath::new(*path).unwrap(), text.as_bytes().to_vec()))
        .collect();
    Snapshot::in_memory(files)
}

fn request() -> CheckRequest<'static> {
    CheckRequest {
        host: None,
        verifier: None,
        watcher: &|_| (),
    }
}

fn checked(files: &[(&str, &str)]) -> Checked {
    check(&snapshot(files), request())
}

fn messages(findings: &[Finding]) -> Vec<String> {
    findings
        .iter()
        .map(|finding| {
            let hosts: Vec<&str> = finding.hosts.iter().map(HostName::as_str).collect();
            format!("{} [{}]", finding.error, hosts.join(" "))
        })
        .collect()
}

#[test]
fn a_clean_repository_gives_a_digest_for_every_host() {
    let checked = checked(&[
        ("hosts/a/host.yml", "modules: { m: }\n"),
        ("hosts/b/host.yml", "modules: { m: }\n"),
        ("modules/m/module.yml", "config: { packages: [curl] }\n"),
    ]);
    assert!(checked.hosts.values().all(Option::is_some));
    assert_eq!((checked.errors, checked.warnings), (vec![], vec![]));
}

#[test]
fn what_several_hosts_have_is_said_once_with_their_names() {
    let checked = checked(&[
        ("hosts/a/host.yml", "modules: { m: }\n"),
        ("hosts/b/host.yml", "modules: { m: }\npackages: [Curl]\n"),
        (
            "hosts/c/host.yml",
            "units: { x.service: { text: '[Service]', enable: true } }\n",
        ),
        ("modules/m/module.yml", "config: { pakages: [curl] }\n"),
        ("modules/unused/module.yml", "options: { x: {} }\n"),
    ]);
    assert_eq!(
        messages(&checked.errors),
        [
            "hosts/b/host.yml:2:12: `Curl` is not a valid package name: must begin with a lower-case letter or a digit [b]",
            "hosts/c/host.yml:1:10: `x.service` cannot be enabled [c]",
            "modules/m/module.yml:1:11: `pakages` is not a key of `config` [a b]",
            "modules/unused/module.yml:1:15: an option says its `type` []",
        ]
    );
    assert!(checked.hosts.values().all(Option::is_none));
}

#[test]
fn hosts_with_one_key_and_modules_without_a_host_are_found() {
    let checked = checked(&[
        ("hosts/a/host.yml", "{}\n"),
        ("hosts/b/host.yml", "{}\n"),
        (
            "hosts/a/ssh_host_ed25519_key.pub",
            "ssh-ed25519 AAAAC3 root@a\n",
        ),
        (
            "hosts/b/ssh_host_ed25519_key.pub",
            "ssh-ed25519 AAAAC3 root@b\n",
        ),
        ("modules/m/module.yml", "{}\n"),
    ]);
    assert_eq!(
        messages(&checked.errors),
        ["hosts/b/ssh_host_ed25519_key.pub:1:1: two hosts have the same key []"]
    );
    assert_eq!(
        messages(&checked.warnings),
        ["modules/m/module.yml:1:1: no host has the module `m` on []"]
    );
    let shown = excerpts(&checked.warnings, &snapshot(&[]), Colour::Plain);
    assert!(shown[0].starts_with("warning: "));
}

const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIvRj2f8PQWNdMcWeQl5ZVqdMuO5bAmiGnDUOMRJqSyD";

#[test]
fn people_who_share_a_key_or_a_uid_or_cannot_log_in_are_warned_of() {
    let anna = format!("uid: 1500\nssh_keys:\n  - {KEY} anna@laptop\n");
    let bert = format!("uid: 1500   # as always\nssh_keys: [\"{KEY} bert@laptop\"]\n");
    let checked = checked(&[
        ("hosts/a/host.yml", "users: [anna]\n"),
        (
            "hosts/b/host.yml",
            "users:\n  bert:\n  carl: {}\n  dora: { shell: /usr/sbin/nologin }\n  erik: { system: true }\n  fred: { password_hash: '*' }\n",
        ),
        ("users/anna.yml", &anna),
        ("users/bert.yml", &bert),
    ]);
    assert_eq!(messages(&checked.errors), Vec::<String>::new());
    assert_eq!(
        messages(&checked.warnings),
        [
            "hosts/b/host.yml:2:3: nobody can log in as `bert` [b]",
            "hosts/b/host.yml:3:3: nobody can log in as `carl` [b]",
            "hosts/b/host.yml:6:3: nobody can log in as `fred` [b]",
            "users/bert.yml:1:1: two people have the uid 1500 []",
            "users/bert.yml:2:13: two people have the same key []",
        ]
    );
}

#[test]
fn files_that_nobody_reads_are_named_with_what_they_should_be_called() {
    let checked = checked(&[
        ("fleet.yaml", "{}\n"),
        (".sops.yml", "{}\n"),
        ("hosts/Web_1/host.yml", "{}\n"),
        ("hosts/a/host.yml", "{}\n"),
        ("hosts/b/host.yaml", "{}\n"),
        ("hosts/c/Host.yml", "{}\n"),
        ("hosts/d/notes.txt", "soon\n"),
        ("modules/x/modules.yml", "{}\n"),
        ("users/anna.yaml", "{}\n"),
        ("users/anna/key.txt", "{}\n"),
    ]);
    assert_eq!(
        messages(&checked.errors),
        [
            "`.sops.yml` is not read []",
            "`Web_1` is not a valid host name: may contain only lower-case letters, digits, `-` and `.` []",
            "`fleet.yaml` is not read []",
            "`hosts/b/host.yaml` is not read []",
            "`hosts/c/Host.yml` is not read []",
            "`modules/x/modules.yml` is not read []",
            "`users/anna.yaml` is not read []",
        ]
    );
    assert_eq!(messages(&checked.warnings), ["`hosts/d` is no host []"]);
}

#[test]
fn secrets_that_a_host_could_not_open_are_errors() {
    let sealed = std::fs::read_to_string("secrets/default.yml").unwrap();
    let rules = std::fs::read_to_string(".sops.yaml").unwrap();
    let demo = std::fs::read_to_string("hosts/demo/ssh_host_ed25519_key.pub").unwrap();
    let host = "description: x\nsecrets:\n  web/session_key: {}\n";
    let other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPMtHTwjtSPtVtpfe6W6GDZLUF21Keo4ysQaCyn25LQa root@other\n";
    let checked = checked(&[
        (".sops.yaml", &rules),
        ("secrets/default.yml", &sealed),
        ("hosts/demo/host.yml", host),
        ("hosts/demo/ssh_host_ed25519_key.pub", &demo),
        ("hosts/other/host.yml", host),
        ("hosts/other/ssh_host_ed25519_key.pub", other),
        ("hosts/stranger/host.yml", host),
    ]);
    assert_eq!(
        messages(&checked.errors),
        [
            "hosts/other/host.yml:3:3: other uses `web/session_key` from secrets/default.yml and cannot open it []",
        ]
    );
    // One whose key is still to come is on its way.
    assert_eq!(
        messages(&checked.warnings),
        ["hosts/stranger/host.yml:3:3: stranger uses secrets, and no key of it is known []"]
    );
}

#[test]
fn what_systemd_has_against_a_unit_is_shown_at_its_line() {
    let complaint = |about: &str, line, text: &str, fatal| UnitComplaint {
        about: about.to_owned(),
        line,
        text: text.to_owned(),
        fatal,
    };
    let asked = std::sync::Mutex::new(Vec::new());
    let verifier = |staged: &StagedUnits| {
        asked.lock().unwrap().push(staged.units.clone());
        Ok(vec![
            complaint(
                "app.service",
                Some(2),
                "Unknown key 'Afterr' in section [Unit], ignoring.",
                false,
            ),
            complaint(
                "app.service.d/10.conf",
                Some(2),
                "Unknown key 'Colour' in section [Service], ignoring.",
                false,
            ),
            complaint(
                "job@.service",
                Some(3),
                "Failed to parse boolean, ignoring: perhaps",
                false,
            ),
            complaint(
                "job@a.service",
                None,
                "Service has no ExecStart=. Refusing.",
                true,
            ),
        ])
    };
    let module = "config:\n  units:\n    app.service:\n      file: app.service\n      drop_ins:\n        10.conf:\n          text: |\n            [Service]\n            Colour=red\n";
    let snapshot = snapshot(&[
        (
            "hosts/a/host.yml",
            "modules: { m: }\nunits:\n  job@a.service: { text: \"[Service]\\nType=oneshot\\nSend={{ host.name }}\" }\n",
        ),
        ("hosts/b/host.yml", "modules: { m: }\n"),
        ("modules/m/module.yml", module),
        (
            "modules/m/app.service",
            "[Unit]\nAfterr=x\n[Service]\nExecStart=/bin/true\n",
        ),
    ]);
    let checked = check(
        &snapshot,
        CheckRequest {
            verifier: Some(&verifier),
            ..request()
        },
    );
    assert_eq!(
        messages(&checked.errors),
        ["hosts/a/host.yml:3:3: `job@a.service`: Service has no ExecStart= [a]"]
    );
    assert_eq!(
        messages(&checked.warnings),
        [
            "hosts/a/host.yml:3:3: `job@a.service`, in the line `Send=a`: Failed to parse boolean, ignoring: perhaps [a]",
            "modules/m/app.service:2:1: `app.service`: Unknown key 'Afterr' in section [Unit] [a b]",
            "modules/m/module.yml:9:13: `app.service`: Unknown key 'Colour' in section [Service] [a b]",
        ]
    );
    let looked_at: usize = asked
        .lock()
        .unwrap()
        .iter()
        .map(std::collections::BTreeSet::len)
        .sum();
    assert!(looked_at <= 3, "{asked:?}");
}

#[test]
fn that_systemd_cannot_be_asked_is_said_once() {
    let verifier = |_: &StagedUnits| Err(VerifyUnitsError::NoTool);
    let unit = "units: { a.service: { text: '[Service]' } }\n";
    let snapshot = snapshot(&[("hosts/a/host.yml", unit), ("hosts/b/host.yml", unit)]);
    let checked = check(
        &snapshot,
        CheckRequest {
            verifier: Some(&verifier),
            ..request()
        },
    );
    assert!(checked.hosts.values().all(Option::is_some));
    assert_eq!(
        checked.notes,
        ["unit files were not looked at: systemd-analyze is not on this machine"]
    );
}

#[test]
fn units_of_accounts_and_quadlets_are_looked_at_by_themselves() {
    let asked = std::sync::Mutex::new(Vec::new());
    let verifier = |staged: &StagedUnits| {
        asked.lock().unwrap().push((
            staged.kind,
            staged.units.iter().cloned().collect::<Vec<_>>(),
        ));
        let complaint = |about: &str, line, fatal| UnitComplaint {
            about: about.to_owned(),
            line: Some(line),
            text: "it is wrong".to_owned(),
            fatal,
        };
        match staged.kind {
            StagedKind::System => Ok(Vec::new()),
            StagedKind::Account => Ok(vec![complaint("a.service", 2, false)]),
            StagedKind::Quadlets if staged.files.contains_key("b.volume") => {
                Ok(vec![complaint("a.container", 2, true)])
            }
            StagedKind::Quadlets => Err(VerifyUnitsError::NoGenerator),
        }
    };
    let unit = "a.service: { text: \"[Service]\\nExecStart=/bin/true\" }";
    let quadlet = "a.container: { file: a.container }";
    let one = format!(
        "units: {{ {unit} }}\nusers: {{ anna: }}\nhome: {{ anna: {{ units: {{ {unit} }} }} }}\n\
         containers: {{ {quadlet}, b.volume: {{ text: \"[Volume]\" }} }}\n"
    );
    let other = format!("containers: {{ {quadlet} }}\n");
    let content = "[Container]\nImage=x\n";
    let snapshot = snapshot(&[
        ("hosts/a/host.yml", &one),
        ("hosts/a/a.container", content),
        ("hosts/b/host.yml", &other),
        ("hosts/b/a.container", content),
    ]);
    let checked = check(
        &snapshot,
        CheckRequest {
            verifier: Some(&verifier),
            ..request()
        },
    );
    assert_eq!(
        messages(&checked.errors),
        ["hosts/a/a.container:2:1: `a.container`: it is wrong [a]"]
    );
    assert_eq!(
        messages(&checked.warnings),
        [
            "hosts/a/host.yml:2:10: nobody can log in as `anna` [a]",
            "hosts/a/host.yml:3:26: `anna/a.service`, in the line `ExecStart=/bin/true`: it is wrong [a]"
        ]
    );
    assert_eq!(
        checked.notes,
        ["quadlets were not looked at: podman is not on this machine"]
    );
    let mut asked = asked.into_inner().unwrap();
    asked.sort_by_key(|(kind, units)| (format!("{kind:?}"), units.len()));
    let kinds: Vec<StagedKind> = asked.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(
        kinds,
        [
            StagedKind::Account,
            StagedKind::Quadlets,
            StagedKind::Quadlets,
            StagedKind::System
        ]
    );
}

#[test]
fn one_host_alone_is_checked_without_what_is_about_the_repository() {
    let snapshot = snapshot(&[
        ("hosts/a/host.yml", "{}\n"),
        ("hosts/b/host.yml", "x: 1\n"),
        ("modules/unused/module.yml", "{}\n"),
    ]);
    let name = HostName::new("a").unwrap();
    let checked = check(
        &snapshot,
        CheckRequest {
            host: Some(&name),
            ..request()
        },
    );
    assert_eq!(checked.hosts.len(), 1);
    assert_eq!((checked.errors, checked.warnings), (vec![], vec![]));
}
