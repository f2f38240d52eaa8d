//! All hosts of a repository, resolved and built: everything that can be found out without a host. Nothing is written,
//! and nothing but the snapshot is read; who looks at unit files is for the caller to say.

mod found;
mod keys;
mod layout;
mod one_host;
mod people;
mod secrets;
mod units;

use std::collections::BTreeMap;

use crate::config::{ConfigErrors, Fleet, HostName, Severity, Used};
use crate::host::{Digest, Watcher, for_each};
use crate::source::Snapshot;
use found::Found;
pub use found::{Finding, excerpts};
use one_host::OneHost;
pub use secrets::secret_uses;
pub use units::UnitVerifier;

#[cfg(test)]
mod tests;

/// What is to be checked, and with whose help.
#[derive(Clone, Copy)]
pub struct CheckRequest<'a> {
    /// Only this host; all if there is none.
    pub host: Option<&'a HostName>,
    /// Who looks at unit files; nobody if there is none.
    pub verifier: Option<&'a UnitVerifier<'a>>,
    /// Who is told how far it is.
    pub watcher: Watcher<'a>,
}

/// What came of checking a repository.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Checked {
    /// Every host with the digest of what it is to be; `None` if something is wrong with it.
    pub hosts: BTreeMap<HostName, Option<Digest>>,
    /// How many modules the repository has.
    pub modules: usize,
    /// What must be put right, by place.
    pub errors: Vec<Finding>,
    /// What should be looked at, by place.
    pub warnings: Vec<Finding>,
    /// What was not looked at, and why.
    pub notes: Vec<String>,
}

/// Resolves and builds the hosts of a snapshot, and looks at what they share.
#[must_use]
pub fn check(snapshot: &Snapshot, request: CheckRequest<'_>) -> Checked {
    let fleet = Fleet::read(snapshot);
    let names: Vec<HostName> = match request.host {
        Some(host) => vec![host.clone()],
        None => fleet.hosts(),
    };
    let units = units::Verified::by(request.verifier);
    let hosts = for_each(&names, ("checking", request.watcher), |host| {
        OneHost::check(&fleet, snapshot, host, &units)
    });
    let mut found = Found::default();
    for one in &hosts {
        for (severity, error) in &one.findings {
            found.add(*severity, error.clone(), Some(&one.name));
        }
    }
    found.all(secrets::readable(snapshot, &hosts));
    if request.host.is_none() {
        shared(&fleet, snapshot, &hosts, &mut found);
    }
    let (errors, warnings) = found.into_findings();
    Checked {
        hosts: hosts
            .into_iter()
            .map(|one| (one.name, one.digest))
            .collect(),
        modules: fleet.modules().count(),
        errors,
        warnings,
        notes: units.into_notes(),
    }
}

/// What is about no host in particular.
fn shared(fleet: &Fleet<'_>, snapshot: &Snapshot, hosts: &[OneHost], found: &mut Found) {
    let errors = fleet.errors_in_shared_files();
    found.all(
        errors
            .iter()
            .flat_map(ConfigErrors::errors)
            .map(|error| (Severity::Error, error.clone())),
    );
    found.all(layout::stray(snapshot));
    found.all(keys::of_hosts(snapshot));
    found.all(keys::of_people(snapshot));
    found.all(people::uids(fleet));
    // A module that only a wrong host has on would seem to be on nowhere.
    if hosts.iter().all(|one| one.digest.is_some()) {
        let mut used = Used::default();
        for one in hosts {
            used.extend(&one.used);
        }
        let unused = fleet.unused(&used);
        found.all(
            unused
                .iter()
                .flat_map(ConfigErrors::errors)
                .map(|error| (Severity::Warning, error.clone())),
        );
    }
}
