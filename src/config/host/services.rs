//! Services that have keys of their own: the SSH server, the firewall, containers.

use std::collections::BTreeMap;

use super::{Enforcement, FileSource, OnConflict};
use crate::host::{InvalidName, UnitName};
use crate::name::checked_name;

/// Settings of the SSH server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SshdConfig {
    /// Keywords of `sshd_config`, each with the values of its lines.
    pub settings: BTreeMap<String, Vec<String>>,
}

/// The packet filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirewallConfig {
    /// The whole nftables ruleset.
    pub source: FileSource,
    /// Drift policy; the host's when absent.
    pub drift: Option<Enforcement>,
}

checked_name!(
    /// The name of a quadlet, `ollama.container`: a file that podman makes a unit of.
    QuadletName, "quadlet name", |text| {
        let Some((stem, suffix)) = text.rsplit_once('.') else {
            return Err(QUADLET_SUFFIX);
        };
        if !QUADLET_UNITS.iter().any(|(known, _)| *known == suffix) {
            return Err(QUADLET_SUFFIX);
        }
        if stem.is_empty() || stem.starts_with('@') || text.len() > 200 {
            return Err("must have a name before its type, and at most 200 bytes");
        }
        if stem.starts_with('.') || !stem.bytes().all(|b| b.is_ascii_alphanumeric() || b":-_.@".contains(&b)) {
            return Err("may contain only letters, digits and `:-_.@`");
        }
        Ok(())
    }
);

const QUADLET_SUFFIX: &str =
    "must end with .container, .volume, .network, .pod, .kube, .image or .build";

/// Types of quadlets, and what comes after their name in the name of their service. Source: podman-systemd.unit(5).
const QUADLET_UNITS: [(&str, &str); 7] = [
    ("container", ""),
    ("kube", ""),
    ("volume", "-volume"),
    ("network", "-network"),
    ("pod", "-pod"),
    ("image", "-image"),
    ("build", "-build"),
];

impl QuadletName {
    /// The type: `container`.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.as_str().rsplit_once('.').map_or("", |(_, kind)| kind)
    }

    /// The unit that podman makes of it: `ollama.container` gives `ollama.service`, `data.volume` gives
    /// `data-volume.service`.
    ///
    /// # Errors
    /// [`InvalidName`] if that is not the name of a unit.
    pub fn unit(&self) -> Result<UnitName, InvalidName> {
        let (stem, kind) = self.as_str().rsplit_once('.').unwrap_or_default();
        let known = QUADLET_UNITS.iter().find(|(known, _)| *known == kind);
        let suffix = known.map_or("", |(_, suffix)| suffix);
        UnitName::new(match stem.strip_suffix('@') {
            Some(template) => format!("{template}{suffix}@.service"),
            None => format!("{stem}{suffix}.service"),
        })
    }
}

/// A podman quadlet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuadletConfig {
    /// The file.
    pub source: FileSource,
    /// Running, stopped, or left as it is.
    pub start: Option<bool>,
    /// What to do about a foreign file in its place.
    pub on_conflict: OnConflict,
    /// Drift policy; the host's when absent.
    pub drift: Option<Enforcement>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quadlet_knows_the_unit_that_comes_of_it() {
        for (quadlet, unit) in [
            ("ollama.container", "ollama.service"),
            ("data.volume", "data-volume.service"),
            ("lan.network", "lan-network.service"),
            ("web.pod", "web-pod.service"),
            ("play.kube", "play.service"),
            ("app.image", "app-image.service"),
            ("app.build", "app-build.service"),
            ("web@.container", "web@.service"),
        ] {
            let name = QuadletName::new(quadlet).unwrap();
            assert_eq!(name.unit().unwrap().as_str(), unit);
        }
        for bad in [
            "ollama",
            "ollama.service",
            ".container",
            "a/b.container",
            "@.pod",
        ] {
            assert!(QuadletName::new(bad).is_err(), "{bad:?} was taken");
        }
    }
}
