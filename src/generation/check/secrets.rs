//! Secrets that a host uses and could not open. No key is needed: who can open a file is written in it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::one_host::OneHost;
use crate::config::{ConfigError, HostConfig, Origin, Severity};
use crate::secrets::{
    self, FindingKind, HostUse, Repository, SecretUse, Usage, Verification, broken_rules,
};
use crate::source::{RepoPath, Snapshot};

/// The secrets of a host, each with the place that asks for it.
#[must_use]
pub fn secret_uses(config: &HostConfig) -> Vec<SecretUse> {
    let secrets = config.secrets.iter().map(|(name, located)| SecretUse {
        name: name.to_string(),
        file: located.value.file.clone(),
        key: located.value.key.clone(),
        said_in: located.origin.file.clone(),
        line: located.origin.line,
    });
    secrets.collect()
}

/// What the hosts use and cannot open, and hosts that use secrets and have no key that is known.
pub(super) fn readable(snapshot: &Snapshot, hosts: &[OneHost]) -> Vec<(Severity, ConfigError)> {
    let mut usage = Usage::default();
    for host in hosts.iter().filter(|host| !host.secrets.is_empty()) {
        let Ok(file) = RepoPath::new(format!("hosts/{}/host.yml", host.name)) else {
            continue;
        };
        let used = HostUse {
            file,
            secrets: Ok(host.secrets.clone()),
        };
        usage.hosts.insert(host.name.to_string(), used);
    }
    if usage.hosts.is_empty() {
        return Vec::new();
    }
    let repository = match Repository::of_files(Path::new(""), files(snapshot, &usage)) {
        Ok(repository) => repository,
        Err(error) => {
            return broken_rules(&error)
                .iter()
                .map(|finding| said(finding, snapshot))
                .collect();
        }
    };
    let checked = secrets::check(&repository, &usage, Verification::None, &|_| ());
    let about_hosts = checked.findings.iter().filter(|finding| {
        matches!(
            finding.kind,
            FindingKind::CannotOpen | FindingKind::NoHostKey
        )
    });
    about_hosts.map(|finding| said(finding, snapshot)).collect()
}

/// The rules, the keys of hosts and the secret files that are used; nothing else has to be read.
fn files(snapshot: &Snapshot, usage: &Usage) -> BTreeMap<RepoPath, Vec<u8>> {
    let used: BTreeSet<&RepoPath> = usage.secrets().map(|(_, secret)| &secret.file).collect();
    let mut files = BTreeMap::new();
    for path in snapshot.paths() {
        let text = path.as_str();
        let is_key = text.starts_with("hosts/") && text.strip_suffix(".pub").is_some();
        // What cannot be read is told by the build of the host that uses it.
        if (text == ".sops.yaml" || is_key || used.contains(path))
            && let Ok(Some(content)) = snapshot.read(path)
        {
            files.insert(path.clone(), content);
        }
    }
    // Without rules, the files still say who can open them.
    if let Ok(rules) = RepoPath::new(".sops.yaml") {
        let none = || b"creation_rules: []\n".to_vec();
        files.entry(rules).or_insert_with(none);
    }
    files
}

fn said(finding: &secrets::Finding, snapshot: &Snapshot) -> (Severity, ConfigError) {
    let line = finding.line.unwrap_or(1);
    // A finding knows its line; what it is about begins where the line does.
    let text = snapshot
        .read(&finding.file)
        .ok()
        .flatten()
        .unwrap_or_default();
    let text = String::from_utf8_lossy(&text).into_owned();
    let index = usize::try_from(line)
        .unwrap_or(usize::MAX)
        .saturating_sub(1);
    let written = text.lines().nth(index).unwrap_or_default();
    let indent = written.chars().take_while(|c| c.is_whitespace()).count();
    let mut error = ConfigError::new(finding.what.clone()).at(&Origin {
        file: finding.file.clone(),
        line,
        column: u32::try_from(indent + 1).unwrap_or(u32::MAX),
    });
    error.fix.clone_from(&finding.fix);
    // A host whose key is still to come is on its way, not wrong.
    let severity = match finding.kind {
        FindingKind::NoHostKey => Severity::Warning,
        _ => Severity::Error,
    };
    (severity, error)
}
