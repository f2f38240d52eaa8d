//! Mounts, networks and services with keys of their own, where nothing runs: the files are the same.

use crate::fixture::{CANARY, Fleet};

const HOST: &str = r#"
mounts:
  /srv/nas: { what: "nas.lan:/export", type: nfs, automount: true, nofail: true }
network:
  manager: networkmanager
  interfaces: { enp1s0: { dhcp: true } }
  wireguard:
    wg0:
      private_key_secret: db/password
      addresses: [10.9.0.2/32]
      peers:
        - { public_key: xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=, allowed_ips: [10.9.0.0/24] }
sshd: { settings: { PasswordAuthentication: maybe } }
firewall: { text: "this is no ruleset\n" }
files:
  /etc/app.conf: { text: "a\n", validate: [/usr/bin/false, "{file}"] }
containers:
  web.container: { text: "[Container]\nImage=web\n", start: true }
secrets:
  db/password:
"#;

#[test]
fn what_is_declared_is_written_and_no_program_is_asked() {
    let fleet = Fleet::new();
    fleet.commit_host(HOST);
    let run = fleet.reconcile();
    run.ends_with(0);
    assert!(fleet.path("srv/nas").is_dir());
    assert_eq!(
        fleet.link("etc/systemd/system/remote-fs.target.wants/srv-nas.automount"),
        "../srv-nas.automount"
    );
    assert_eq!(
        fleet.read("etc/ssh/sshd_config.d/00-steadfast.conf"),
        "# Written by steadfast from `sshd:`.\nPasswordAuthentication maybe\n"
    );
    assert!(fleet.read("etc/nftables.conf").contains("flush ruleset"));
    assert_eq!(fleet.read("etc/app.conf"), "a\n");
    let connection = "etc/NetworkManager/system-connections/steadfast-enp1s0.nmconnection";
    assert_eq!(fleet.mode(connection), 0o600);

    // The tunnel names where its key is, and has none.
    let tunnel = fleet.read("etc/wireguard/wg0.conf");
    assert_eq!(fleet.mode("etc/wireguard/wg0.conf"), 0o600);
    assert!(tunnel.contains("PostUp = wg set %i private-key /run/secrets/db/password"));
    assert!(!tunnel.contains(CANARY), "{tunnel}");
    assert_eq!(fleet.mode("run/secrets/db/password"), 0o400);
    assert_eq!(fleet.drift().code, 0);

    fleet.commit_host("description: nothing\n");
    fleet.reconcile().ends_with(0);
    for gone in [
        "srv",
        "etc/wireguard",
        "etc/NetworkManager",
        "etc/ssh/sshd_config.d",
        "etc/containers",
    ] {
        assert!(!fleet.path(gone).exists(), "{gone}");
    }
}
