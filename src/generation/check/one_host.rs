//! One host: resolved, built, its units looked at.

use super::people;
use super::secrets::secret_uses;
use super::units::Verified;
use crate::config::{ConfigError, ConfigErrors, Fleet, HostName, Severity, Used, disk};
use crate::generation::build;
use crate::host::Digest;
use crate::secrets::SecretUse;
use crate::source::Snapshot;

/// What came of one host.
pub(super) struct OneHost {
    pub(super) name: HostName,
    /// Digest of what it is to be; `None` if something is wrong with it.
    pub(super) digest: Option<Digest>,
    /// The secrets it uses, as far as it could be resolved.
    pub(super) secrets: Vec<SecretUse>,
    /// What it has on and reads.
    pub(super) used: Used,
    pub(super) findings: Vec<(Severity, ConfigError)>,
}

impl OneHost {
    pub(super) fn check(
        fleet: &Fleet<'_>,
        snapshot: &Snapshot,
        host: &HostName,
        units: &Verified<'_>,
    ) -> Self {
        let mut one = Self {
            name: host.clone(),
            digest: None,
            secrets: Vec::new(),
            used: Used::default(),
            findings: Vec::new(),
        };
        if let Err(errors) = disk(snapshot, host) {
            one.wrong(&errors);
        }
        let (config, used) = match fleet.config(host) {
            Ok(resolved) => resolved,
            Err(errors) => {
                one.wrong(&errors);
                return one;
            }
        };
        one.used = used;
        one.secrets = secret_uses(&config);
        one.findings.extend(people::nobody_can_log_in(&config));
        one.findings.extend(people::misspelt_owners(&config));
        match build(&config, snapshot) {
            Ok(built) => {
                one.findings.extend(units.of(&config, &built, snapshot));
                one.digest = Some(built.digest);
            }
            Err(errors) => one.wrong(&errors),
        }
        one
    }

    fn wrong(&mut self, errors: &ConfigErrors) {
        let errors = errors.errors().iter().cloned();
        self.findings
            .extend(errors.map(|error| (Severity::Error, error)));
    }
}
