//! Steps about accounts and groups.

use super::super::failure::HostFailure;
use super::{Hands, Step};
use crate::generation::UserEntry;
use crate::host::{GroupSpec, UserName, UserSpec};

/// Whether a password is set even if nothing says that it differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Password {
    Set,
    Leave,
}

impl Hands<'_> {
    pub(super) fn account(&self, step: &Step) -> Result<(), HostFailure> {
        let host = self.bench.host;
        match step {
            Step::CreateGroup { group, entry } => {
                let spec = GroupSpec {
                    gid: entry.gid,
                    system: entry.system,
                };
                Ok(host.create_group(group, &spec)?)
            }
            Step::CreateUser { user, entry } => {
                host.create_user(user, &spec(entry))?;
                self.password(user, entry, Password::Set)
            }
            Step::ModifyUser {
                user,
                entry,
                changes,
            } => {
                host.modify_user(user, &spec(entry))?;
                let differs = changes.iter().any(|change| change == "password");
                let password = if differs {
                    Password::Set
                } else {
                    Password::Leave
                };
                self.password(user, entry, password)
            }
            Step::LockUser { user } => Ok(host.lock_user(user)?),
            _ => Ok(()),
        }
    }

    fn password(
        &self,
        user: &UserName,
        entry: &UserEntry,
        password: Password,
    ) -> Result<(), HostFailure> {
        if password == Password::Leave {
            return Ok(());
        }
        let host = self.bench.host;
        if let Some(hash) = &entry.password_hash {
            return Ok(host.set_password_hash(user, hash)?);
        }
        let Some(secret) = &entry.password_secret else {
            return Ok(());
        };
        let optional = self
            .bench
            .manifest
            .secrets
            .get(secret)
            .is_some_and(|spec| spec.optional);
        let value = self.bench.secrets.value(secret);
        match value.and_then(|value| value.expose_text()) {
            Some(hash) => Ok(host.set_password_hash(user, hash.trim_end())?),
            // An optional secret that does not open leaves the account without a password, not the host without it.
            None if optional => Ok(()),
            None => Err(HostFailure::PasswordSecret {
                user: user.to_string(),
                secret: secret.to_string(),
            }),
        }
    }
}

fn spec(entry: &UserEntry) -> UserSpec {
    UserSpec {
        uid: entry.uid,
        group: entry.group.clone(),
        groups: entry.groups.clone(),
        description: entry.description.clone(),
        home: entry.home.clone(),
        shell: entry.shell.clone(),
        system: entry.system,
    }
}
