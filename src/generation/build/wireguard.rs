//! WireGuard tunnels, brought up by `wg-quick`, whoever configures the other interfaces.
//!
//! Neither systemd-networkd nor `NetworkManager` does it as well: the first takes no change of a tunnel that is there,
//! and reads the key as an account of its own; the second wants the key in its file. `wg-quick` does what its file says
//! each time, and the file needs no key: the hook after the start reads it from where secrets are installed.

use std::fmt::Write as _;

use super::bring::known_unit;
use super::builder::{Builder, root, same_name};
use crate::config::{
    ConfigError, InterfaceName, Located, OnConflict, Origin, WireguardConfig, WireguardPeer,
};
use crate::generation::{PathEntry, PathKind, UnitEntry};
use crate::host::FileMode;
use crate::secrets::{SecretName, UnitTriggers};

/// Nobody else needs to know the addresses of the others.
const TUNNEL_MODE: FileMode = FileMode::from_bits(0o600);

impl Builder<'_> {
    pub(super) fn wireguard(&mut self) {
        let config = self.config;
        for (name, tunnel) in &config.network.wireguard {
            self.origin(format!("wireguard {name}"), &tunnel.origin);
            for package in ["wireguard-tools", "iproute2"] {
                self.bring_package(package, "`wireguard`", &tunnel.origin);
            }
            self.tunnel(name, tunnel);
        }
    }

    fn tunnel(&mut self, name: &InterfaceName, located: &Located<WireguardConfig>) {
        let Located { value, origin } = located;
        let unit = known_unit(&format!("wg-quick@{name}.service"));
        for secret in secrets(value) {
            self.tunnel_secret(name, secret, &unit, origin);
        }
        let content = self.object(tunnel_text(value).into_bytes());
        let entry = PathEntry {
            kind: PathKind::File {
                content,
                owner: root(),
                group: same_name(&root()),
                mode: TUNNEL_MODE,
            },
            on_conflict: OnConflict::Backup,
            drift: self.config.drift,
            units: UnitTriggers::default(),
        };
        let path = self.bring_file(&format!("/etc/wireguard/{name}.conf"), entry, origin);
        let entry = UnitEntry {
            definition: [path.clone()].into(),
            made_from: Some(path),
            ..self.running(None)
        };
        self.bring_unit(unit.clone(), entry, origin);
        self.bring_link(
            &format!("multi-user.target.wants/{unit}"),
            "/usr/lib/systemd/system/wg-quick@.service",
            origin,
        );
    }

    /// The secret must be declared, and its change brings the tunnel up anew.
    fn tunnel_secret(
        &mut self,
        name: &InterfaceName,
        secret: &SecretName,
        unit: &crate::host::UnitName,
        origin: &Origin,
    ) {
        if !self.config.secrets.contains_key(secret) {
            let error = ConfigError::new(format!(
                "the tunnel `{name}` takes a key from `{secret}`, which is not declared"
            ))
            .at(origin)
            .fix(format!("add `{secret}:` under `secrets:`"));
            self.push(error);
            return;
        }
        if let Some(spec) = self.manifest.secrets.get_mut(secret) {
            spec.units.restart.insert(unit.clone().into());
        }
    }
}

fn secrets(tunnel: &WireguardConfig) -> impl Iterator<Item = &SecretName> {
    let shared = tunnel
        .peers
        .iter()
        .filter_map(|peer| peer.preshared_key_secret.as_ref());
    [&tunnel.private_key_secret].into_iter().chain(shared)
}

/// A file for wg-quick(8).
fn tunnel_text(tunnel: &WireguardConfig) -> String {
    let mut text =
        "# Written by steadfast from `network:`. The keys are in /run/secrets only.\n[Interface]\n"
            .to_owned();
    let _ = writeln!(text, "Address = {}", joined(&tunnel.addresses));
    if let Some(port) = tunnel.listen_port {
        let _ = writeln!(text, "ListenPort = {port}");
    }
    if let Some(mtu) = tunnel.mtu {
        let _ = writeln!(text, "MTU = {mtu}");
    }
    let _ = writeln!(
        text,
        "PostUp = wg set %i private-key /run/secrets/{}",
        tunnel.private_key_secret
    );
    for peer in &tunnel.peers {
        if let Some(secret) = &peer.preshared_key_secret {
            let _ = writeln!(
                text,
                "PostUp = wg set %i peer {} preshared-key /run/secrets/{secret}",
                peer.public_key
            );
        }
    }
    for peer in &tunnel.peers {
        peer_text(&mut text, peer);
    }
    text
}

fn peer_text(text: &mut String, peer: &WireguardPeer) {
    let _ = write!(text, "\n[Peer]\nPublicKey = {}\n", peer.public_key);
    let _ = writeln!(text, "AllowedIPs = {}", joined(&peer.allowed_ips));
    if let Some(endpoint) = &peer.endpoint {
        let _ = writeln!(text, "Endpoint = {endpoint}");
    }
    if let Some(secs) = peer.keepalive_secs {
        let _ = writeln!(text, "PersistentKeepalive = {secs}");
    }
}

fn joined(prefixes: &[crate::config::IpPrefix]) -> String {
    let words: Vec<String> = prefixes.iter().map(ToString::to_string).collect();
    words.join(", ")
}
