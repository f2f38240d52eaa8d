//! What the hosts of the working copy use: host files and modules resolved as they lie there, committed or not.

use std::collections::BTreeMap;

use crate::cli::inputs::complete;
use crate::cli::problem::warn;
use crate::config::{ConfigErrors, Fleet};
use crate::generation::secret_uses;
use crate::secrets::{HostFileTrouble, HostUse, Repository, Usage};
use crate::source::{RepoPath, Snapshot};

/// Resolves every host file of `repository`.
pub(super) fn usage_of(repository: &Repository) -> Usage {
    let mut files = BTreeMap::new();
    for file in repository.files() {
        // Only these are read to find out what the host uses; of others it is enough that they are there.
        let text = if speaks_of_hosts(&file) {
            // A host file that cannot be read is as one that is empty to whoever resolves it: wrong.
            repository.read(&file).ok().flatten().unwrap_or_default()
        } else {
            Vec::new()
        };
        files.insert(file, text);
    }
    usage_in(&complete_or_as_it_is(files))
}

/// Resolves every host file of a snapshot.
pub(in crate::cli) fn usage_in(snapshot: &Snapshot) -> Usage {
    let mut usage = Usage::default();
    let fleet = Fleet::read(snapshot);
    for host in fleet.hosts() {
        let Ok(file) = RepoPath::new(format!("hosts/{host}/host.yml")) else {
            continue;
        };
        let secrets = fleet
            .config(&host)
            .map(|(config, _)| secret_uses(&config))
            .map_err(|errors| trouble_of(&errors));
        usage
            .hosts
            .insert(host.to_string(), HostUse { file, secrets });
    }
    usage
}

/// The files, with those of the inputs where these can be had; else hosts that use them say what is missing.
fn complete_or_as_it_is(files: BTreeMap<RepoPath, Vec<u8>>) -> Snapshot {
    complete(Snapshot::in_memory(files.clone())).unwrap_or_else(|problem| {
        warn(&problem);
        Snapshot::in_memory(files)
    })
}

/// Whether `file` says something about what hosts are: host files, modules, people, variables.
fn speaks_of_hosts(file: &RepoPath) -> bool {
    let file = file.as_str();
    let is = |folder: &str, end: &str| file.starts_with(folder) && file.ends_with(end);
    file == "fleet.yml"
        || file == "fleet.lock"
        || is("hosts/", "/host.yml")
        || is("modules/", "/module.yml")
        || is("users/", ".yml")
}

fn trouble_of(errors: &ConfigErrors) -> HostFileTrouble {
    let Some(first) = errors.errors().first() else {
        return HostFileTrouble {
            what: "the host file cannot be resolved".to_owned(),
            file: None,
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
        file: first.mark.as_ref().map(|mark| mark.origin.file.clone()),
        line: first.mark.as_ref().map(|mark| mark.origin.line),
        fix: first.fix.clone(),
    }
}
