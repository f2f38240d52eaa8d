//! What a machine can reach: asked before and after a change.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::path::Path;

use super::Host;
use super::machine::{MachineError, has_ipv4_default_route, has_ipv6_default_route, read_proc};

/// The families of the internet protocol that have a default route.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DefaultRoutes {
    /// IPv4.
    pub ipv4: Route,
    /// IPv6.
    pub ipv6: Route,
}

/// Whether there is a way out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Route {
    /// There is none.
    #[default]
    Missing,
    /// There is one.
    There,
}

impl Host {
    /// Which default routes there are; `None` below a root.
    ///
    /// # Errors
    /// [`MachineError::Proc`].
    pub fn default_routes(&self) -> Result<Option<DefaultRoutes>, MachineError> {
        if !self.is_live() {
            return Ok(None);
        }
        let ipv4 = read_proc(Path::new("/proc/net/route"))?;
        let ipv6 = match read_proc(Path::new("/proc/net/ipv6_route")) {
            // A kernel without IPv6.
            Err(MachineError::Proc { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                String::new()
            }
            read => read?,
        };
        let mut routes = DefaultRoutes::default();
        if has_ipv4_default_route(&ipv4) {
            routes.ipv4 = Route::There;
        }
        if has_ipv6_default_route(&ipv6) {
            routes.ipv6 = Route::There;
        }
        Ok(Some(routes))
    }

    /// The addresses that this machine shows to the outside, at most one of each family; none below a root.
    #[must_use]
    pub fn primary_addresses(&self) -> Vec<IpAddr> {
        if !self.is_live() {
            return Vec::new();
        }
        // Addresses of documentation, which nobody has. To connect a datagram socket sends nothing: it only makes the
        // kernel choose where it would send from.
        let outside: [SocketAddr; 2] = [
            (Ipv4Addr::new(192, 0, 2, 1), 9).into(),
            (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1), 9).into(),
        ];
        outside.into_iter().filter_map(chosen_towards).collect()
    }
}

/// The address from which something would be sent to `outside`; `None` if there is no way to it.
fn chosen_towards(outside: SocketAddr) -> Option<IpAddr> {
    let any: SocketAddr = match outside {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(any).ok()?;
    socket.connect(outside).ok()?;
    let chosen = socket.local_addr().ok()?.ip();
    (!chosen.is_loopback() && !chosen.is_unspecified()).then_some(chosen)
}
