//! `network: wireguard:`.

use super::HostParser;
use crate::config::host::{InterfaceName, WireguardConfig, WireguardPeer};
use crate::config::vocabulary::{WIREGUARD, WIREGUARD_PEER};
use crate::config::yaml::{Entry, Node};

impl HostParser<'_> {
    pub(super) fn wireguard(&mut self, node: &Node) {
        for entry in self
            .reader
            .entries(node, "tunnels by the name of their interface")
            .unwrap_or_default()
        {
            let name = self.reader.key_name::<InterfaceName>(&entry.key);
            if let Some(tunnel) = self.tunnel(entry)
                && let Some(name) = name
            {
                let tunnel = self.reader.located(entry.key.place, tunnel);
                self.config.network.wireguard.insert(name, tunnel);
            }
        }
    }

    fn tunnel(&mut self, entry: &Entry) -> Option<WireguardConfig> {
        const WHAT: &str = "a WireGuard tunnel";
        let fields = self.reader.fields(&entry.value, WHAT, WIREGUARD)?;
        let owner = (entry.key.place, WHAT);
        let key = self
            .reader
            .required(fields, "private_key_secret", owner)
            .and_then(|node| self.reader.name(node));
        let addresses = self
            .reader
            .required(fields, "addresses", owner)
            .map(|node| self.prefixes(node))
            .unwrap_or_default();
        let listen_port = fields.get("listen_port").and_then(|node| self.port(node));
        let mtu = fields.get("mtu").and_then(|node| self.mtu(node));
        let peers = fields
            .get("peers")
            .map(|node| self.peers(node))
            .unwrap_or_default();
        Some(WireguardConfig {
            private_key_secret: key?,
            addresses,
            listen_port,
            mtu,
            peers,
        })
    }

    fn port(&mut self, node: &Node) -> Option<u16> {
        let number = self.reader.number(node, u32::from(u16::MAX))?;
        match u16::try_from(number) {
            Ok(port) if port > 0 => Some(port),
            _ => {
                self.reader.wrong_type(node, "a port from 1 to 65535");
                None
            }
        }
    }

    fn peers(&mut self, node: &Node) -> Vec<WireguardPeer> {
        let mut peers: Vec<WireguardPeer> = Vec::new();
        for item in self.reader.list(node, "peers").unwrap_or_default() {
            let Some(peer) = self.peer(item) else {
                continue;
            };
            if peers
                .iter()
                .any(|other| other.public_key == peer.public_key)
            {
                self.reader.error(
                    item.place,
                    format!("the peer `{}` is there twice", peer.public_key),
                );
                continue;
            }
            peers.push(peer);
        }
        peers
    }

    fn peer(&mut self, node: &Node) -> Option<WireguardPeer> {
        const WHAT: &str = "a peer";
        let fields = self.reader.fields(node, WHAT, WIREGUARD_PEER)?;
        let owner = (node.place, WHAT);
        let public_key = self
            .reader
            .required(fields, "public_key", owner)
            .and_then(|node| self.reader.name(node));
        let allowed_ips = self
            .reader
            .required(fields, "allowed_ips", owner)
            .map(|node| self.prefixes(node))
            .unwrap_or_default();
        let endpoint = fields.get("endpoint").and_then(|node| self.endpoint(node));
        let keepalive_secs = fields
            .get("keepalive")
            .and_then(|node| self.keepalive(node));
        let preshared_key_secret = fields
            .get("preshared_key_secret")
            .and_then(|node| self.reader.name(node));
        Some(WireguardPeer {
            public_key: public_key?,
            endpoint,
            allowed_ips,
            keepalive_secs,
            preshared_key_secret,
        })
    }

    /// `host:port`, with the port always said: WireGuard has no usual one.
    fn endpoint(&mut self, node: &Node) -> Option<String> {
        let text = self.address(node)?;
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.:[]%".contains(&b);
        if text.bytes().all(plain) {
            return Some(text);
        }
        self.reader
            .wrong_type(node, "an address such as `vpn.example.org:51820`");
        None
    }

    fn keepalive(&mut self, node: &Node) -> Option<u16> {
        let ms = self.duration(node)?;
        match u16::try_from(ms / 1000) {
            Ok(secs) if secs > 0 && ms % 1000 == 0 => Some(secs),
            _ => {
                self.reader
                    .wrong_type(node, "a time in whole seconds, at most `65535s`,");
                None
            }
        }
    }
}
