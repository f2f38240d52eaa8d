//! What the hosts of the working copy use: their host files resolved as they lie there, committed or not.

use std::collections::BTreeMap;

use crate::config::{ConfigErrors, HostConfig, hosts, resolve};
use crate::secrets::{HostFileTrouble, HostUse, Repository, SecretUse, Usage};
use crate::source::{RepoPath, Snapshot};

/// Resolves every host file of `repository`.
pub(super) fn usage_of(repository: &Repository) -> Usage {
    let mut files = BTreeMap::new();
    for file in repository.files() {
        // Only a host file is read to find out what the host uses; of others it is enough that they are there.
        let text = if is_host_file(&file) {
            // One that cannot be read is as one that is empty to whoever resolves it: wrong.
            repository.read(&file).ok().flatten().unwrap_or_default()
        } else {
            Vec::new()
        };
        files.insert(file, text);
    }
    let snapshot = Snapshot::in_memory(files);
    let mut usage = Usage::default();
    for host in hosts(&snapshot) {
        let Ok(file) = RepoPath::new(format!("hosts/{host}/host.yml")) else {
            continue;
        };
        let secrets = resolve(&snapshot, &host)
            .map(|config| secrets_of(&config))
            .map_err(|errors| trouble_of(&errors));
        usage
            .hosts
            .insert(host.to_string(), HostUse { file, secrets });
    }
    usage
}

/// Whether `file` says what a host is.
pub(super) fn is_host_file(file: &RepoPath) -> bool {
    file.as_str().starts_with("hosts/") && file.as_str().ends_with("/host.yml")
}

fn secrets_of(config: &HostConfig) -> Vec<SecretUse> {
    let secrets = config.secrets.iter().map(|(name, located)| SecretUse {
        name: name.to_string(),
        file: located.value.file.clone(),
        key: located.value.key.clone(),
        line: located.origin.line,
    });
    secrets.collect()
}

fn trouble_of(errors: &ConfigErrors) -> HostFileTrouble {
    let Some(first) = errors.errors().first() else {
        return HostFileTrouble {
            what: "the host file cannot be resolved".to_owned(),
            line: None,
            fix: None,
        };
    };
    let more = errors.errors().len() - 1;
    let what = if more == 0 {
        first.message.clone()
    } else {
        format!("{} (and {more} more)", first.message)
    };
    HostFileTrouble {
        what,
        line: first.mark.as_ref().map(|mark| mark.origin.line),
        fix: first.fix.clone(),
    }
}
