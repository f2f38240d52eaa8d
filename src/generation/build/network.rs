//! Interfaces: files of systemd-networkd or of `NetworkManager`.

use std::fmt::{Display, Write as _};
use std::net::IpAddr;

use super::bring::{known_unit, reloads};
use super::builder::Builder;
use super::paths::root_file;
use crate::config::{
    InterfaceConfig, InterfaceName, IpPrefix, Located, NetworkManager, OnConflict,
};
use crate::generation::{PathEntry, PathKind};
use crate::host::{Digest, FileMode};
use crate::secrets::UnitTriggers;

/// `NetworkManager` ignores connections that others can read.
const CONNECTION_MODE: FileMode = FileMode::from_bits(0o600);

impl Builder<'_> {
    pub(super) fn network(&mut self) {
        let config = self.config;
        let Some(manager) = &config.network.manager else {
            return;
        };
        let origin = &manager.origin;
        self.origin("network".to_owned(), origin);
        match manager.value {
            NetworkManager::Networkd => {
                let unit = self.running(None);
                self.bring_unit(known_unit("systemd-networkd.service"), unit, origin);
                // What `systemctl enable systemd-networkd` would link.
                for (link, unit) in [
                    (
                        "multi-user.target.wants/systemd-networkd.service",
                        "systemd-networkd.service",
                    ),
                    (
                        "sockets.target.wants/systemd-networkd.socket",
                        "systemd-networkd.socket",
                    ),
                    (
                        "dbus-org.freedesktop.network1.service",
                        "systemd-networkd.service",
                    ),
                    (
                        "network-online.target.wants/systemd-networkd-wait-online.service",
                        "systemd-networkd-wait-online.service",
                    ),
                ] {
                    self.bring_link(link, &format!("/usr/lib/systemd/system/{unit}"), origin);
                }
            }
            NetworkManager::NetworkManager => {
                self.bring_package("network-manager", "`manager: networkmanager`", origin);
                let unit = self.running(None);
                self.bring_unit(known_unit("NetworkManager.service"), unit, origin);
            }
        }
        for (name, interface) in &config.network.interfaces {
            self.interface(name, interface, manager.value);
        }
    }

    fn interface(
        &mut self,
        name: &InterfaceName,
        located: &Located<InterfaceConfig>,
        manager: NetworkManager,
    ) {
        let Located { value, origin } = located;
        self.origin(format!("interface {name}"), origin);
        let (path, kind, units) = match manager {
            NetworkManager::Networkd => {
                let content = self.object(networkd_text(name, value).into_bytes());
                (
                    format!("/etc/systemd/network/60-steadfast-{name}.network"),
                    root_file(content),
                    reloads("systemd-networkd.service"),
                )
            }
            NetworkManager::NetworkManager => {
                let content = self.object(connection_text(name, value).into_bytes());
                let mut kind = root_file(content);
                if let PathKind::File { mode, .. } = &mut kind {
                    *mode = CONNECTION_MODE;
                }
                (
                    format!("/etc/NetworkManager/system-connections/steadfast-{name}.nmconnection"),
                    kind,
                    UnitTriggers::default(),
                )
            }
        };
        let entry = PathEntry {
            kind,
            on_conflict: OnConflict::Backup,
            drift: self.config.drift,
            units,
        };
        self.bring_file(&path, entry, origin);
    }
}

/// A `.network` file. Source: systemd.network(5).
fn networkd_text(name: &InterfaceName, interface: &InterfaceConfig) -> String {
    let mut text = format!("# Written by steadfast from `network:`.\n[Match]\nName={name}\n");
    if let Some(mtu) = interface.mtu {
        let _ = write!(text, "\n[Link]\nMTUBytes={mtu}\n");
    }
    let dhcp = if interface.dhcp { "yes" } else { "no" };
    let _ = write!(text, "\n[Network]\nDHCP={dhcp}\n");
    lines(&mut text, "Address", &interface.addresses);
    lines(&mut text, "Gateway", &interface.gateways);
    lines(&mut text, "DNS", &interface.dns);
    if !interface.search.is_empty() {
        let _ = writeln!(text, "Domains={}", interface.search.join(" "));
    }
    for route in &interface.routes {
        let _ = write!(
            text,
            "\n[Route]\nDestination={}\nGateway={}\n",
            route.to, route.via
        );
    }
    text
}

fn lines(text: &mut String, key: &str, values: &[impl Display]) {
    for value in values {
        let _ = writeln!(text, "{key}={value}");
    }
}

/// A keyfile. Source: nm-settings-keyfile(5).
fn connection_text(name: &InterfaceName, interface: &InterfaceConfig) -> String {
    let id = format!("steadfast-{name}");
    let mut text = format!(
        "# Written by steadfast from `network:`.\n[connection]\nid={id}\nuuid={}\ntype=ethernet\ninterface-name={name}\n\
         autoconnect-priority=100\n",
        uuid(&id),
    );
    let _ = write!(text, "\n[ethernet]\n");
    if let Some(mtu) = interface.mtu {
        let _ = writeln!(text, "mtu={mtu}");
    }
    family(&mut text, "ipv4", interface, IpAddr::is_ipv4);
    family(&mut text, "ipv6", interface, IpAddr::is_ipv6);
    text
}

fn family(
    text: &mut String,
    section: &str,
    interface: &InterfaceConfig,
    is_family: impl Fn(&IpAddr) -> bool,
) {
    let addresses: Vec<&IpPrefix> = interface
        .addresses
        .iter()
        .filter(|prefix| is_family(&prefix.address))
        .collect();
    let method = match (section, addresses.is_empty()) {
        _ if interface.dhcp => "auto",
        (_, false) => "manual",
        // Routers may say addresses, as they may with systemd-networkd.
        ("ipv6", true) => "auto",
        (_, true) => "disabled",
    };
    let _ = write!(text, "\n[{section}]\nmethod={method}\n");
    for (number, address) in (1..).zip(addresses) {
        let _ = writeln!(text, "address{number}={address}");
    }
    if let Some(gateway) = interface.gateways.iter().find(|gateway| is_family(gateway)) {
        let _ = writeln!(text, "gateway={gateway}");
    }
    let dns = interface.dns.iter().filter(|server| is_family(server));
    list(text, "dns", dns);
    if method != "disabled" {
        list(text, "dns-search", interface.search.iter());
    }
    let routes = interface
        .routes
        .iter()
        .filter(|route| is_family(&route.via));
    for (number, route) in (1..).zip(routes) {
        let _ = writeln!(text, "route{number}={},{}", route.to, route.via);
    }
}

fn list<T: Display>(text: &mut String, key: &str, values: impl Iterator<Item = T>) {
    let mut values = values.peekable();
    if values.peek().is_none() {
        return;
    }
    let _ = write!(text, "{key}=");
    for value in values {
        let _ = write!(text, "{value};");
    }
    text.push('\n');
}

/// An id that is the same wherever it is made: `NetworkManager` would draw a new one with every reading.
fn uuid(id: &str) -> String {
    let digest = Digest::of(format!("steadfast connection {id}").as_bytes());
    let hex = digest.as_str();
    // Version 8 (made by a rule of one's own), variant 10. Source: RFC 9562 §5.8.
    format!(
        "{}-{}-8{}-8{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[13..16],
        &hex[17..20],
        &hex[20..32]
    )
}
