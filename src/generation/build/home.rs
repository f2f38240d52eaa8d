//! What only home directories have: git's configuration, and the variables of sessions.

mod git;
mod session;
#[cfg(test)]
mod tests;

use super::builder::{Builder, FILE_MODE, fixed};
use super::paths::root_file;
use crate::config::{ConfigError, HomeConfig, Located, OnConflict, Origin};
use crate::generation::{PathEntry, PathKind};
use crate::host::{HostPath, UserName};
use crate::secrets::UnitTriggers;

/// Where the session variables of all accounts are for login shells.
const PROFILE: &str = "/etc/profile.d/50-steadfast.sh";

impl Builder<'_> {
    pub(super) fn homes(&mut self) {
        let config = self.config;
        for (account, home) in &config.homes {
            let Some(directory) = self.home_directory(account, &home.origin) else {
                continue;
            };
            self.home(account, home, &directory);
            self.home_units(account, &directory, &home.value.units);
        }
        self.login_shells();
    }

    /// Where the home of an account is. `None` is recorded.
    fn home_directory(&mut self, account: &UserName, origin: &Origin) -> Option<HostPath> {
        let user = self.config.users.get(account)?;
        match user.value.directory(account) {
            Ok(directory) => Some(directory),
            Err(invalid) => {
                self.push(ConfigError::new(invalid.to_string()).at(origin));
                None
            }
        }
    }

    fn home(&mut self, account: &UserName, home: &Located<HomeConfig>, directory: &HostPath) {
        let (config, origin) = (&home.value, &home.origin);
        if !config.git.is_empty() {
            let text = git::text(&config.git);
            self.in_home(account, directory, (".config/git/config", text), origin);
        }
        if let Some(first) = config.session_variables.values().next() {
            let text = session::environment(&config.session_variables);
            let path = ".config/environment.d/50-steadfast.conf";
            self.in_home(account, directory, (path, text), &first.origin);
        }
    }

    /// A file that programs write too: what was there is kept, and comes back when the entry goes.
    fn in_home(
        &mut self,
        account: &UserName,
        directory: &HostPath,
        (below, text): (&str, String),
        origin: &Origin,
    ) {
        let path = match directory.join(below) {
            Ok(path) => path,
            Err(invalid) => {
                self.push(ConfigError::new(invalid.to_string()).at(origin));
                return;
            }
        };
        let kind = PathKind::File {
            content: self.object(text.into_bytes()),
            owner: account.clone(),
            group: self.primary_group(account),
            mode: FILE_MODE,
        };
        self.place(path, self.kept(kind), origin);
    }

    /// One file of root's for all login shells: nothing that an account could write is read by them.
    fn login_shells(&mut self) {
        let config = self.config;
        let homes = config.homes.iter();
        let variables: Vec<_> = homes
            .map(|(account, home)| (account, &home.value.session_variables))
            .filter(|(_, variables)| !variables.is_empty())
            .collect();
        let first = variables.iter().find_map(|(_, all)| all.values().next());
        let Some(first) = first else {
            return;
        };
        let content = self.object(session::profile(&variables).into_bytes());
        self.place(fixed(PROFILE), self.kept(root_file(content)), &first.origin);
    }

    fn kept(&self, kind: PathKind) -> PathEntry {
        PathEntry {
            kind,
            on_conflict: OnConflict::Backup,
            drift: self.config.drift,
            units: UnitTriggers::default(),
        }
    }
}
