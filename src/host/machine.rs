//! The running kernel: host name, parameters, boot, and how its route tables are read.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::Host;

/// Something of the kernel that could not be read or set.
#[derive(Debug, thiserror::Error)]
pub enum MachineError {
    /// The host name was refused.
    #[error("cannot set the host name to `{hostname}`")]
    Hostname {
        /// The name.
        hostname: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// There is no parameter of that name.
    #[error("the kernel has no parameter `{key}`")]
    NoSuchSysctl {
        /// The dotted name.
        key: String,
    },
    /// The parameter could not be read.
    #[error("cannot read the kernel parameter `{key}`")]
    ReadSysctl {
        /// The dotted name.
        key: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The value was refused.
    #[error("cannot set the kernel parameter `{key}` to `{value}`")]
    SetSysctl {
        /// The dotted name.
        key: String,
        /// The value.
        value: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// `NetworkManager` did not take its connections, or one did not come up.
    #[error("NetworkManager does not do what its connections say")]
    Connections(#[source] super::exec::ExecError),
    /// A file of `/proc` could not be read.
    #[error("cannot read {}", path.display())]
    Proc {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl MachineError {
    /// How to put it right, where that is known.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Connections(_) => Some("see `journalctl -u NetworkManager -e`".to_owned()),
            Self::NoSuchSysctl { key } => Some(format!(
                "check the name, or load the kernel module that brings `{key}`"
            )),
            Self::Hostname { source, .. }
            | Self::ReadSysctl { source, .. }
            | Self::SetSysctl { source, .. }
            | Self::Proc { source, .. } => match source.kind() {
                io::ErrorKind::PermissionDenied => Some("run it as root".to_owned()),
                io::ErrorKind::ReadOnlyFilesystem => {
                    Some("a container cannot set it; set it on the machine below".to_owned())
                }
                io::ErrorKind::InvalidInput => {
                    Some("the kernel does not take this value; see its documentation".to_owned())
                }
                _ => None,
            },
        }
    }
}

impl Host {
    /// The running host name; `None` below a root.
    #[must_use]
    pub fn hostname(&self) -> Option<String> {
        self.is_live().then(|| {
            rustix::system::uname()
                .nodename()
                .to_string_lossy()
                .into_owned()
        })
    }

    /// Sets the running host name, not `/etc/hostname`. Below a root nothing runs, and nothing happens.
    ///
    /// # Errors
    /// [`MachineError::Hostname`].
    pub fn set_hostname(&self, hostname: &str) -> Result<(), MachineError> {
        if !self.is_live() {
            return Ok(());
        }
        rustix::system::sethostname(hostname.as_bytes()).map_err(|errno| MachineError::Hostname {
            hostname: hostname.to_owned(),
            source: errno.into(),
        })
    }

    /// The running value of a kernel parameter by its dotted name, in the form of [`normal_sysctl`].
    ///
    /// `None` if the kernel has none of that name, or below a root.
    ///
    /// # Errors
    /// [`MachineError::ReadSysctl`].
    pub fn sysctl(&self, key: &str) -> Result<Option<String>, MachineError> {
        let Some(path) = sysctl_path(key).filter(|_| self.is_live()) else {
            return Ok(None);
        };
        match fs::read_to_string(path) {
            Ok(value) => Ok(Some(normal_sysctl(&value))),
            Err(source) if source.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(MachineError::ReadSysctl {
                key: key.to_owned(),
                source,
            }),
        }
    }

    /// Sets a running kernel parameter. Below a root nothing runs, and nothing happens.
    ///
    /// # Errors
    /// [`MachineError::NoSuchSysctl`], or [`MachineError::SetSysctl`] if the kernel does not take the value.
    pub fn set_sysctl(&self, key: &str, value: &str) -> Result<(), MachineError> {
        if !self.is_live() {
            return Ok(());
        }
        let unknown = || MachineError::NoSuchSysctl {
            key: key.to_owned(),
        };
        let path = sysctl_path(key).ok_or_else(unknown)?;
        let written = OpenOptions::new()
            .write(true)
            .open(path)
            // One write: the kernel parses each by itself.
            .and_then(|mut file| file.write_all(value.as_bytes()));
        written.map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => unknown(),
            _ => MachineError::SetSysctl {
                key: key.to_owned(),
                value: value.to_owned(),
                source,
            },
        })
    }

    /// The id of this boot, which no other boot has; `None` below a root.
    ///
    /// # Errors
    /// [`MachineError::Proc`].
    pub fn boot_id(&self) -> Result<Option<String>, MachineError> {
        if !self.is_live() {
            return Ok(None);
        }
        let id = read_proc(Path::new("/proc/sys/kernel/random/boot_id"))?;
        Ok(Some(id.trim().to_owned()))
    }
}

/// A kernel parameter's value as it is compared: without surrounding blanks, one space between its parts.
#[must_use]
pub fn normal_sysctl(value: &str) -> String {
    value.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The file of a parameter. As in sysctl(8), `/` in a dotted name stands for a dot: `net.ipv4.conf.eth0/1.forwarding`.
fn sysctl_path(key: &str) -> Option<PathBuf> {
    let mut path = PathBuf::from("/proc/sys");
    for part in key.split('.') {
        let part = part.replace('/', ".");
        if part.is_empty() || part == "." || part == ".." || part.contains('\0') {
            return None;
        }
        path.push(part);
    }
    Some(path)
}

pub(super) fn read_proc(path: &Path) -> Result<String, MachineError> {
    fs::read_to_string(path).map_err(|source| MachineError::Proc {
        path: path.to_owned(),
        source,
    })
}

/// `RTF_UP` and `RTF_REJECT` of `linux/route.h`.
const ROUTE_UP: u32 = 0x0001;
const ROUTE_REJECT: u32 = 0x0200;

fn is_usable(flags: &str) -> bool {
    u32::from_str_radix(flags, 16)
        .is_ok_and(|flags| flags & ROUTE_UP != 0 && flags & ROUTE_REJECT == 0)
}

/// Fields: interface, destination, gateway, flags, references, use, metric, mask.
pub(super) fn has_ipv4_default_route(table: &str) -> bool {
    table.lines().skip(1).any(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        matches!(
            fields.as_slice(),
            [_, "00000000", _, flags, _, _, _, "00000000", ..] if is_usable(flags)
        )
    })
}

/// Fields: destination, its prefix length, source, its prefix length, next hop, metric, references, use, flags, interface.
pub(super) fn has_ipv6_default_route(table: &str) -> bool {
    table.lines().any(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        matches!(
            fields.as_slice(),
            [destination, "00", _, _, _, _, _, _, flags, interface]
                if destination.bytes().all(|b| b == b'0') && is_usable(flags) && *interface != "lo"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameter_names_stay_below_proc_sys() {
        let path = |key| sysctl_path(key).map(|path| path.to_string_lossy().into_owned());
        assert_eq!(
            path("net.ipv4.ip_forward").unwrap(),
            "/proc/sys/net/ipv4/ip_forward"
        );
        assert_eq!(
            path("net.ipv4.conf.eth0/1.forwarding").unwrap(),
            "/proc/sys/net/ipv4/conf/eth0.1/forwarding"
        );
        for bad in ["", "a..b", ".a", "a.", "a.//.b", "net.//"] {
            assert_eq!(path(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn default_routes_are_told_from_others() {
        let header =
            "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n";
        let default = "eth0\t00000000\t01D50A0A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n";
        let local = "eth0\t00D50A0A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n";
        assert!(has_ipv4_default_route(&format!("{header}{local}{default}")));
        assert!(!has_ipv4_default_route(&format!("{header}{local}")));
        assert!(!has_ipv4_default_route(""));
        let zero = "00000000000000000000000000000000";
        let route = |flags, device| {
            format!(
                "{zero} 00 {zero} 00 fe800000000000000000000000000001 00000400 00000001 00000000 {flags} {device}"
            )
        };
        assert!(has_ipv6_default_route(&route("00000003", "eth0")));
        assert!(!has_ipv6_default_route(&route("00200200", "lo")));
    }

    #[test]
    fn values_are_compared_without_their_blanks() {
        assert_eq!(normal_sysctl("32768\t60999\n"), "32768 60999");
    }

    #[test]
    fn the_live_machine_has_a_boot_and_a_name() {
        let host = Host::live().unwrap();
        assert_eq!(host.boot_id().unwrap().unwrap().len(), 36);
        assert!(!host.hostname().unwrap().is_empty());
        assert_eq!(host.sysctl("kernel.no_such_thing").unwrap(), None);
        assert!(host.sysctl("kernel.ostype").unwrap().is_some());
        assert!(matches!(
            host.set_sysctl("kernel.no_such_thing", "1"),
            Err(MachineError::NoSuchSysctl { .. })
        ));
    }

    #[test]
    fn below_a_root_nothing_of_the_kernel_is_touched() {
        let dir = tempfile::tempdir().unwrap();
        let host = Host::below(dir.path()).unwrap();
        host.set_hostname("elsewhere").unwrap();
        host.set_sysctl("kernel.hostname", "elsewhere").unwrap();
        assert_eq!(host.hostname(), None);
        assert_ne!(
            Host::live().unwrap().hostname().as_deref(),
            Some("elsewhere")
        );
    }
}
