//! From the configuration of a host to its manifest. Pure: reads the snapshot and nothing else.

mod accounts;
mod bring;
mod builder;
mod containers;
mod environment;
mod home;
mod machine;
mod mounts;
mod network;
mod paths;
mod secrets;
mod services;
mod software;
#[cfg(test)]
mod tests;
mod units;
mod wireguard;

use std::collections::BTreeMap;

use super::Manifest;
use crate::config::{ConfigErrors, HostConfig, Origin};
use crate::host::Digest;
use crate::source::Snapshot;
use builder::Builder;
pub(super) use secrets::chain;

/// A generation before it has a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// What the host is to be.
    pub manifest: Manifest,
    /// SHA-256 of the canonical manifest.
    pub digest: Digest,
    /// Every object the manifest names: file contents, ciphertext of secret files.
    pub objects: BTreeMap<Digest, Vec<u8>>,
    /// Where each resource was written, by `kind name`; see [`Provenance`](super::Provenance).
    pub origins: BTreeMap<String, Origin>,
}

/// Builds the manifest of one host.
///
/// The same configuration and snapshot give the same digest on every machine: there is no clock, no network and no
/// fact of this machine in it.
///
/// # Errors
/// [`ConfigErrors`]: entries that contradict each other, unit files without what they need, secrets that are not in
/// their file. All of them, each at its line.
pub fn build(config: &HostConfig, snapshot: &Snapshot) -> Result<Built, ConfigErrors> {
    let mut builder = Builder::new(config, snapshot);
    builder.machine();
    builder.environment();
    builder.software();
    builder.accounts();
    builder.files();
    builder.units();
    builder.secrets();
    builder.templates();
    builder.homes();
    builder.mounts();
    builder.network();
    builder.wireguard();
    builder.sshd();
    builder.firewall();
    builder.containers();
    builder.finish()
}
