//! All hosts of a repository, resolved and built: what can be found out without a host.

use std::collections::BTreeMap;

use super::build;
use crate::config::{Colour, ConfigError, ConfigErrors, Fleet, HostName, Origin, Severity};
use crate::host::Digest;
use crate::source::{RepoPath, Snapshot};

#[cfg(test)]
mod tests;

/// What came of checking a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Every host with the digest of what it is to be; `None` if something is wrong with it.
    pub hosts: BTreeMap<HostName, Option<Digest>>,
    /// What must be put right.
    pub errors: Vec<Finding>,
    /// What should be looked at.
    pub warnings: Vec<Finding>,
}

/// One thing that is wrong or that should be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it is.
    pub error: ConfigError,
    /// The hosts that have it; none if it is about no host.
    pub hosts: Vec<HostName>,
    /// It with its source line, as text.
    pub excerpt: String,
    /// The same with colours.
    pub coloured: String,
}

/// Resolves and builds every host of a snapshot, and looks at what they share.
#[must_use]
pub fn check(snapshot: &Snapshot) -> Checked {
    let fleet = Fleet::read(snapshot);
    let mut found = Found::default();
    let mut hosts = BTreeMap::new();
    let mut resolutions = Vec::new();
    for host in fleet.hosts() {
        let resolution = match fleet.resolve(&host) {
            Ok(resolution) => resolution,
            Err(errors) => {
                found.take(&errors, Severity::Error, Some(&host));
                hosts.insert(host, None);
                continue;
            }
        };
        let built = build(&resolution.config, snapshot);
        if let Err(errors) = &built {
            found.take(errors, Severity::Error, Some(&host));
        }
        hosts.insert(host, built.ok().map(|built| built.digest));
        resolutions.push(resolution);
    }
    if let Some(errors) = fleet.errors_in_shared_files() {
        found.take(&errors, Severity::Error, None);
    }
    if let Some(errors) = ConfigErrors::of_run(shared_keys(snapshot), snapshot) {
        found.take(&errors, Severity::Error, None);
    }
    // A module that only a wrong host has on would seem to be on nowhere.
    let mut warnings = Found::default();
    if hosts.values().all(Option::is_some)
        && let Some(unused) = fleet.unused(&resolutions)
    {
        warnings.take(&unused, Severity::Warning, None);
    }
    Checked {
        hosts,
        errors: found.into_findings(),
        warnings: warnings.into_findings(),
    }
}

/// Findings by their text: what many hosts have is said once.
#[derive(Default)]
struct Found {
    findings: BTreeMap<(Option<Origin>, String), Finding>,
}

impl Found {
    fn take(&mut self, errors: &ConfigErrors, severity: Severity, host: Option<&HostName>) {
        let plain = errors.excerpts_as(severity, Colour::Plain);
        let coloured = errors.excerpts_as(severity, Colour::Ansi);
        for ((error, excerpt), coloured) in errors.errors().iter().zip(plain).zip(coloured) {
            let origin = error.mark.as_ref().map(|mark| mark.origin.clone());
            let finding = self
                .findings
                .entry((origin, excerpt.clone()))
                .or_insert_with(|| Finding {
                    error: error.clone(),
                    hosts: Vec::new(),
                    excerpt,
                    coloured,
                });
            if let Some(host) = host {
                finding.hosts.push(host.clone());
            }
        }
    }

    fn into_findings(self) -> Vec<Finding> {
        self.findings.into_values().collect()
    }
}

/// Hosts with one and the same public key: each could open what is meant for the other.
fn shared_keys(snapshot: &Snapshot) -> Vec<ConfigError> {
    let mut seen: BTreeMap<String, &RepoPath> = BTreeMap::new();
    let mut errors = Vec::new();
    for path in snapshot.paths() {
        let text = path.as_str();
        let of_host = text.starts_with("hosts/") && text.ends_with("/ssh_host_ed25519_key.pub");
        // A key that cannot be read is refused where it is used.
        let Some(Ok(Some(content))) = of_host.then(|| snapshot.read(path)) else {
            continue;
        };
        let content = String::from_utf8_lossy(&content).into_owned();
        let key: Vec<&str> = content.split_whitespace().take(2).collect();
        if key.len() < 2 {
            continue;
        }
        let origin = |file: &RepoPath| Origin {
            file: file.clone(),
            line: 1,
            column: 1,
        };
        match seen.get(&key.join(" ")) {
            None => {
                seen.insert(key.join(" "), path);
            }
            Some(first) => errors.push(
                ConfigError::new("two hosts have the same key")
                    .at(&origin(path))
                    .related(&origin(first), "the other host's key is here")
                    .cause("each of them could open the secrets of the other, and they cannot be told apart")
                    .fix("give one of the machines a new key, or remove the file that is a copy"),
            ),
        }
    }
    errors
}
