//! From a repository to the configuration of one host.

use std::collections::BTreeMap;

use super::error::{ConfigError, ConfigErrors};
use super::nearest::nearest;
use super::parse::HostParser;
use super::repository::Repository;
use super::{HostConfig, HostName};
use crate::source::{RepoPath, Snapshot};

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
/// Reads nothing but the snapshot: the same snapshot and name give the same configuration on every machine.
///
/// # Errors
/// [`ConfigErrors`]: everything that is wrong, each at its line.
pub fn resolve(snapshot: &Snapshot, host: &HostName) -> Result<HostConfig, ConfigErrors> {
    let folder = format!("hosts/{host}");
    let unreadable = |error: &dyn std::fmt::Display| ConfigError::new(error.to_string());
    let file = RepoPath::new(format!("{folder}/host.yml")).map_err(|error| unreadable(&error))?;
    let content = snapshot
        .read(&file)
        .map_err(|error| unreadable(&error))?
        .ok_or_else(|| no_such_host(snapshot, host))?;
    let repository = Repository::new(snapshot, folder);
    let parser = HostParser::new(host.clone(), file.clone(), repository);
    let (config, errors) = parser.parse(&content);
    let text = String::from_utf8_lossy(&content).into_owned();
    match ConfigErrors::from_run(errors, BTreeMap::from([(file, text)])) {
        Some(errors) => Err(errors),
        None => Ok(config),
    }
}

fn no_such_host(snapshot: &Snapshot, host: &HostName) -> ConfigError {
    let missing = ConfigError::new(format!(
        "the repository has no host `{host}`: there is no `hosts/{host}/host.yml`"
    ));
    let folder = format!("hosts/{host}/");
    let other = snapshot.paths().find(|path| {
        path.as_str()
            .strip_prefix(&folder)
            .is_some_and(|name| name == "host.yaml")
    });
    if let Some(other) = other {
        return missing.fix(format!("rename `{other}` to `host.yml`"));
    }
    let hosts = hosts(snapshot);
    if let Some(meant) = nearest(host.as_str(), hosts.iter().map(HostName::as_str)) {
        return missing.fix(format!("did you mean `{meant}`?"));
    }
    match hosts.as_slice() {
        [] => missing.fix(format!(
            "it has no hosts at all; begin with `hosts/{host}/host.yml`"
        )),
        some => {
            let names: Vec<&str> = some.iter().map(HostName::as_str).take(20).collect();
            let more = some.len().saturating_sub(names.len());
            let tail = if more > 0 {
                format!(" and {more} more")
            } else {
                String::new()
            };
            missing.fix(format!("its hosts are {}{tail}", names.join(", ")))
        }
    }
}
