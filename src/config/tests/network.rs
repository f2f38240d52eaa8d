//! What is wrong about mounts, the network and the services that have keys of their own.

use super::support::said;

fn of(host: &str) -> String {
    said(&[("hosts/web/host.yml", host)])
}

#[test]
fn mounts_say_their_options_by_keys() {
    insta::assert_snapshot!(of(
        "mounts:\n  /srv/a: { what: nas:/a, type: nfs, options: [nofail, \"soft,rw\", x-systemd.requires=b], idle: 10m }\n  /srv/b: { type: ext4 }\n  /proc/x: { type: tmpfs }\n"
    ));
}

#[test]
fn interfaces_and_tunnels_are_checked_where_they_are_written() {
    insta::assert_snapshot!(of(r#"network:
  interfaces:
    enp1s0:
      addresses: [10.0.0.5]
      dns: [10.0.0.1/24]
      mtu: 20
      routes: [{ to: 10.8.0.0/16, via: "fd00::1" }]
    eth*: {}
    enp2s0: { gateway: 10.0.0.1 }
  wireguard:
    wg0:
      addresses: [10.9.0.2/32]
      private_key: abc
      peers:
        - { public_key: abc, allowed_ips: [10.9.0.0/24], endpoint: vpn.example.org, keepalive: 500ms }
"#));
}

#[test]
fn sshd_takes_settings_and_nothing_that_depends_on_its_place() {
    insta::assert_snapshot!(of(
        "sshd:\n  settings:\n    Include: /etc/other\n    match: User x\n    Port: 22\n    port: 23\n    \"Port 24\\nX\": 1\n    Ciphers: { a: b }\n"
    ));
}

#[test]
fn quadlets_have_a_type_and_a_section() {
    insta::assert_snapshot!(of(
        "containers:\n  ollama: { text: a }\n  web.service: { text: a }\n  db.container: { start: true }\n"
    ));
}

#[test]
fn a_validator_is_told_which_file() {
    insta::assert_snapshot!(of(
        "files:\n  /etc/a: { text: a, validate: [nft, -c] }\n  /etc/b: { text: b, validate: nft -c }\n"
    ));
}
