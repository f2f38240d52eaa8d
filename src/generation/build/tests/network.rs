//! Mounts, the network, and the services that have keys of their own.

use super::*;

fn files(built: &Built) -> String {
    let mut text = String::new();
    for (path, entry) in &built.manifest.paths {
        let line = match &entry.kind {
            PathKind::File { mode, .. } => {
                let content = text_of(built, path.as_str());
                format!("== {path} {mode}\n{content}")
            }
            PathKind::Directory { .. } => format!("== {path}/\n"),
            PathKind::Symlink { target } => format!("== {path} -> {target}\n"),
        };
        text.push_str(&line);
    }
    text
}

fn units(built: &Built) -> String {
    let lines = built.manifest.units.iter().map(|(name, unit)| {
        let from = unit.made_from.as_ref().map(ToString::to_string);
        format!(
            "{name} start {:?} may_fail {} from {}\n",
            unit.start,
            unit.may_fail,
            from.unwrap_or_default()
        )
    });
    lines.collect()
}

fn packages(built: &Built) -> Vec<&str> {
    let packages = built.manifest.packages.iter();
    packages.map(crate::host::PackageName::as_str).collect()
}

const MOUNTS: &str = r#"
mounts:
  /srv/my-backup: { what: "nas.lan:/export/back%up", type: nfs, options: [soft, "timeo=100"], automount: true, nofail: true, idle: 10min }
  /var/cache/build: { type: tmpfs, options: ["size=1G"] }
  /srv/data: { what: "LABEL=my data", type: btrfs, nofail: true, drift: enforce }
"#;

