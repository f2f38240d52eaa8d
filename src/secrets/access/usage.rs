//! What hosts use, as plain data: reading host files is for a room above.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::RepoPath;

/// Which host uses which secrets.
#[derive(Debug, Clone, Default)]
pub struct Usage {
    /// Every host that has a host file.
    pub hosts: BTreeMap<String, HostUse>,
}

/// What one host uses.
#[derive(Debug, Clone)]
pub struct HostUse {
    /// Its host file.
    pub file: RepoPath,
    /// The secrets; or what is wrong with the host file, so that nobody can tell.
    pub secrets: Result<Vec<SecretUse>, HostFileTrouble>,
}

/// A host file from which no configuration can be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostFileTrouble {
    /// What is wrong first.
    pub what: String,
    /// The file that it is about, where that is not the host file.
    pub file: Option<RepoPath>,
    /// Line of that file, from 1, where that is known.
    pub line: Option<u32>,
    /// How to put it right.
    pub fix: Option<String>,
}

/// One secret that a host uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretUse {
    /// What the host calls it.
    pub name: String,
    /// The secret file.
    pub file: RepoPath,
    /// Where in it, outermost key first.
    pub key: Vec<String>,
    /// The file that says so: the host's, a module's or a person's.
    pub said_in: RepoPath,
    /// Line of that file, from 1.
    pub line: u32,
}

impl Usage {
    /// The secrets that are known to be used, with the hosts.
    pub fn secrets(&self) -> impl Iterator<Item = (&str, &SecretUse)> {
        self.hosts.iter().flat_map(|(host, used)| {
            let secrets = used.secrets.as_deref().unwrap_or_default();
            secrets.iter().map(move |secret| (host.as_str(), secret))
        })
    }

    /// The secret files that `host` uses; nothing if that cannot be told.
    #[must_use]
    pub fn files_of(&self, host: &str) -> Option<BTreeSet<RepoPath>> {
        let secrets = self.hosts.get(host)?.secrets.as_ref().ok()?;
        Some(secrets.iter().map(|secret| secret.file.clone()).collect())
    }
}
