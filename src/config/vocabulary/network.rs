//! Mounts, the network, the SSH server, the firewall, containers.

use super::field::{Field, Kind, field};
use super::resources::{CONFLICT, DRIFT_OF, FILLED, SOURCE, TEXT};

/// A file system.
pub(in crate::config) const MOUNT: &[Field] = &[
    field(
        "what",
        Kind::Text,
        "A device, `UUID=…`, `server:/export`; the type's own name for tmpfs when left out.",
    ),
    field("type", Kind::Text, "Type of the file system, `nfs`."),
    field(
        "options",
        Kind::List(&Kind::Text),
        "Mount options, each alone.",
    ),
    field(
        "automount",
        Kind::Boolean,
        "Whether it is mounted when somebody looks, not at boot.",
    ),
    field(
        "nofail",
        Kind::Boolean,
        "Whether the host goes on without it.",
    ),
    field(
        "idle",
        Kind::Text,
        "With `automount`: how long without use until it is unmounted, `10min`.",
    ),
    DRIFT_OF,
];

/// Interfaces and tunnels.
pub(in crate::config) const NETWORK: &[Field] = &[
    field(
        "manager",
        Kind::Words(&["networkmanager", "networkd"]),
        "Who configures the interfaces.",
    ),
    field(
        "interfaces",
        Kind::Map(&Kind::Object(INTERFACE)),
        "Ethernet interfaces by name.",
    ),
    field(
        "wireguard",
        Kind::Map(&Kind::Object(WIREGUARD)),
        "WireGuard tunnels by the name of their interface.",
    ),
];

/// An interface.
pub(in crate::config) const INTERFACE: &[Field] = &[
    field(
        "dhcp",
        Kind::Boolean,
        "Whether addresses are asked for by DHCP.",
    ),
    field(
        "addresses",
        Kind::List(&Kind::Text),
        "Fixed addresses with their prefix, `10.0.0.5/24`.",
    ),
    field(
        "gateway",
        Kind::Either(&[Kind::Text, Kind::List(&Kind::Text)]),
        "Default gateway, or one for each family.",
    ),
    field("dns", Kind::List(&Kind::Text), "Name servers."),
    field("search", Kind::List(&Kind::Text), "Search domains."),
    field(
        "routes",
        Kind::List(&Kind::Object(ROUTE)),
        "Further routes.",
    ),
    field("mtu", Kind::Number, "Largest packet in bytes."),
];

/// A route.
pub(in crate::config) const ROUTE: &[Field] = &[
    field("to", Kind::Text, "The network, `10.8.0.0/16`."),
    field("via", Kind::Text, "The address that leads there."),
];

/// A tunnel.
pub(in crate::config) const WIREGUARD: &[Field] = &[
    field(
        "private_key_secret",
        Kind::Text,
        "Name of the secret with the private key.",
    ),
    field(
        "addresses",
        Kind::List(&Kind::Text),
        "Own addresses in the tunnel, `10.9.0.2/32`.",
    ),
    field(
        "listen_port",
        Kind::Number,
        "UDP port; chosen by the kernel when left out.",
    ),
    field("mtu", Kind::Number, "Largest packet in bytes."),
    field(
        "peers",
        Kind::List(&Kind::Object(WIREGUARD_PEER)),
        "The other ends.",
    ),
];

/// The other end of a tunnel.
pub(in crate::config) const WIREGUARD_PEER: &[Field] = &[
    field("public_key", Kind::Text, "Its public key, in base64."),
    field(
        "endpoint",
        Kind::Text,
        "Where it is, `vpn.example.org:51820`.",
    ),
    field(
        "allowed_ips",
        Kind::List(&Kind::Text),
        "Networks that are behind it, `10.9.0.0/24`.",
    ),
    field(
        "keepalive",
        Kind::Text,
        "Time between packets that keep the way open, `25s`.",
    ),
    field(
        "preshared_key_secret",
        Kind::Text,
        "Name of the secret with the pre-shared key.",
    ),
];

/// The SSH server.
pub(in crate::config) const SSHD: &[Field] = &[field(
    "settings",
    Kind::Map(&Kind::Any),
    "Keywords of sshd_config; a list is one line for each.",
)];

/// The packet filter.
pub(in crate::config) const FIREWALL: &[Field] = &[TEXT, SOURCE, FILLED, DRIFT_OF];

/// A podman quadlet.
pub(in crate::config) const QUADLET: &[Field] = &[
    TEXT,
    SOURCE,
    FILLED,
    field(
        "start",
        Kind::Boolean,
        "Running, or stopped; left as it is when left out.",
    ),
    CONFLICT,
    DRIFT_OF,
];
