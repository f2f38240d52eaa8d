use super::*;

fn checked(files: &[(&str, &str)]) -> Checked {
    let files = files
        .iter()
        .map(|(path, text)| (RepoPath::new(*path).unwrap(), text.as_bytes().to_vec()))
        .collect();
    check(&Snapshot::in_memory(files))
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
            "ssh-ed25519 AAAA root@a\n",
        ),
        (
            "hosts/b/ssh_host_ed25519_key.pub",
            "ssh-ed25519 AAAA root@b\n",
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
    assert!(checked.warnings[0].excerpt.starts_with("warning: "));
}
