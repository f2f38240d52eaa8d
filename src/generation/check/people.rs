//! Accounts that nobody can use, and people that cannot be told apart.

use std::collections::BTreeMap;

use crate::config::{ConfigError, Fleet, HostConfig, Origin, Severity, UserConfig, nearest};
use crate::host::UserName;

/// Accounts for people that have neither a key nor a password.
pub(super) fn nobody_can_log_in(config: &HostConfig) -> Vec<(Severity, ConfigError)> {
    let locked = config.users.iter().filter(|(name, user)| {
        name.as_str() != "root" && is_for_people(&user.value) && !has_a_way_in(&user.value)
    });
    locked
        .map(|(name, user)| {
            let error = ConfigError::new(format!("nobody can log in as `{name}`"))
                .at(&user.origin)
                .cause("the account has neither an SSH key nor a password")
                .fix("give it `ssh_keys` or `password_secret`; an account that only runs programs is `system: true`, or has the shell /usr/sbin/nologin");
            (Severity::Warning, error)
        })
        .collect()
}

/// Owners that no account of the host has the name of, while one has nearly that name. Others may come with a package.
pub(super) fn misspelt_owners(config: &HostConfig) -> Vec<(Severity, ConfigError)> {
    let files = config
        .files
        .values()
        .map(|file| (file.value.owner.as_ref(), &file.origin));
    let directories = config.directories.values();
    let directories = directories.map(|one| (one.value.owner.as_ref(), &one.origin));
    let secrets = config
        .secrets
        .values()
        .map(|one| (one.value.owner.as_ref(), &one.origin));
    let templates = config.templates.values();
    let templates = templates.map(|one| (one.value.owner.as_ref(), &one.origin));
    let owners = files.chain(directories).chain(secrets).chain(templates);
    let accounts = || config.users.keys().map(UserName::as_str).chain(["root"]);
    let unknown = owners.filter_map(|(owner, origin)| {
        let owner = owner?;
        if accounts().any(|account| account == owner.as_str()) {
            return None;
        }
        let meant = nearest(owner.as_str(), accounts())?;
        let error = ConfigError::new(format!("no account of this host is called `{owner}`"))
            .at(origin)
            .fix(format!(
                "did you mean `{meant}`? an account that comes with a package is fine"
            ));
        Some((Severity::Warning, error))
    });
    unknown.collect()
}

fn is_for_people(user: &UserConfig) -> bool {
    let no_shell = user.shell.as_ref().is_some_and(|shell| {
        let shell = shell.as_str();
        shell.ends_with("/nologin") || shell.ends_with("/false")
    });
    !user.system && !no_shell
}

fn has_a_way_in(user: &UserConfig) -> bool {
    // A hash that begins with `!` or `*` is a lock.
    let hash = user.password_hash.as_deref();
    !user.ssh_keys.is_empty()
        || user.password_secret.is_some()
        || hash.is_some_and(|hash| !hash.starts_with(['!', '*']))
}

/// People with one and the same uid. That both are on one host is an error of that host.
pub(super) fn uids(fleet: &Fleet<'_>) -> Vec<(Severity, ConfigError)> {
    let mut seen: BTreeMap<u32, Origin> = BTreeMap::new();
    let mut found = Vec::new();
    for (uid, origin) in fleet.uids_of_people() {
        match seen.get(&uid) {
            None => {
                seen.insert(uid, origin);
            }
            Some(first) => {
                let error = ConfigError::new(format!("two people have the uid {uid}"))
                    .at(&origin)
                    .related(first, "the other one has it here")
                    .cause("on a file system that hosts share, each owns the files of the other; a host cannot have both")
                    .fix("give one of them another uid");
                found.push((Severity::Warning, error));
            }
        }
    }
    found
}