#[test]
fn mounts_are_units_named_after_their_path() {
    let built = built(MOUNTS, &[]);
    insta::assert_snapshot!(files(&built));
    insta::assert_snapshot!(units(&built), @r"
    srv-data.mount start Some(true) may_fail true from 
    srv-my\x2dbackup.automount start Some(true) may_fail true from 
    srv-my\x2dbackup.mount start None may_fail true from 
    var-cache-build.mount start Some(true) may_fail false from 
    ");
    assert_eq!(packages(&built), ["btrfs-progs", "nfs-common"]);
    let backup = &built.manifest.mounts[&HostPath::new("/srv/my-backup").unwrap()];
    assert_eq!(backup.options, ["soft", "timeo=100", "nofail"]);
}

const INTERFACES: &str = r"
network:
  manager: MANAGER
  interfaces:
    enp1s0:
      addresses: [10.0.0.5/24, fd00::5/64]
      gateway: [10.0.0.1, fd00::1]
      dns: [10.0.0.1, fd00::53]
      search: [lan, example.org]
      routes: [{ to: 10.8.0.0/16, via: 10.0.0.3 }]
      mtu: 9000
    enp2s0: { dhcp: true }
    enp3s0: { addresses: [192.168.7.1/24] }
";

#[test]
fn networkd_reads_a_file_for_each_interface_and_reads_it_again_when_it_changes() {
    let built = built(&INTERFACES.replace("MANAGER", "networkd"), &[]);
    insta::assert_snapshot!(files(&built));
    insta::assert_snapshot!(units(&built), @"systemd-networkd.service start Some(true) may_fail false from");
    let path = HostPath::new("/etc/systemd/network/60-steadfast-enp2s0.network").unwrap();
    let reload = &built.manifest.paths[&path].units.reload;
    assert!(reload.contains(&"systemd-networkd.service".parse().unwrap()));
    assert_eq!(packages(&built), [] as [&str; 0]);
}

#[test]
fn network_manager_has_a_connection_for_each_interface_that_only_root_reads() {
    let built = built(&INTERFACES.replace("MANAGER", "networkmanager"), &[]);
    insta::assert_snapshot!(files(&built));
    assert_eq!(packages(&built), ["network-manager"]);
}

const TUNNEL: &str = r#"
network:
  wireguard:
    wg0:
      private_key_secret: db/password
      addresses: [10.9.0.2/32, fd09::2/128]
      listen_port: 51820
      mtu: 1420
      peers:
        - public_key: xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=
          endpoint: "vpn.example.org:51820"
          allowed_ips: [10.9.0.0/24]
          keepalive: 25s
          preshared_key_secret: token
        - { public_key: "TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0=", allowed_ips: ["0.0.0.0/0"] }
secrets: { db/password: {}, token: {} }
"#;

#[test]
fn a_tunnel_has_its_keys_in_memory_only_and_comes_up_anew_with_them() {
    let built = built(TUNNEL, &[("secrets/default.yml", SEALED)]);
    insta::assert_snapshot!(files(&built));
    insta::assert_snapshot!(units(&built), @"wg-quick@wg0.service start Some(true) may_fail false from /etc/wireguard/wg0.conf");
    assert_eq!(packages(&built), ["iproute2", "wireguard-tools"]);
    for spec in built.manifest.secrets.values() {
        let unit = "wg-quick@wg0.service".parse().unwrap();
        assert!(spec.units.restart.contains(&unit));
    }
    let undeclared = TUNNEL.replace("token: {}", "");
    insta::assert_snapshot!(errors(&undeclared, &[("secrets/default.yml", SEALED)]), @r"
    error: the tunnel `wg0` takes a key from `token`, which is not declared
     --> hosts/web/host.yml:4:5
      |
    4 |     wg0:
      |     ^^^
      |
      = fix: add `token:` under `secrets:`
    ");
}

const SERVICES: &str = r#"
platform: { os: debian, version: "13" }
sshd:
  settings:
    PasswordAuthentication: false
    PermitRootLogin: prohibit-password
    AcceptEnv: [LANG, "LC_*"]
    Port: [22, 2222]
    UseDNS: yes
firewall: { text: "table inet filter { }\n" }
containers:
  ollama.container: { file: ollama.container, template: true, start: true }
  models.volume: { text: "[Volume]\n" }
variables: { image: ollama }
"#;

#[test]
fn services_with_keys_of_their_own_are_files_packages_and_units() {
    let container = (
        "hosts/web/ollama.container",
        "[Container]\nImage=docker.io/{{ host.name }}\n[Install]\nWantedBy=multi-user.target\n",
    );
    let services = SERVICES.replace("variables: { image: ollama }\n", "");
    let built = built(&services, &[container]);
    insta::assert_snapshot!(files(&built));
    insta::assert_snapshot!(units(&built), @r"
    models-volume.service start None may_fail false from /etc/containers/systemd/models.volume
    nftables.service start Some(true) may_fail false from 
    ollama.service start Some(true) may_fail false from /etc/containers/systemd/ollama.container
    ");
    assert_eq!(packages(&built), ["nftables", "openssh-server", "podman"]);
}

#[test]
fn a_ruleset_that_flushes_itself_stays_as_it_is() {
    let text = "#!/usr/sbin/nft -f\n  flush  ruleset\ntable inet a { }\n";
    let built = built(
        "firewall: { file: rules.nft }",
        &[("hosts/web/rules.nft", text)],
    );
    assert_eq!(text_of(&built, "/etc/nftables.conf"), text);
}

#[test]
fn what_the_platform_cannot_do_is_refused_with_the_reason() {
    let on = |os: &str, version: &str, rest: &str| {
        errors(
            &format!("platform: {{ os: {os}, version: \"{version}\" }}\n{rest}"),
            &[],
        )
    };
    insta::assert_snapshot!(on("fedora", "42", "firewall: { text: \"\" }"), @r#"
    error: `firewall` cannot be had on fedora
     --> hosts/web/host.yml:2:1
      |
    2 | firewall: { text: "" }
      | ^^^^^^^^
      |
      = cause: it needs the package `nftables`, and packages can only be installed with apt
    "#);
    let container = "containers: { web.container: { text: \"[Container]\" } }";
    insta::assert_snapshot!(on("debian", "12", container), @r#"
    error: `containers` cannot be had on debian 12
     --> hosts/web/host.yml:2:15
      |
    2 | containers: { web.container: { text: "[Container]" } }
      |               ^^^^^^^^^^^^^
      |
      = cause: its podman is 4.3, and quadlets came with 4.4
    "#);
    let pod = "containers: { web.pod: { text: \"[Pod]\" } }";
    assert!(on("ubuntu", "24.04", pod).contains("its podman is 4.9, which knows no `.pod`"));
}

#[test]
fn what_is_on_a_mounted_file_system_cannot_be_an_entry() {
    let said = errors(
        "mounts: { /srv/data: { what: /dev/sdb1, type: ext4 } }\ndirectories: { /srv/data: {}, /srv/data/a/b: {} }\n",
        &[],
    );
    assert!(
        said.contains("`/srv/data` is a mount point, and an entry too"),
        "{said}"
    );
    assert!(
        said.contains("`/srv/data/a/b` is on the file system that is mounted at `/srv/data`"),
        "{said}"
    );
}

#[test]
fn a_validator_is_kept_with_its_path() {
    let built = built(
        "files: { /etc/app.conf: { text: a, validate: [/usr/bin/app, check, \"{file}\"] } }",
        &[],
    );
    let path = HostPath::new("/etc/app.conf").unwrap();
    assert_eq!(
        built.manifest.validators[&path],
        ["/usr/bin/app", "check", "{file}"]
    );
}
