//! `network`: who configures interfaces, interfaces, tunnels.

use std::net::IpAddr;

use super::HostParser;
use crate::config::Located;
use crate::config::host::{InterfaceConfig, InterfaceName, IpPrefix, NetworkManager, RouteConfig};
use crate::config::vocabulary::{INTERFACE, NETWORK, ROUTE};
use crate::config::yaml::{Node, Value};

/// Smallest packet that every IPv6 network carries, and largest that Ethernet devices take.
const MTU: std::ops::RangeInclusive<u32> = 576..=65535;

impl HostParser<'_> {
    pub(super) fn network(&mut self, node: &Node) {
        let Some(fields) = self.reader.fields(node, "`network`", NETWORK) else {
            return;
        };
        if let Some(node) = fields.get("manager") {
            let words = [
                ("networkmanager", NetworkManager::NetworkManager),
                ("networkd", NetworkManager::Networkd),
            ];
            self.config.network.manager = self
                .reader
                .one_of(node, &words)
                .map(|manager| self.reader.located(node.place, manager));
        }
        if let Some(entry) = fields.entry("interfaces") {
            if fields.get("manager").is_none() {
                self.reader
                    .error(
                        entry.key.place,
                        "interfaces need somebody who configures them",
                    )
                    .fix = Some(
                    "add `manager: networkd` or `manager: networkmanager` beside it".to_owned(),
                );
            }
            self.interfaces(&entry.value);
        }
        if let Some(node) = fields.get("wireguard") {
            self.wireguard(node);
        }
    }

    fn interfaces(&mut self, node: &Node) {
        for entry in self
            .reader
            .entries(node, "interfaces by name")
            .unwrap_or_default()
        {
            let name = self.reader.key_name::<InterfaceName>(&entry.key);
            if let Some(interface) = self.interface(&entry.value)
                && let Some(name) = name
            {
                let interface = self.reader.located(entry.key.place, interface);
                self.config.network.interfaces.insert(name, interface);
            }
        }
    }

    fn interface(&mut self, node: &Node) -> Option<InterfaceConfig> {
        let fields = self.reader.fields(node, "an interface", INTERFACE)?;
        let mut interface = InterfaceConfig {
            dhcp: self.switch(fields, "dhcp"),
            mtu: fields.get("mtu").and_then(|node| self.mtu(node)),
            ..InterfaceConfig::default()
        };
        if let Some(node) = fields.get("addresses") {
            interface.addresses = self.prefixes(node);
        }
        if let Some(node) = fields.get("gateway") {
            interface.gateways = self.gateways(node);
        }
        if let Some(node) = fields.get("dns") {
            interface.dns = self.addresses(node, "name servers");
        }
        if let Some(node) = fields.get("search") {
            interface.search = self.search_domains(node);
        }
        if let Some(node) = fields.get("routes") {
            interface.routes = self.routes(node);
        }
        if fields.get("gateway").is_some() && interface.addresses.is_empty() && !interface.dhcp {
            self.reader
                .error(node.place, "a gateway needs an address to reach it from")
                .fix = Some("add `addresses: [10.0.0.5/24]`, or `dhcp: true`".to_owned());
        }
        Some(interface)
    }

    /// Default gateways: one, or a list with one of each family.
    fn gateways(&mut self, node: &Node) -> Vec<IpAddr> {
        if !matches!(node.value, Value::List(_)) {
            return self.ip(node).into_iter().collect();
        }
        let gateways = self.addresses(node, "gateways");
        for family in [IpAddr::is_ipv4, IpAddr::is_ipv6] {
            if gateways.iter().filter(|address| family(address)).count() > 1 {
                self.reader
                    .error(node.place, "an interface has one gateway of each family");
            }
        }
        gateways
    }

    fn routes(&mut self, node: &Node) -> Vec<RouteConfig> {
        let mut routes = Vec::new();
        for item in self.reader.list(node, "routes").unwrap_or_default() {
            let Some(fields) = self.reader.fields(item, "a route", ROUTE) else {
                continue;
            };
            let owner = (item.place, "a route");
            let to = self
                .reader
                .required(fields, "to", owner)
                .and_then(|node| self.reader.name::<IpPrefix>(node));
            let via = self
                .reader
                .required(fields, "via", owner)
                .and_then(|node| self.ip(node));
            let (Some(to), Some(via)) = (to, via) else {
                continue;
            };
            if to.address.is_ipv4() == via.is_ipv4() {
                routes.push(RouteConfig { to, via });
            } else {
                self.reader.error(
                    item.place,
                    format!("`{to}` cannot be reached by `{via}`: one is IPv4, the other IPv6"),
                );
            }
        }
        routes
    }

    fn search_domains(&mut self, node: &Node) -> Vec<String> {
        let mut domains = Vec::new();
        for item in self.reader.list(node, "domains").unwrap_or_default() {
            let Some(domain) = self.reader.line(item) else {
                continue;
            };
            let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
            if domain.bytes().all(plain) {
                domains.push(domain.to_owned());
            } else {
                self.reader
                    .wrong_type(item, "a domain such as `example.org`");
            }
        }
        domains
    }

    pub(super) fn mtu(&mut self, node: &Node) -> Option<u32> {
        let mtu = self.reader.number(node, *MTU.end())?;
        if MTU.contains(&mtu) {
            return Some(mtu);
        }
        self.reader
            .wrong_type(node, "a number of bytes from 576 to 65535");
        None
    }

    /// Addresses with their prefixes, each once.
    pub(super) fn prefixes(&mut self, node: &Node) -> Vec<IpPrefix> {
        let names: Option<Vec<Located<IpPrefix>>> = self.reader.names(node, "addresses");
        let names = names.unwrap_or_default();
        names.into_iter().map(|name| name.value).collect()
    }

    fn addresses(&mut self, node: &Node, what: &str) -> Vec<IpAddr> {
        let items = self.reader.list(node, what).unwrap_or_default();
        items.iter().filter_map(|item| self.ip(item)).collect()
    }

    fn ip(&mut self, node: &Node) -> Option<IpAddr> {
        let text = self.reader.line(node)?;
        if let Ok(address) = text.parse() {
            return Some(address);
        }
        let bare = text.split('/').next().unwrap_or(text).to_owned();
        let fix = bare
            .parse::<IpAddr>()
            .is_ok()
            .then(|| format!("write `{bare}`"));
        self.reader.wrong_type(node, "an IP address").fix = fix;
        None
    }
}
