//! From a repository to the configuration of one host.

use super::error::{ConfigError, ConfigErrors};
use super::{HostConfig, HostName};
use crate::source::Snapshot;

/// Every host of the repository, in order: the folders of `hosts/` with a `host.yml`.
#[must_use]
pub fn hosts(snapshot: &Snapshot) -> Vec<HostName> {
    snapshot
        .paths()
        .filter_map(|path| {
            let name = path.as_str().strip_prefix("hosts/")?;
            let name = name.strip_suffix("/host.yml")?;
            HostName::new(name).ok()
        })
        .collect()
}

/// Resolves what the repository says about `host`.
///
/// # Errors
/// [`ConfigErrors`]: everything that is wrong, each at its line.
pub fn resolve(_snapshot: &Snapshot, host: &HostName) -> Result<HostConfig, ConfigErrors> {
    Err(ConfigError::new(format!("host `{host}` cannot be resolved yet")).into())
}
