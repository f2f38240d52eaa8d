//! Mounts, interfaces and tunnels.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use super::{Enforcement, Located};
use crate::host::InvalidName;
use crate::name::checked_name;
use crate::secrets::SecretName;

checked_name!(
    /// The name of a network interface, `enp1s0`: at most 15 bytes, as the kernel has it.
    InterfaceName, "interface name", |text| {
        if text.is_empty() || text.len() > 15 {
            return Err("must be 1 to 15 bytes");
        }
        if text == "." || text == ".." || text == "all" || text == "default" {
            return Err("is a word that the kernel uses itself");
        }
        // No `%` nor `*`: service managers would take them for a specifier and a pattern.
        if !text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)) {
            return Err("may contain only letters, digits and `-_.`");
        }
        Ok(())
    }
);

checked_name!(
    /// A WireGuard key in base64: 32 bytes, so 44 characters with one `=` at the end.
    WireguardKey, "WireGuard key", |text| {
        use base64::Engine as _;
        match base64::engine::general_purpose::STANDARD.decode(text) {
            Ok(key) if key.len() == 32 => Ok(()),
            Ok(_) => Err("must be 32 bytes in base64, as `wg pubkey` prints it"),
            Err(_) => Err("must be base64, as `wg pubkey` prints it"),
        }
    }
);

/// An address with the length of its network's prefix: `10.0.0.5/24`, `fd00::1/64`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct IpPrefix {
    /// The address, bits after the prefix included.
    pub address: IpAddr,
    /// Bits of the prefix.
    pub length: u8,
}

impl FromStr for IpPrefix {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let invalid = |rule| InvalidName {
            what: "address with a prefix",
            text: text.to_owned(),
            rule,
        };
        let (address, length) = text
            .split_once('/')
            .ok_or_else(|| invalid("must say its prefix, such as `10.0.0.5/24`"))?;
        let address: IpAddr = address
            .parse()
            .map_err(|_| invalid("must begin with an IPv4 or IPv6 address"))?;
        let plain = !length.is_empty() && length.bytes().all(|b| b.is_ascii_digit());
        let most = if address.is_ipv4() { 32 } else { 128 };
        match length.parse::<u8>() {
            Ok(length) if plain && length <= most => Ok(Self { address, length }),
            _ if most == 32 => Err(invalid("must end with a prefix from /0 to /32")),
            _ => Err(invalid("must end with a prefix from /0 to /128")),
        }
    }
}

impl fmt::Display for IpPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}

/// A file system to mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MountConfig {
    /// What is mounted: a device, `UUID=…`, `server:/export`.
    pub what: String,
    /// Type of the file system, `nfs`.
    pub kind: String,
    /// Options, each alone.
    pub options: Vec<String>,
    /// Whether it is mounted when somebody looks, not at boot.
    pub automount: bool,
    /// Whether the host goes on without it.
    pub nofail: bool,
    /// Milliseconds without use after which an automount is unmounted; never when absent.
    pub idle_ms: Option<u64>,
    /// Drift policy; the host's when absent.
    pub drift: Option<Enforcement>,
}

/// What configures the host's interfaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkManager {
    /// `systemd-networkd.service`.
    Networkd,
    /// `NetworkManager.service`.
    NetworkManager,
}

/// Interfaces and tunnels.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NetworkConfig {
    /// Who configures the interfaces; whoever does already when absent, and then `interfaces` is empty.
    pub manager: Option<Located<NetworkManager>>,
    /// Ethernet interfaces.
    pub interfaces: BTreeMap<InterfaceName, Located<InterfaceConfig>>,
    /// WireGuard tunnels.
    pub wireguard: BTreeMap<InterfaceName, Located<WireguardConfig>>,
}

/// An Ethernet interface.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InterfaceConfig {
    /// Whether addresses are asked for by DHCP.
    pub dhcp: bool,
    /// Fixed addresses.
    pub addresses: Vec<IpPrefix>,
    /// Default gateways, at most one of each family.
    pub gateways: Vec<IpAddr>,
    /// Name servers.
    pub dns: Vec<IpAddr>,
    /// Search domains.
    pub search: Vec<String>,
    /// Further routes.
    pub routes: Vec<RouteConfig>,
    /// Largest packet in bytes.
    pub mtu: Option<u32>,
}

/// A route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RouteConfig {
    /// The network.
    pub to: IpPrefix,
    /// The way there.
    pub via: IpAddr,
}

/// A WireGuard tunnel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WireguardConfig {
    /// The secret with the private key.
    pub private_key_secret: SecretName,
    /// Own addresses in the tunnel.
    pub addresses: Vec<IpPrefix>,
    /// UDP port; chosen by the kernel when absent.
    pub listen_port: Option<u16>,
    /// Largest packet in bytes.
    pub mtu: Option<u32>,
    /// The others.
    pub peers: Vec<WireguardPeer>,
}

/// The other end of a tunnel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WireguardPeer {
    /// Its public key.
    pub public_key: WireguardKey,
    /// Where it is, `host:port`; found out when it calls if absent.
    pub endpoint: Option<String>,
    /// What is sent to it and taken from it.
    pub allowed_ips: Vec<IpPrefix>,
    /// Seconds between packets that keep the way open.
    pub keepalive_secs: Option<u16>,
    /// The secret with the pre-shared key.
    pub preshared_key_secret: Option<SecretName>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_belongs_to_its_family() {
        for good in ["10.0.0.5/24", "0.0.0.0/0", "fd00::1/64", "::/0"] {
            assert_eq!(good.parse::<IpPrefix>().unwrap().to_string(), good);
        }
        for bad in [
            "10.0.0.5",
            "10.0.0.5/33",
            "10.0.0/24",
            "fd00::1/129",
            "10.0.0.5/+8",
            "a/8",
            "10.0.0.5/",
        ] {
            assert!(bad.parse::<IpPrefix>().is_err(), "{bad:?} was taken");
        }
    }

    #[test]
    fn keys_and_interfaces_are_checked() {
        assert!(WireguardKey::new("xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=").is_ok());
        for bad in [
            "",
            "xTIB",
            "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg",
            "!",
        ] {
            assert!(WireguardKey::new(bad).is_err(), "{bad:?} was taken");
        }
        assert!(InterfaceName::new("enp1s0").is_ok());
        for bad in ["", "a b", "eth*", "sixteen-bytes-ok", "all", "a/b"] {
            assert!(InterfaceName::new(bad).is_err(), "{bad:?} was taken");
        }
    }
}
